//! Who may reach which port of a machine, and which packets a machine forwards: the runbook's port matrix, from which
//! every firewall is written.

mod forwarding;
mod openings;
mod provisioner;
mod references;
mod routing;

pub use forwarding::{Forwarding, RefusedConnection, control_ports, forwarding};
pub use openings::{ExposedMachine, Opening, PacketSource, openings, ssh_sources};
pub use provisioner::provisioner_openings;
pub use references::{list_holders, list_references, may_hold};
pub use routing::{ForwardedConnection, RoutedNetwork, Routing, is_gateway, provisioner_routing};
