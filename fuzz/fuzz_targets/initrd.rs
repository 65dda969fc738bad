//! Whatever the bytes are, reading them as an initrd ends, and comes to the same twice.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plasmagen::image::read_initrd;

fuzz_target!(|bytes: &[u8]| {
    let read = |capacity: usize| {
        let mut names = Vec::new();
        // A bomb is somebody else's to refuse: what is unpacked is never kept, and here not read to its end.
        let mut left = 1 << 20;
        let result =
            read_initrd(std::io::BufReader::with_capacity(capacity, bytes), &mut |header, content| {
                left = std::io::copy(content, &mut std::io::sink())
                    .map_or(0, |read| u64::saturating_sub(left, read));
                anyhow::ensure!(left > 0, "too much");
                names.push(header.clone());
                Ok(())
            });
        // How far a damaged one is read, and what is said of it, depends on what is read at once.
        result.map(|unpacked| (unpacked, names)).ok()
    };
    assert_eq!(read(1), read(8192));
});
