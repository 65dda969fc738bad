//! The programs of the netboot image, `profiles/netboot/*.sh`, in a root of their own: on overlays that plasmagen has
//! rendered, and on others.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod apply;
mod boot;
mod facts;
mod machine;
