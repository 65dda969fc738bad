//! Words whose grammar other programs define: SSH keys, kernel parameters, paths, versions.

use super::path::is_normal_path;
use super::private_key::find_key_marker;
use super::word::{Form, Invalid, Word, has_only, invalid, is_invisible, word};

word! {
    /// An OpenSSH public key in the form of `authorized_keys` (sshd(8)), without options.
    AdminKey;
    /// One parameter of the kernel command line (bootparam(7)): `[A-Za-z0-9._,:=/@+%~*!-]`, so that iPXE, the boot
    /// loader and Nix read the same word.
    KernelParam;
    /// A file of the provisioner's or a node's: absolute and normal, of `[A-Za-z0-9._-]` components, at most 255 bytes,
    /// which a string of any server's configuration holds.
    AbsPath;
    /// A file of the user's, relative to the directory of the inventory, which the path cannot leave. A leading `./` is
    /// left out.
    RelPath;
    /// A file in the vault, relative to the vault, which the path cannot leave.
    VaultFile;
    /// A `system.stateVersion` of NixOS, such as `24.11`.
    StateVersion;
}

/// Whether `word` begins like a type of SSH keys, such as `ssh-ed25519` or `sk-ecdsa-sha2-nistp256@openssh.com`.
pub(crate) fn is_ssh_key_type(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-"].iter().any(|prefix| word.starts_with(prefix))
}

impl Word for AdminKey {
    const FORM: Form = Form::new(
        "an OpenSSH public key, without options",
        "^(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( .*)?$",
        &["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 ops@example.com"],
    );

    fn parse(text: &str) -> Result<Self, Invalid> {
        let help = "paste the one line of a `.pub` file, such as ~/.ssh/id_ed25519.pub";
        // Behind a public key stands the comment, which rule A16 searches.
        if !is_ssh_key_type(text) && find_key_marker(text).is_some() {
            return invalid("PG-H13", "this is a private key: it must never be in an inventory".into(), help);
        }
        if !is_ssh_key_type(text) && text.split(' ').any(is_ssh_key_type) {
            return invalid("PG-H13", "this SSH key has options before it".into(), help);
        }
        let key = match ssh_key::PublicKey::from_openssh(text) {
            Ok(key) => key,
            Err(why) => {
                // It may quote what the Base64 says.
                let why: String = why.to_string().chars().filter(|c| !is_invisible(*c)).collect();
                return invalid("PG-H13", format!("this is not an SSH public key ({why})"), help);
            }
        };
        if key.to_openssh().ok().as_deref() != Some(text) {
            return invalid("PG-H13", "this SSH key has options or other text around it".into(), help);
        }
        match key.key_data() {
            ssh_key::public::KeyData::Rsa(rsa) if modulus_bits(rsa) < 3072 => {
                let message = format!("this RSA key has {} bits, and 3072 is the least", modulus_bits(rsa));
                invalid("PG-H13", message, "make an Ed25519 key: ssh-keygen -t ed25519")
            }
            ssh_key::public::KeyData::Dsa(_) => invalid(
                "PG-H13",
                "OpenSSH takes no DSA keys any more".into(),
                "make an Ed25519 key: ssh-keygen -t ed25519",
            ),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

/// The number of bits of an RSA key.
fn modulus_bits(key: &ssh_key::public::RsaPublicKey) -> u32 {
    let bytes = key.n.as_positive_bytes().unwrap_or_default();
    let zeros = bytes.first().map_or(0, |byte| byte.leading_zeros());
    u32::try_from(bytes.len() * 8).unwrap_or(u32::MAX) - zeros
}

impl Word for KernelParam {
    const FORM: Form = Form::new(
        "one parameter of the kernel command line",
        "^[A-Za-z0-9][A-Za-z0-9._,:=/@+%~*!-]*$",
        &["console=ttyS0,115200"],
    );

    fn parse(text: &str) -> Result<Self, Invalid> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"._,:=/@+%~*!-".contains(&b);
        let help = "write one parameter a string, of letters, digits and `._,:=/@+%~*!-`; set a parameter with other \
                    characters in a module of `modules`, by `boot.kernelParams`";
        if !has_only(text, legal) {
            return invalid("PG-F20", format!("`{text}` is not one kernel parameter"), help);
        }
        if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return invalid("PG-F20", format!("`{text}` does not begin with a letter or digit"), help);
        }
        Ok(Self(text.to_owned()))
    }
}

impl Word for AbsPath {
    const FORM: Form = Form::new("an absolute path", "^(/[A-Za-z0-9._-]+)+$", &["/var/lib/pxe-boot"]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        let legal = has_only(text, |b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
        let normal = text.strip_prefix('/').is_some_and(is_normal_path);
        if text.len() > 255 {
            let message =
                format!("this path has {} bytes, and configurations of servers hold 255", text.len());
            return invalid("PG-A15", message, "keep the file in a directory that is less deep");
        }
        if legal && normal {
            Ok(Self(text.to_owned()))
        } else {
            invalid(
                "PG-A15",
                format!("`{text}` is not an absolute path"),
                "write one such as `/var/lib/pxe-boot`",
            )
        }
    }
}

impl Word for RelPath {
    const FORM: Form = Form::new(
        "a path below the inventory's directory",
        r"^(\./)?[A-Za-z0-9._+-]+(/[A-Za-z0-9._+-]+)*$",
        &["custom/foo.nix"],
    );

