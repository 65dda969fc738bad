//! `profiles/` by itself: machines of a few lines, evaluated by NixOS' module system.

mod audit;
mod check;
mod exposure;
mod firewall;
mod gc;
mod hosts;
pub(crate) mod kit;
mod machine;
mod modes;
mod order;
mod secrets;
mod services;
