//! Virtual addresses.

use std::net::IpAddr;

use crate::diag::{Span, Spanned};
use crate::inventory::{Entry, Inventory};
use crate::model::HostName;

/// A virtual address as written.
#[derive(Clone, Copy, Debug)]
pub struct DraftVip<'a> {
    /// The table that has the address: `vip` or `vip6`.
    pub table: &'static str,
    /// The name as written.
    pub key: &'a str,
    /// The place of that name.
    pub key_span: &'a Span,
    /// The name, where it is legal.
    pub name: Option<&'a HostName>,
    /// The virtual address.
    pub address: IpAddr,
    /// The place of the address.
    pub span: &'a Span,
}

impl<'a> DraftVip<'a> {
    fn new<A: Copy + Into<IpAddr>>(table: &'static str, entry: &'a Entry<HostName, Spanned<A>>) -> Self {
        let Entry { key, span: key_span, name, value: Spanned { value, span } } = entry;
        Self { table, key, key_span, name: name.as_ref(), address: (*value).into(), span }
    }
}

/// The virtual addresses of both families, IPv4 first.
pub(super) fn list_vips(inventory: &Inventory) -> impl Iterator<Item = DraftVip<'_>> {
    let v4 = inventory.vips.iter().map(|entry| DraftVip::new("vip", entry));
    let v6 = inventory.vips6.iter().map(|entry| DraftVip::new("vip6", entry));
    v4.chain(v6)
}
