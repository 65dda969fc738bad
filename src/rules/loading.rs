//! Chapter F, as far as it is about what machines load from the network.

use crate::diag::{Diagnostic, Report};
use crate::model::Verify;
use crate::resolve::Draft;

/// What is loaded over plain HTTP is signed. (That the URL is one of HTTP, and the port free, follows from its parts.)
pub(super) fn f21(draft: &Draft<'_>, report: &mut Report) {
    let provisioner = draft.inventory.provisioner.as_ref();
    let Some(address) = provisioner.and_then(|own| own.address.as_ref()) else { return };
    let verify = draft.inventory.boot.verify.as_ref().map_or(Verify::None, |verify| verify.value);
    if verify != Verify::Signature {
        let message = "machines load what they boot over plain HTTP, and nothing is signed";
        let fault = Diagnostic::warning("PG-F21", &address.span, message);
        report.push(fault.help(
            "keep strangers out of the boot network and acknowledge it with `allow = [\"PG-F21\"]` here, or set \
             `verify = \"signature\"` in `[boot]` with an iPXE build of your own",
        ));
    }
}
