//! The programs of the netboot image, `profiles/netboot/*.sh`, in a root of their own: on overlays that plasmagen has
//! rendered, and on others.

mod apply;
mod boot;
mod facts;
mod machine;
