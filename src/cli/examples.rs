//! Examples of command lines for the manual. A test parses each of them.

/// An example of a command line.
pub(super) struct Example {
    /// The command line.
    pub(super) line: &'static str,
    /// The effect of the command line, as a sentence.
    pub(super) effect: &'static str,
}

/// Finds the examples for the manual page `page`, such as `plasmagen-certs-status`: those of the command and of its
/// subcommands.
pub(super) fn list_examples(page: &str) -> impl Iterator<Item = &'static Example> {
    let words = page.replace('-', " ");
    EXAMPLES.iter().filter(move |example| {
        let rest = example.line.strip_prefix(&words);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    })
}

const fn example(line: &'static str, effect: &'static str) -> Example {
    Example { line, effect }
}

/// All examples: those of a command stand together.
const EXAMPLES: &[Example] = &[
    example(
        "plasmagen init mysite --admin-key ~/.ssh/id_ed25519.pub",
        "Starts a site in the new directory mysite, on whose nodes this key may log in as root.",
    ),
    example("plasmagen check", "Checks ./inventory.toml and the certificates in nodes/."),
    example(
        "plasmagen check --deny-warnings --format github",
        "Fails on warnings too, and prints annotations for a workflow of GitHub.",
    ),
    example("plasmagen show", "Prints a table of all nodes."),
    example("plasmagen show node01 --format json", "Prints the resolved values of node01 for a program."),
    example(
        "plasmagen explain PG-C13",
        "Prints what the rule protects, the incident behind it, and the fix.",
    ),
    example(
        "plasmagen node add --profile worker",
        "Adds a node with the next name and the next free addresses of the profile's ranges.",
    ),
    example(
        "plasmagen node add worker[10-15] --profile worker --rack r2 --dry-run",
        "Prints the tables of six nodes, and writes nothing.",
    ),
    example(
        "plasmagen node add node06 --profile worker --mac 3c:ec:ef:00:00:06 --serial SN0006 --disk \
         /dev/disk/by-id/nvme-EXAMPLE_6_1",
        "Adds a node whose machine is at hand.",
    ),
    example(
        "plasmagen node remove node06",
        "Removes the table of node06, and notes that its name is not given again.",
    ),
    example(
        "plasmagen node replace node02 --mac 3c:ec:ef:00:00:12 --serial SN0012 --disk /dev/disk/by-id/nvme-EXAMPLE_12_1",
        "Writes the facts of another machine into the table of node02.",
    ),
    example("plasmagen node list --format csv", "Prints all nodes as CSV, with a column for each key."),
    example(
        "plasmagen network add storage --role cluster --subnet 10.0.60.0/24 --vlan 60 --range \
         worker=10.0.60.20-10.0.60.99",
        "Adds a network, and prints what else it needs.",
    ),
    example("plasmagen import csv nodes.csv", "Prints the tables of the nodes in a spreadsheet."),
    example(
        "plasmagen import csv nodes.csv --facts node06.toml --write",
        "Adds the nodes of a spreadsheet, with what the installer has printed of one of the machines.",
    ),
    example(
        "plasmagen import facts node06.toml --as node06 --profile worker --write",
        "Adds the machine whose facts the installer has printed.",
    ),
    example("plasmagen render", "Writes nodes/ and site/, and issues the certificates that are missing."),
    example(
        "plasmagen render --check",
        "Writes nothing. Prints a diff and exits with status 1 when nodes/ or site/ is stale.",
    ),
    example(
        "plasmagen render --install-anew node01,node02",
        "Lets the names on the disks of two nodes change, which are installed anew before their next rebuild.",
    ),
    example(
        "plasmagen diff",
        "Prints what the next rollout does to each machine: what was rendered last, beside ./inventory.toml.",
    ),
    example("plasmagen diff --since main", "Compares with the inventory of the branch main."),
    example(
        "plasmagen diff --live node01",
        "Asks node01 over ssh what it runs, and compares that with what was rendered.",
    ),
    example("plasmagen diff --order", "Prints the steps that carry the change out, with their commands."),
    example(
        "plasmagen diff --since main --format markdown --fail-on data,quorum",
        "Prints a table for a pull request, and exits with status 1 if data or a majority is lost.",
    ),
    example(
        "plasmagen certs status",
        "Prints until when each certificate is valid, and which command is next for it.",
    ),
    example(
        "plasmagen certs status --fail-within 30d",
        "Exits with status 1 where a certificate ends within 30 days, as a nightly job of CI does.",
    ),
    example("plasmagen certs renew", "Renews the certificates that are in the last third of their life."),
    example(
        "plasmagen certs renew node01 --new-key",
        "Issues a certificate for a new key of node01, and puts the old key aside.",
    ),
    example("plasmagen certs revoked", "Prints which certificates were revoked, and why."),
    example(
        "plasmagen certs rotate begin",
        "Publishes a new CA beside the old one: the first of three steps that replace the CA.",
    ),
    example("plasmagen certs rotate issue", "Issues all certificates by the new CA."),
    example(
        "plasmagen certs rotate finish --deployed",
        "Removes the old CA, which no machine needs any more.",
    ),
    example("plasmagen certs rotate cancel", "Removes a new CA that has signed nothing yet."),
    example("plasmagen certs rotate status", "Prints which step is next, and why."),
    example(
        "plasmagen secrets stage node01 --to /run/stage-node01",
        "Puts the key of node01 into a new directory for nixos-anywhere --extra-files.",
    ),
    example(
        "plasmagen secrets encrypt --to secrets",
        "Encrypts the keys of all nodes to the recipients of the inventory, for agenix.",
    ),
    example("plasmagen vault status", "Prints what the vault holds, and whether that matches nodes/."),
    example("plasmagen vault verify", "Reads every key in the vault, and prints what is wrong."),
    example("plasmagen keys status", "Prints which admin key opens which nodes and installers."),
    example(
        "plasmagen keys make node01",
        "Makes an SSH host key for node01, which will be installed again, and publishes the public half.",
    ),
    example(
        "plasmagen keys adopt node01 --host-key node01.pub",
        "Writes the host key that node01 has into nodes/ and site/known_hosts.",
    ),
    example(
        "plasmagen vault backup --to vault.age",
        "Encrypts the whole vault to the recipients of the inventory, into a file that may be committed.",
    ),
    example(
        "plasmagen vault restore vault.age --identity ~/.ssh/id_ed25519",
        "Makes the vault anew from a backup that this SSH key decrypts.",
    ),
    example(
        "plasmagen bundle --base worker --kernel bzImage --initrd initrd --init /init --out result-worker",
        "Makes a bundle of a kernel and an initrd.",
    ),
    example(
        "plasmagen bundle --base worker --kernel bzImage --root rootfs --init /init --out result-worker",
        "Makes the initrd from the directory rootfs.",
    ),
    example(
        "plasmagen sign result-worker --key ~/boot-ca/signer.key",
        "Signs a bundle and the rendered site for iPXE, with the certificate that the inventory names.",
    ),
    example(
        "plasmagen sign result-worker --ssh-key ~/.ssh/id_ed25519",
        "Signs the manifest of a bundle with an SSH key.",
    ),
    example(
        "plasmagen publish result-control-plane result-worker",
        "Publishes two bundles and the rendered site into the web root that the inventory names.",
    ),
    example(
        "plasmagen publish --sign ~/.ssh/id_ed25519.pub",
        "Publishes the site, signed by a key that ssh-agent holds.",
    ),
    example(
        "plasmagen publish --rollback worker",
        "Publishes the bundle for the base worker that was current before, under a new number.",
    ),
    example("plasmagen publish --remove worker", "Removes all bundles for the base worker."),
    example("plasmagen power status node01 node02", "Asks the BMCs of two nodes whether the machines run."),
    example(
        "plasmagen power trust node01",
        "Shows the fingerprint of the certificate of node01's BMC, and records it if you say so.",
    ),
    example("plasmagen power pxe node01", "Has node01 boot from the network once, now."),
    example(
        "plasmagen power sol node01",
        "Shows the serial console of node01, until you type ~. at the beginning of a line.",
    ),
    example(
        "plasmagen power on node01 node02",
        "Switches two nodes on, whose serial numbers are compared before.",
    ),
    example(
        "plasmagen power off node01",
        "Switches node01 off at once, without asking its operating system.",
    ),
    example("plasmagen power cycle node01 --yes", "Switches node01 off and on, without a question."),
    example(
        "plasmagen verify /var/lib/pxe-boot",
        "Compares every file of the web root with what was published.",
    ),
    example(
        "plasmagen verify /var/lib/pxe-boot --signers allowed_signers --min-generation 42",
        "Also asks for signatures, and for a generation that is not older than the 42nd.",
    ),
    example("plasmagen arm node01", "Lets node01 boot the installer."),
    example("plasmagen disarm node01", "Lets node01 boot from its disk again."),
    example("plasmagen armed", "Prints which nodes are armed."),
    example("plasmagen lab", "Boots one machine of each class in QEMU, behind the real servers."),
    example("plasmagen lab --all --dhcp dnsmasq", "Boots every node, behind dnsmasq."),
    example("plasmagen schema", "Prints the JSON Schema of inventories."),
    example("plasmagen completions bash", "Prints the completions for bash."),
    example("plasmagen man --out /usr/local/share/man/man1", "Installs the manual."),
];
