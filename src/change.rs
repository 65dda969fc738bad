//! What a change of the inventory does: two clusters in, consequences out. Pure.
//!
//! ```text
//! old, new ─ identity ─ differences of keys ─┐
//!              derived facts, site facts ────┴─ table: rows, judges ─ findings ─ quorum ─ Change
//! ```
//!
//! - [`compare()`]: the way from two clusters to a [`Change`].
//! - `difference`: which keys differ; `derived` and `site_facts`: which facts differ that follow from several keys
//!   (certificates, hosts, firewalls, zones).
//! - [`table`]: one row a key, as data; `judges` has the functions of rows whose effects depend on the values.
//! - [`effect`]: the effects in the order of their severity; `way`: what leads out of an effect.
//! - `quorum`: the members of the Raft groups that a change touches; `order`: the procedure that carries a change out.

mod case;
mod compare;
mod derived;
mod difference;
pub mod effect;
mod finding;
mod group;
mod identity;
mod judges;
mod live;
mod order;
mod quorum;
mod row;
mod rows;
mod site_facts;
mod summary;
pub mod table;
mod way;
mod words;

pub use case::{Case, Pair, Sides};
pub use compare::{Change, DriftedNode, compare, compare_live};
pub use difference::Difference;
pub use effect::{Effect, Flag, Party};
pub use finding::{Cause, Consequence, Findings, Verdict};
pub use group::{Group, group};
pub use live::{LiveNode, QUESTION, RenderedFiles};
pub use order::{Procedure, Step, install_commands, plan_procedure};
pub use quorum::Membership;
pub use row::{Affects, Judge, Row, Who};
pub use summary::Summary;
pub use way::{Phase, Way};
