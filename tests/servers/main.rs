//! Real servers on the rendered files, and the machines that boot from them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "the rules of the program's rooms are not those of its tests")]

mod lab;
mod live;
mod web;
