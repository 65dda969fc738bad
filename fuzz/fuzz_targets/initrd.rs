//! Reading any bytes as an initrd ends, and gives the same result for buffers of any size.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plasmagen::image::read_initrd;

fuzz_target!(|bytes: &[u8]| {
    let read = |capacity: usize| {
        let mut names = Vec::new();
        // The reader keeps nothing of what it unpacks, so it does not refuse a bomb; this target stops reading one.
        let mut left = 1 << 20;
        let result =
            read_initrd(std::io::BufReader::with_capacity(capacity, bytes), &mut |header, content| {
                left = std::io::copy(content, &mut std::io::sink())
                    .map_or(0, |read| u64::saturating_sub(left, read));
                anyhow::ensure!(left > 0, "too much");
                names.push(header.clone());
                Ok(())
            });
        // How far a damaged initrd is read, and so its error, depends on the size of the buffer.
        result.map(|unpacked| (unpacked, names)).ok()
    };
    assert_eq!(read(1), read(8192));
});
