//! The CRLs beside the CAs: whether they say what the list of revoked certificates says, and signing those that do not.

use anyhow::Context;
use time::OffsetDateTime;

use super::crl::Crl;
use super::list::RevocationList;
use super::read_list;
use crate::pki::issue::CaIssuer;
use crate::pki::read::PublicCert;
use crate::pki::trust::list_by_generation;
use crate::pki::vault::Vault;
use crate::plan::Certificates;

/// The published CAs beside their CRLs.
struct PublishedCrls {
    list: RevocationList,
    /// Each published CA, the newest last, with the CRL of that CA that says what the list says; none where there is no such
    /// CRL.
    authorities: Vec<(PublicCert, Option<Crl>)>,
    /// The number of the CRLs in `nodes/`, whatever they say.
    count: usize,
    /// The highest number of a CRL in `nodes/`.
    number: u64,
}

impl PublishedCrls {
    fn read(certificates: &Certificates) -> anyhow::Result<Self> {
        let list = read_list(certificates)?;
        let crls = Crl::list_from_pem(certificates.crl.as_deref().unwrap_or_default())?;
        let find = |ca: PublicCert| {
            let says = |crl: &&Crl| crl.is_signed_by(&ca) && crl.serials == list.serials_of(&ca);
            let crl = crls.iter().find(says).cloned();
            (ca, crl)
        };
        let authorities = list_by_generation(certificates.ca.as_deref().unwrap_or_default())?;
        let authorities = authorities.into_iter().map(find).collect();
        let number = crls.iter().map(|crl| crl.number).max().unwrap_or_default();
        Ok(Self { list, authorities, count: crls.len(), number })
    }

    /// Whether there is a CRL of each published CA that is valid at `now`, and no other CRL. A CA that has ended can't sign,
    /// and nobody accepts its certificates.
    fn is_current(&self, now: OffsetDateTime) -> bool {
        if self.count == 0 && self.list.certificates().is_empty() {
            return true;
        }
        let found = self.authorities.iter().filter(|(_, crl)| crl.is_some()).count();
        found == self.count && self.authorities.iter().all(|(ca, crl)| crl.is_some() || ca.not_after < now)
    }
}

/// Whether the CRLs of `certificates` say what the list says at `now`: one of each published CA, but for CAs that have ended;
/// and none until something is revoked.
///
/// # Errors
/// When a file can't be read.
pub fn has_current_crls(certificates: &Certificates, now: OffsetDateTime) -> anyhow::Result<bool> {
    Ok(PublishedCrls::read(certificates)?.is_current(now))
}

/// Brings the CRLs of `certificates` up to date: each published CA signs the list, where its CRL does not say what the list
/// says. The keys are in the vault, which is opened only if a CA signs, but for that of `new_ca`, which the vault does not
/// hold yet.
///
/// # Errors
/// When the key of a published CA is not in the vault, or a file can't be read.
pub fn sign_crls(
    certificates: &mut Certificates,
    open_vault: impl FnOnce() -> anyhow::Result<Vault>,
    new_ca: Option<&CaIssuer>,
    now: OffsetDateTime,
) -> anyhow::Result<()> {
    let published = PublishedCrls::read(certificates)?;
    if published.is_current(now) {
        return Ok(());
    }
    let is_ended = |ca: &PublicCert| ca.not_after < now;
    let find_new = |ca: &PublicCert| new_ca.filter(|new| new.certificate() == ca);
    let asks_vault =
        |(ca, crl): &(PublicCert, Option<Crl>)| crl.is_none() && !is_ended(ca) && find_new(ca).is_none();
    let vault = published.authorities.iter().any(asks_vault).then(open_vault).transpose()?;
    // The numbers of a CA's CRLs rise (RFC 5280 section 5.2.3).
    let (list, number) = (&published.list, published.number + 1);
    let mut text = String::new();
    for (ca, crl) in &published.authorities {
        if let Some(crl) = crl {
            text += &crl.pem;
        } else if is_ended(ca) {
            // A CA that has ended can't sign.
        } else if let Some(new) = find_new(ca) {
            text += &new.sign_crl(list, number, now)?;
        } else if let Some(vault) = &vault {
            text += &find_signer(vault, ca)?.sign_crl(list, number, now)?;
        }
    }
    certificates.crl = (!text.is_empty()).then_some(text);
    Ok(())
}

fn find_signer(vault: &Vault, ca: &PublicCert) -> anyhow::Result<CaIssuer> {
    vault.find_ca(ca)?.with_context(|| {
        format!(
            "the vault {} does not hold the key of {}, which must sign the list of revoked certificates: name the vault of this \
             cluster with --vault, or restore it from a backup: plasmagen vault restore FILE",
            vault.dir().display(),
            ca.name()
        )
    })
}
