//! Checking any bytes returns errors, or a cluster.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let checked = plasmagen::check::check(bytes).expect("what the rules accept is complete");
    assert_eq!(checked.cluster.is_none(), checked.count(plasmagen::diag::Severity::Error) > 0);
});
