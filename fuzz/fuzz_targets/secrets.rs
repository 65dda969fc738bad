//! A recipient of any text is refused, or a key can be encrypted to the recipient; keys and certificates of any text are
//! refused or read.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use plasmagen::pki::recipient::{Recipient, encrypt};
use plasmagen::pki::{KeyAlgorithm, PublicCert, SecretKey};

/// The second recipient, who is sound.
const SOUND: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

static KEY: LazyLock<SecretKey> =
    LazyLock::new(|| SecretKey::generate(KeyAlgorithm::EcdsaP256).expect("a key can be made"));

fuzz_target!(|text: &str| {
    if let Ok(recipient) = Recipient::parse(text) {
        let sound = Recipient::parse(SOUND).expect("the recipient is sound");
        // age has no plugins here: then the error says so.
        let _ = encrypt(&KEY, &[&recipient, &sound]);
    }
    if let Ok(certificates) = PublicCert::list_from_pem(text) {
        for certificate in &certificates {
            let _ = (certificate.cluster_name(), certificate.is_signed_by(certificate));
        }
    }
    let _ = PublicCert::from_pem(text);
    let _ = PublicCert::from_der(text.as_bytes());
    let _ = SecretKey::from_pem(text.to_owned().into());
});