    fn parse(written: &str) -> Result<Self, Invalid> {
        let text = written.strip_prefix("./").unwrap_or(written);
        let help = "write a path below the inventory's directory, such as `custom/foo.nix`";
        let legal = has_only(text, |b| b.is_ascii_alphanumeric() || b"/._+-".contains(&b));
        if !legal || !is_normal_path(text) {
            return invalid(
                "PG-A15",
                format!("`{text}` is not a path below the inventory's directory"),
                help,
            );
        }
        if ["nodes", "site"].iter().any(|tree| text == *tree || text.starts_with(&format!("{tree}/"))) {
            return invalid(
                "PG-A15",
                format!("`{text}` lies in a tree that plasmagen replaces as a whole"),
                help,
            );
        }
        Ok(Self(text.to_owned()))
    }
}

impl Word for VaultFile {
    const FORM: Form =
        Form::new("a path below the vault", "^[A-Za-z0-9._+-]+(/[A-Za-z0-9._+-]+)*$", &["bmc/node01"]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        if has_only(text, |b| b.is_ascii_alphanumeric() || b"/._+-".contains(&b)) && is_normal_path(text) {
            return Ok(Self(text.to_owned()));
        }
        invalid(
            "PG-A15",
            format!("`{text}` is not a path below the vault"),
            "put the file into the vault, and write the path from there, such as `bmc/node01`",
        )
    }
}

impl Word for StateVersion {
    const FORM: Form = Form::new("a release of NixOS", r"^[0-9]{2}\.(05|11)$", &["24.11"]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        let release = text.split_once('.').is_some_and(|(year, month)| {
            year.len() == 2 && year.bytes().all(|b| b.is_ascii_digit()) && ["05", "11"].contains(&month)
        });
        if release {
            Ok(Self(text.to_owned()))
        } else {
            invalid(
                "PG-A04",
                format!("`{text}` is not a NixOS release"),
                "write the release that installs the machines: `24.11`",
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKP4qW8vDaGDGd3oWyyBhj8cVYAMMZp3gAJ6qdjYNM0y ops@example.com";

    #[test]
    fn ssh_keys() {
        assert!(AdminKey::parse(KEY).is_ok());
        for bad in [
            "ssh-ed25519 AAAA… x",
            "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIKP4qW8vDaGDGd3oWyyBhj8cVYAMMZp3gAJ6qdjYNM0y",
            &format!("command=\"id\" {KEY}"),
            "-----BEGIN OPENSSH PRIVATE KEY-----",
            "PuTTY-User-Key-File-3: ssh-ed25519",
        ] {
            assert_eq!(AdminKey::parse(bad).unwrap_err().code, "PG-H13", "{bad}");
        }
    }

    #[test]
    fn kernel_parameters_are_single_words() {
        assert!(KernelParam::parse("console=ttyS0,115200").is_ok());
        for bad in ["a b", "x=${y}", "x=\"y\"", "", "a\\b", "a#b", "||", "-x"] {
            assert_eq!(KernelParam::parse(bad).unwrap_err().code, "PG-F20", "{bad}");
        }
    }

    #[test]
    fn paths_stay_below_the_inventory() {
        assert!(RelPath::parse("custom/foo.nix").is_ok());
        assert_eq!(RelPath::parse("./gpu.nix").unwrap().as_str(), "gpu.nix");
        for bad in
            ["/etc/shadow", "../x", "././x", "a/../../x", "a//b", "./nodes/x", "site", "a b", "${x}", "./"]
        {
            assert_eq!(RelPath::parse(bad).unwrap_err().code, "PG-A15", "{bad}");
        }
    }

    #[test]
    fn absolute_paths_fit_every_configuration() {
        assert!(AbsPath::parse(&"/a234".repeat(51)).is_ok());
        for bad in
            [&"/a234".repeat(52), "a", "/", "/a/", "/a//b", "/a/../b", "/a b", "/a\"b", "/a,b", "/a#b", "/é"]
        {
            assert_eq!(AbsPath::parse(bad).unwrap_err().code, "PG-A15", "{bad}");
        }
    }

    #[test]
    fn releases_of_nixos() {
        assert!(StateVersion::parse("24.11").is_ok() && StateVersion::parse("24.10").is_err());
    }
}
