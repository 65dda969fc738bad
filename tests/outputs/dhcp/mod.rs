//! The three DHCP servers accept what is written for them, and each file, read back, says what the model says.
//!
//! How they answer machines is tested with live servers elsewhere.

mod dnsmasq;
mod extra;
mod facts;
mod isc;
mod kea;
mod servers;
mod sites;
