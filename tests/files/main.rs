//! Trees on disk, whole or not at all: `nodes/`, `site/` and the web root, whatever happens meanwhile.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod publish;
mod swapped;
mod writer;
