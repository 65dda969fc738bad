//! What a dialect prints, the real consumer reads back; what it refuses, the language could not have said.
//!
//! A process costs 30 ms, so that each call of a consumer gets many values at once.

mod dhcp;
mod dnsmasq;
mod iptables;
mod ipxe;
mod named;
mod nft;
mod nginx;
mod nix;
mod shell;
mod zone;

use std::fmt::Debug;
use std::sync::LazyLock;

use plasmagen::render::{Renderer, Template};
use proptest::prelude::*;
use serde::Serialize;

static RENDERER: LazyLock<Renderer> = LazyLock::new(|| {
    let templates = [
        ("literal.dhcp.j2", "{{ x }}"),
        ("literal.dnsmasq.j2", "{{ x }}"),
        ("literal.iptables.j2", "{{ x }}"),
        ("literal.ipxe.j2", "{{ x }}"),
        ("literal.named.j2", "{{ x }}"),
        ("literal.nft.j2", "{{ x }}"),
        ("literal.nginx.j2", "{{ x }}"),
        ("literal.nix.j2", "{{ x }}"),
        ("literal.zone.j2", "{{ x }}"),
        ("literal.shell.j2", "{{ x }}"),
        ("bare.dhcp.j2", "{{ x|bare }}"),
        ("bare.dnsmasq.j2", "{{ x|bare }}"),
        ("bare.iptables.j2", "{{ x|bare }}"),
        ("bare.ipxe.j2", "{{ x|bare }}"),
        ("bare.named.j2", "{{ x|bare }}"),
        ("bare.nft.j2", "{{ x|bare }}"),
        ("bare.nginx.j2", "{{ x|bare }}"),
        ("bare.nix.j2", "{{ x|bare }}"),
        ("bare.zone.j2", "{{ x|bare }}"),
        ("bare.shell.j2", "{{ x|bare }}"),
        ("name.nix.j2", "{{ x|name }}"),
        ("name.zone.j2", "{{ x|name }}"),
    ];
    Renderer::new(&templates.map(|(name, source)| Template { name, source })).unwrap()
});

/// What `template` makes of `x`; `None` where it refuses.
fn print(template: &str, x: impl Serialize) -> Option<String> {
    #[derive(Serialize)]
    struct Context<T> {
        x: T,
    }
    RENDERER.render(template, Context { x }).ok()
}

/// Pieces that mean something to one language or another.
const PIECES: &[&str] = &[
    "\"", "'", "''", "'''", "\\", "\\\"", "\\\\", "$", "$$", "${", "}", "${x}", "$${x}", "''${x}", "\\${x}",
    "$(id)", "`id`", "{", "{{ x }}", "#", "//", "/*", "*/", "*", "\\*", "/", ";", "|", "||", "&", "&&", "-",
    "--", ":", "::", ",", "=", "%", "%s", "~", "!", "?", "@", "^", "<", ">", "(", ")", "[", "]", ".", "..",
    " ", "  ", "a", "Z", "_", "0", "10.0.0.1", "with", "é", "ß", "😀", "\u{a0}", "\u{2028}", "\u{feff}",
    "\n", "\r", "\t", "\0", "\u{1b}", "\u{7f}", "\u{85}",
];

/// Strings of every kind: nasty, arbitrary, printable, long, and such as could be bare words.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::collection::vec(prop::sample::select(PIECES), 0..6).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
        1 => "[ -~]{0,40}",
        1 => "[a-z]{118,127}é{1,3}",
        1 => "[ -~&&[^\"\\\\]]{250,260}",
        2 => "[A-Za-z0-9._:/-]{1,16}",
    ]
}

/// The characters of ASCII with which `template` takes `before`, the character and `after`.
fn taken(template: &str, before: &str, after: &str) -> String {
    (0..=127).map(char::from).filter(|c| print(template, format!("{before}{c}{after}")).is_some()).collect()
}

const DIGITS: &str = "0123456789";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";

/// Enough for one call of a consumer.
fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(text(), 400)
}

/// Few calls with many values. Nothing is shrunk, since [`same`] names the value at fault, and nothing written down.
fn calls(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() }
}

/// Fails at the first of many values that is not what it should be.
fn same<A, B>(
    read: impl IntoIterator<Item = A>,
    said: impl IntoIterator<Item = B>,
) -> Result<(), TestCaseError>
where
    A: PartialEq<B> + Debug,
    B: Debug,
{
    let (mut read, mut said) = (read.into_iter(), said.into_iter());
    loop {
        match (read.next(), said.next()) {
            (None, None) => return Ok(()),
            (Some(read), Some(said)) => prop_assert_eq!(read, said),
            (read, said) => prop_assert!(false, "{read:?} was read for {said:?}"),
        }
    }
}
