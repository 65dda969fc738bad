//! Real servers on the rendered files, in network namespaces of their own, and clients that speak to them.

mod boot;
mod cases;
mod dhcp;
mod dhcp6;
mod dns;
mod lab;
mod scale;
mod servers;
mod stages;
