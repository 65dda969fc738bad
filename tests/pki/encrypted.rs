//! The directory of encrypted keys, when two runs want to make it.

use std::fs;

use plasmagen::pki::recipient::Recipient;
use plasmagen::pki::vault::encrypted::{EncryptedKeys, KeyToEncrypt};
use plasmagen::pki::{KeyAlgorithm, SecretKey};

use crate::support::FQDN;

const AGE: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

/// Both find no directory. The first makes and locks it, and is killed while the second waits for the lock.
#[test]
fn a_second_first_run_ends_what_the_first_has_left() {
    let recipient = Recipient::parse(AGE).unwrap();
    for (left, stays) in [(".plasmagen-staging", false), (".plasmagen-staged", true)] {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("secrets");
        let second = EncryptedKeys::at(&dir, &[]).unwrap();
        fs::create_dir_all(dir.join(left)).unwrap();
        fs::write(dir.join(left).join("node02-key.pem.age"), "of the first run").unwrap();
        let key = SecretKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        second.encrypt(&[KeyToEncrypt { fqdn: FQDN, key, recipients: vec![&recipient] }]).unwrap();
        assert!(!dir.join(left).exists());
        assert!(second.file(FQDN).unwrap().exists());
        assert_eq!(dir.join("node02-key.pem.age").exists(), stays, "{left}");
    }
}
