//! Nodes to add, and nodes that were added.

use std::net::IpAddr;

use crate::model::{BmcProtocol, DiskId, HostName, Label, MacAddr, SerialNumber};

/// A node to add. Facts that are missing are not made up.
#[derive(Clone, Debug, Default)]
pub struct NewNode {
    /// The name; without one, the next number after the last node of the profile.
    pub name: Option<HostName>,
    /// The name of the profile.
    pub profile: String,
    /// The MAC address of the NIC that boots.
    pub mac: Option<MacAddr>,
    /// The serial number of the machine.
    pub serial: Option<SerialNumber>,
    /// The disks that an installation erases.
    pub disks: Vec<DiskId>,
    /// The MAC addresses of cards that interfaces are bound to, by the name of the interface.
    pub interface_macs: Vec<(String, MacAddr)>,
    /// The model of the machine.
    pub hardware: Option<Label>,
    /// The failure domain.
    pub rack: Option<Label>,
    /// The BMC, as far as it is asked for.
    pub bmc: NewBmc,
    /// Addresses that are asked for, by network.
    pub addresses: Vec<(String, IpAddr)>,
}

/// The BMC of a node to add. What is missing is taken over from the other nodes of the profile, where these agree.
#[derive(Clone, Debug, Default)]
pub struct NewBmc {
    /// The address; without one, the next address of the profile's range in a network for BMCs.
    pub address: Option<IpAddr>,
    /// The user to log in as.
    pub user: Option<String>,
    /// The file in the vault that holds the password.
    pub password_file: Option<String>,
    /// The protocol.
    pub protocol: Option<BmcProtocol>,
    /// The MAC address.
    pub mac: Option<MacAddr>,
}

/// A node that was added.
#[derive(Clone, Debug)]
pub struct AddedNode {
    /// The name.
    pub name: String,
    /// The profile.
    pub profile: String,
    /// The addresses, by network.
    pub addresses: Vec<(String, IpAddr)>,
    /// The address of the BMC.
    pub bmc: Option<IpAddr>,
    /// The keys of facts of the machine that are not known.
    pub lacks: Vec<String>,
}
