//! Baseboard management controllers.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::word::{Form, Invalid, Word, word};
use super::{MacAddr, RelPath, UserName, VaultFile};

/// The baseboard management controller of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bmc {
    /// The BMC's address in a management network.
    pub address: IpAddr,
    /// The user to log in as.
    pub user: UserName,
    /// The file in the vault that holds the user's password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<VaultFile>,
    /// The protocol that the BMC speaks.
    pub protocol: BmcProtocol,
    /// The MAC address of the BMC, by which DHCP knows the BMC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<MacAddr>,
    /// The certificate that the BMC must show, where the vault does not hold its fingerprint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<BmcCertificate>,
}

word! {
    /// The certificate of a BMC: `sha256:` and the SHA-256 of its DER, or the path of the certificate of a CA.
    BmcCertificate;
}

/// The beginning of a fingerprint.
const SHA256: &str = "sha256:";

impl BmcCertificate {
    /// The SHA-256 of the certificate, 64 hexadecimal digits in lower case; none where the word names a CA.
    #[must_use]
    pub fn fingerprint(&self) -> Option<&str> {
        self.as_str().strip_prefix(SHA256)
    }
}

impl Word for BmcCertificate {
    const FORM: Form = Form::new(
        "the SHA-256 of the certificate, or a file with the certificate of a CA",
        r"^(sha256:[0-9a-f]{64}|(\./)?[A-Za-z0-9._+-]+(/[A-Za-z0-9._+-]+)*)$",
        &["ca/bmc.pem"],
    );

    fn parse(text: &str) -> Result<Self, Invalid> {
        let Some(digits) = text.strip_prefix(SHA256) else {
            return RelPath::parse(text).map(|path| Self(path.as_str().to_owned()));
        };
        if digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Ok(Self(text.to_owned()));
        }
        let help =
            "plasmagen power trust NODE prints the fingerprint: `sha256:` and 64 digits of 0-9 and a-f";
        // OpenSSL prints upper case and colons.
        let plain: String = digits.chars().filter(|c| *c != ':').collect::<String>().to_ascii_lowercase();
        let fault = Invalid::new("PG-A04", format!("`{text}` is not the SHA-256 of a certificate"), help);
        let is_other_form = plain.len() == 64 && plain.bytes().all(|byte| byte.is_ascii_hexdigit());
        Err(if is_other_form { fault.instead(format!("{SHA256}{plain}")) } else { fault })
    }
}

/// A protocol of baseboard management controllers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BmcProtocol {
    /// DMTF Redfish.
    Redfish,
    /// IPMI 2.0 over LAN.
    Ipmi,
}

impl BmcProtocol {
    /// The name of the protocol in the inventory.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Redfish => "redfish",
            Self::Ipmi => "ipmi",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_a_fingerprint_or_a_file() {
        let sum = "0123456789abcdef".repeat(4);
        let word = BmcCertificate::parse(&format!("sha256:{sum}")).unwrap();
        assert_eq!(word.fingerprint(), Some(sum.as_str()));
        let file = BmcCertificate::parse("./ca/bmc.pem").unwrap();
        assert_eq!((file.as_str(), file.fingerprint()), ("ca/bmc.pem", None));
        let colons = sum
            .to_uppercase()
            .as_bytes()
            .chunks(2)
            .map(|pair| String::from_utf8_lossy(pair).into_owned())
            .collect::<Vec<_>>();
        let fault = BmcCertificate::parse(&format!("sha256:{}", colons.join(":"))).unwrap_err();
        assert_eq!(fault.instead, Some(format!("sha256:{sum}")));
        for (bad, code) in [
            ("sha256:0123", "PG-A04"),
            ("../bmc.pem", "PG-A15"),
            ("nodes/bmc.pem", "PG-A15"),
            ("SHA256:00", "PG-A15"),
        ] {
            assert_eq!(BmcCertificate::parse(bad).unwrap_err().code, code, "{bad}");
        }
    }
}
