//! Networks, and who gets which address in them.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::Ipv4Net;

use crate::dice::Dice;

/// A network of a random site. Addresses are taken from below, and what is left above may be the pool.
pub(super) struct Net {
    pub(super) name: String,
    pub(super) roles: Vec<&'static str>,
    pub(super) vlan: Option<u32>,
    /// Its number among the networks: `10.<block>.0.0/16` and `fd00:<block>::/64` hold its subnets.
    block: u32,
    pub(super) v4: Option<Ipv4Net>,
    pub(super) v6: bool,
    pub(super) gateway: bool,
    gateway_last: bool,
    /// The provisioner's address, where the provisioner is the IPv4 router.
    pub(super) routed_by: Option<Ipv4Addr>,
    pub(super) mtu: Option<u32>,
    next: u32,
    step: u32,
    lines: String,
}

/// What somebody was given.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) v4: Option<Ipv4Addr>,
    pub(super) v6: Option<Ipv6Addr>,
}

impl Net {
    pub(super) fn new(
        dice: &mut Dice,
        name: &str,
        roles: &[&'static str],
        block: u32,
        lengths: &[u8],
    ) -> Self {
        let length = dice.pick(lengths);
        let any = Ipv4Addr::from((10 << 24) | (block << 16) | dice.below(1 << 16));
        let v4 = Ipv4Net::new(any, length).unwrap().trunc();
        let size = 1 << (32 - length);
        let [a, b, c, d] = v4.addr().octets();
        let delegated = length > 24 && dice.chance(40);
        let zone = format!("reverse_zone = \"{d}-{length}.{c}.{b}.{a}.in-addr.arpa\"\n");
        Self {
            name: name.to_owned(),
            roles: roles.to_vec(),
            vlan: Some(100 + block),
            block,
            v4: Some(v4),
            v6: false,
            gateway: true,
            gateway_last: dice.chance(30),
            routed_by: None,
            mtu: None,
            next: 1,
            step: (size / 64).max(1),
            lines: match dice.chance(20) {
                _ if delegated => zone,
                true => "reverse_zone = \"none\"\n".to_owned(),
                false => String::new(),
            },
        }
    }

    /// Leaves the network with IPv6 alone.
    pub(super) fn drop_v4(&mut self) {
        self.v4 = None;
        self.lines.clear();
    }

    fn at(&self, offset: u32) -> Option<Ipv4Addr> {
        self.v4.map(|net| Ipv4Addr::from(u32::from(net.network()) + offset))
    }

    fn at6(&self, offset: u32) -> Option<Ipv6Addr> {
        let words = [0xfd00, self.block.try_into().unwrap(), 0, 0, 0, 0];
        let [high, low] = [offset >> 16, offset & 0xffff].map(|word| u16::try_from(word).unwrap());
        let [a, b, c, d, e, f] = words;
        self.v6.then(|| Ipv6Addr::new(a, b, c, d, e, f, high, low))
    }

    fn size(&self) -> u32 {
        self.v4.map_or(1 << 16, |net| 1 << (32 - net.prefix_len()))
    }

    pub(super) fn gateway4(&self) -> Option<Ipv4Addr> {
        let offset = if self.gateway_last { self.size() - 2 } else { 1 };
        self.routed_by.or(self.at(offset)).filter(|_| self.gateway)
    }

    pub(super) fn gateway6(&self) -> Option<Ipv6Addr> {
        self.at6(1).filter(|_| self.gateway)
    }

    /// The next address of each family that nobody has.
    pub(super) fn take(&mut self, dice: &mut Dice) -> Place {
        self.next += 1 + dice.below(self.step);
        Place { v4: self.at(self.next), v6: self.at6(self.next) }
    }

    /// As [`take`](Self::take), right after the one before.
    pub(super) fn take_next(&mut self) -> Place {
        self.next += 1;
        Place { v4: self.at(self.next), v6: self.at6(self.next) }
    }

    pub(super) fn say(&mut self, line: &str) {
        self.lines.push_str(line);
        self.lines.push('\n');
    }

    /// Leases what nobody has.
    pub(super) fn lease(&mut self, dice: &mut Dice) {
        let last = self.size() - if self.gateway_last { 3 } else { 2 };
        let first = self.next + 1 + dice.below(self.step);
        if let (Some(from), Some(to)) = (self.at(first), self.at(last))
            && first <= last
        {
            self.say(&format!("pool = \"{from}-{to}\""));
        }
        if self.v6 && dice.chance(60) {
            let block = self.block;
            self.say(&format!("pool6 = \"fd00:{block:x}::f000:0-fd00:{block:x}::f000:ffff\""));
        }
    }

    pub(super) fn toml(&self) -> String {
        let mut text = format!("\n[network.{}]\nroles = {:?}\n", self.name, self.roles);
        let mut say = |line: String| writeln!(text, "{line}").unwrap();
        self.vlan.into_iter().for_each(|vlan| say(format!("vlan = {vlan}")));
        self.v4.into_iter().for_each(|net| say(format!("subnet = \"{net}\"")));
        if self.v6 {
            say(format!("subnet6 = \"fd00:{:x}::/64\"", self.block));
        }
        self.gateway4().into_iter().for_each(|gateway| say(format!("gateway = \"{gateway}\"")));
        self.gateway6().into_iter().for_each(|gateway| say(format!("gateway6 = \"{gateway}\"")));
        text + &self.lines
    }
}
