//! Random inventories, each of them sound: what an operator might have, of every kind that the inventory can say.

mod network;
mod node;
mod settings;

use crate::dice::Dice;
use network::Net;

/// The inventory with that number.
pub fn inventory(number: u64) -> String {
    let dice = &mut Dice::new(number);
    let domain = dice.pick(&["example.com", "rack1.lab.example.org", "c.example.net"]);
    let mut nets = networks(dice);
    let provisioner = settings::provisioner(dice, &mut nets);
    let profiles = node::profiles(dice, &nets);
    let nodes = node::nodes(dice, &mut nets, &profiles);
    let vips = settings::vips(dice, &mut nets);
    settings::resolvers(dice, &mut nets);
    for net in nets.all.iter_mut().filter(|net| net.roles.contains(&"provisioning")) {
        if dice.chance(70) {
            net.lease(dice);
        }
    }
    let mut text = settings::cluster(dice, domain, &nodes);
    text.push_str(&provisioner);
    text.extend(nets.all.iter().map(Net::toml));
    text.push_str(&vips);
    text.push_str(&settings::services(dice));
    text.push_str(&settings::rest(dice, domain, &nets, &provisioner));
    text.extend(profiles.iter().map(|profile| profile.toml.as_str()));
    text.extend(nodes.iter().map(|node| node.toml.as_str()));
    text
}

/// The networks of a site, and which is for what.
struct Nets {
    all: Vec<Net>,
    /// Those that machines boot in; the first is the provisioner's.
    boot: Vec<usize>,
    /// The one where the cluster meets; it may be the first that they boot in.
    core: usize,
    /// A second cluster network, without a gateway.
    backup: Option<usize>,
    users: Option<usize>,
    management: Option<usize>,
}

impl Nets {
    /// Whether machines boot and meet in one network.
    fn single(&self) -> bool {
        self.boot.contains(&self.core)
    }
}

/// Lengths of subnets that hold every machine, its BMC and the virtual addresses.
const WIDE: [u8; 8] = [16, 21, 22, 23, 24, 24, 25, 26];
/// Lengths of subnets that hold every machine.
const ANY: [u8; 10] = [16, 21, 22, 23, 24, 24, 25, 26, 27, 28];

fn networks(dice: &mut Dice) -> Nets {
    let dual = dice.chance(50);
    let single = dice.chance(20);
    let mut all = Vec::new();
    let mut add = |net: Net| {
        all.push(net);
        all.len() - 1
    };
    let mut add_network = |dice: &mut Dice, name: &str, roles: &[&'static str], block, lengths: &[u8]| {
        let mut net = Net::new(dice, name, roles, block, lengths);
        net.v6 = dual && dice.chance(80);
        if dice.chance(15) {
            net.vlan = None;
        }
        add(net)
    };
    if single {
        let mut roles = vec!["provisioning", "cluster"];
        roles.extend(dice.some(&["management", "client"], 60));
        let managed = roles.contains(&"management");
        let all_in_one = add_network(dice, "lan", &roles, 1, &WIDE);
        let users = None;
        return Nets {
            all,
            boot: vec![all_in_one],
            core: all_in_one,
            backup: None,
            users,
            management: managed.then_some(all_in_one),
        };
    }
    let racks = 1 + dice.below(3);
    let boot =
        (0..racks).map(|rack| add_network(dice, &format!("boot-r{rack}"), &["provisioning"], rack + 1, &ANY));
    let boot: Vec<usize> = boot.collect();
    let core_name = dice.pick(&["core", "production", "2nd"]);
    let core = add_network(dice, core_name, &["cluster"], 10, &ANY);
    let backup = dice.chance(15).then(|| add_network(dice, "backup", &["cluster"], 20, &[24, 27]));
    let users = dice.chance(50).then(|| add_network(dice, "users", &["client"], 30, &ANY));
    let management = dice.chance(60).then(|| add_network(dice, "mgmt", &["management"], 40, &ANY));
    let mut nets = Nets { all, boot, core, backup, users, management };
    nets.all[nets.boot[0]].gateway = nets.boot.len() > 1 || dice.chance(70);
    if let Some(backup) = backup {
        nets.all[backup].gateway = false;
    }
    let core = &mut nets.all[core];
    core.mtu = dice.chance(40).then_some(9000);
    // Its resolver is the provisioner then, who has IPv4 only.
    core.gateway = dice.chance(85);
    if core.v6 && core.gateway && dice.chance(25) {
        core.drop_v4();
    }
    nets
}
