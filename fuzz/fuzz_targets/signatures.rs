//! Signers, signatures and publications of any text are refused or read; no signature of any bytes is accepted.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plasmagen::publish::Signers;
use time::OffsetDateTime;

/// A sound signer.
const SIGNER: &str =
    "ops@example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKP4qW8vDaGDGd3oWyyBhj8cVYAMMZp3gAJ6qdjYNM0y";

fuzz_target!(|input: (&str, &[u8], &[u8])| {
    let (signers, signature, message) = input;
    let sound = Signers::parse(SIGNER).expect("the signer is sound");
    assert!(sound.verify(message, signature, OffsetDateTime::UNIX_EPOCH).is_err());
    if let Ok(signers) = Signers::parse(signers) {
        let _ = signers.verify(message, signature, OffsetDateTime::UNIX_EPOCH);
    }
    let _ = Signers::of_keys(signers.lines());
});
