//! The provisioner's servers of files: nginx's configuration as nginx itself prints it, and the TFTP servers' defaults
//! as the shell of their init scripts reads them.

use std::path::PathBuf;

use super::{SaidOfEach, each};
use crate::agreement::facts::{Facts, Said};
use crate::agreement::namespace::script;
use crate::agreement::tree::Tree;

pub(crate) fn read(trees: &[Tree]) -> SaidOfEach {
    let files = |file: &str| trees.iter().map(|tree| vec![tree.path(file)]).collect::<Vec<Vec<PathBuf>>>();
    let nginx = script("nginx", NGINX, &files("site/pxe/nginx.conf"));
    let mut nginx = nginx.split(";;\n").skip(1);
    let tftp = ["tftpd-hpa", "atftpd"].map(|name| {
        let said = script("sh", TFTPD, &files(&format!("site/pxe/{name}.default")));
        said.lines().map(|line| line.split(' ').map(str::to_owned).collect::<Vec<_>>()).collect::<Vec<_>>()
    });
    let mut said = each(trees, |_| web(nginx.next().unwrap()));
    for (at, said) in said.iter_mut().enumerate() {
        said.push(tftpd_hpa(&tftp[0][at]));
        said.push(atftpd(&tftp[1][at]));
    }
    said
}

/// The addresses that it listens on are there for the while; of users, the namespace has root alone.
const NGINX: &str = r#"
ip link set lo up
for dir in /run /var/log /var/lib/nginx; do mount -t tmpfs none "$dir" || exit 1; done
mkdir -p /var/log/nginx /run/pxe-health
for file; do
  echo ";;"
  for address in $(sed -n 's/^ *listen \([0-9.]*\):.*/\1/p' "$file"); do
    case $address in 127.*) ;; *) ip address replace "$address/32" dev lo ;; esac
  done
  sed 's/^user .*/user root;/' "$file" >/run/nginx.conf
  nginx -T -q -c /run/nginx.conf || { cat "$file" >&2; exit 1; }
done"#;

const TFTPD: &str = r#"for file; do (. "$file"; echo $TFTP_ADDRESS $TFTP_DIRECTORY $OPTIONS); done"#;

fn web(conf: &str) -> Said {
    let mut facts = Facts::default();
    let mut location = "";
    for line in conf.lines().map(str::trim) {
        let words: Vec<&str> = line.trim_end_matches(';').split_whitespace().collect();
        match words.as_slice() {
            ["location", "/boot/", "{"] => location = "/boot/",
            ["}"] => location = "",
            ["listen", address, ..] => facts.add("site", "HTTP server", address),
            ["alias", dir] if location == "/boot/" => {
                facts.add("site", "web root", dir.trim_end_matches('/'));
            }
            _ => {}
        }
    }
    Said { source: "site/pxe/nginx.conf", kinds: &["HTTP server", "web root"], facts }
}

const OF_TFTP: &[&str] = &["TFTP server", "TFTP root"];

fn tftpd_hpa(words: &[String]) -> Said {
    let mut facts = Facts::default();
    let [address, dir] = words else { panic!("{words:?}") };
    facts.add("site", "TFTP server", address.strip_suffix(":69").unwrap());
    facts.add("site", "TFTP root", dir);
    Said { source: "site/pxe/tftpd-hpa.default", kinds: OF_TFTP, facts }
}

fn atftpd(words: &[String]) -> Said {
    let mut facts = Facts::default();
    let [first, address, .., dir] = words else { panic!("{words:?}") };
    assert_eq!(first, "--bind-address");
    facts.add("site", "TFTP server", address);
    facts.add("site", "TFTP root", dir);
    Said { source: "site/pxe/atftpd.default", kinds: OF_TFTP, facts }
}
