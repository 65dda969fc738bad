//! A machine to run servers on: namespaces with the provisioner's address, its own `/run`, `/var/lib` and `/var/log`,
//! and no process left when it ends. Without rights, the user is root in namespaces of their own.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use plasmagen::outputs;
use plasmagen::plan::Plan;
use test_kit::process::{is_root, unshare_as_root};
use test_kit::{plan, repository, run};

/// The rendered files of the inventory in `dir` that lie in `site/pxe/`, in a directory, with what they are made from.
pub(crate) fn pxe(dir: &Path) -> (Plan, tempfile::TempDir) {
    let plan = plan(dir);
    let files = tempfile::tempdir().unwrap();
    for artifact in outputs::render(&plan).unwrap().iter() {
        let Some(name) = artifact.path.as_str().strip_prefix("site/pxe/") else { continue };
        let mut text = String::from_utf8(artifact.body.clone()).unwrap();
        if !is_root() {
            // The one user that there is.
            text = text.replace("user www-data;", "user root;");
        }
        fs::write(files.path().join(name), text).unwrap();
    }
    (plan, files)
}

/// What a server has answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The lines of the header.
    pub(crate) header: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The value of a line of the header.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.header.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A shell script that runs on such a machine, and what it has fetched.
pub(crate) struct Machine {
    pub(crate) dir: PathBuf,
    base: String,
    script: String,
    requests: usize,
}

impl Machine {
    /// A machine with the address of the reference's provisioner, where `files` is the working directory.
    pub(crate) fn new(plan: &Plan, files: &Path) -> Self {
        let provisioner = &plan.cluster.provisioner;
        let script = format!(
            "ip link set lo up && ip addr add {}/32 dev lo\n\
             for dir in /run /var/lib /var/log /srv; do mount -t tmpfs -o mode=755 tmpfs $dir; done\n\
             mkdir -p /run/pxe-health /var/lib/nginx /var/log/nginx {}\n\
             root={} PATH=$PATH:/usr/sbin:/sbin\n",
            provisioner.home.address, provisioner.web_root, provisioner.web_root,
        );
        let base = format!("http://{}:{}", provisioner.home.address, provisioner.http_port);
        Self { dir: files.to_owned(), base, script, requests: 0 }
    }

    /// Adds lines to the script.
    pub(crate) fn run(&mut self, lines: &str) {
        self.script += lines;
        self.script += "\n";
    }

    /// Starts nginx with the rendered file.
    pub(crate) fn start_nginx(&mut self) {
        self.run("nginx -c $PWD/nginx.conf -g 'daemon on;'");
    }

    /// Asks for `path` as it stands, with further `options` of curl's.
    pub(crate) fn ask(&mut self, path: &str, options: &str) {
        let n = self.requests;
        self.requests += 1;
        let url = format!("{}{path}", self.base);
        writeln!(
            self.script,
            "curl -sS --path-as-is -D header{n} -o body{n} {options} '{url}' || echo failed >header{n}"
        )
        .unwrap();
    }

    /// Fetches `url` by TFTP, with further `options`; the status is 200 where that went well.
    pub(crate) fn tftp(&mut self, path: &str, options: &str) {
        let n = self.requests;
        self.requests += 1;
        let host = self.base.rsplit_once(':').map(|(url, _)| url.replace("http:", "tftp:")).unwrap();
        writeln!(
            self.script,
            "if curl -sS --path-as-is --max-time 10 -o body{n} {options} '{host}/{path}'; \
             then echo 'TFTP 200' >header{n}; else echo 'TFTP 404' >header{n}; fi"
        )
        .unwrap();
    }

    /// Runs the script to its end, which ends every server.
    pub(crate) fn go(self) -> Vec<Reply> {
        let output = isolated(&self.script, &self.dir);
        assert!(output.status.success(), "{output:#?}\n{}", self.script);
        let reply = |n: usize| {
            let header = fs::read_to_string(self.dir.join(format!("header{n}"))).unwrap();
            let status = header.split(' ').nth(1).and_then(|word| word.trim().parse().ok());
            let status = status.unwrap_or_else(|| panic!("request {n} had no answer: {output:#?}"));
            Reply { status, header, body: fs::read(self.dir.join(format!("body{n}"))).unwrap_or_default() }
        };
        (0..self.requests).map(reply).collect()
    }
}

/// Runs a shell script in namespaces of its own.
pub(crate) fn isolated(script: &str, dir: &Path) -> Output {
    let namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child"];
    let mut command = unshare_as_root(&namespaces);
    run("util-linux", command.args(["sh", "-euc", script]).current_dir(dir))
}

/// The reference's rendered files.
pub(crate) fn reference() -> (Plan, tempfile::TempDir) {
    pxe(repository())
}
