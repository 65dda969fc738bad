//! Real servers on the rendered files, and the machines that boot from them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod lab;
mod live;
mod web;
