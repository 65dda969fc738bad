//! What the provisioner serves, by the real servers: nginx, tftpd-hpa and atftpd run in namespaces of their own with the
//! files as they are rendered, at the paths and addresses that these name.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../common/mod.rs"]
mod common;
mod health;
mod kit;
mod nginx;
mod rendered;
mod tftp;
