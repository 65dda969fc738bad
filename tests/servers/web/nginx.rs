//! nginx with the reference's file serves a small web root.

use crate::web::kit::{Machine, Reply, reference};

/// A web root with two bundles, the older one `current`, and things that nobody is to have.
const TREE: &str = r#"
umask 022
mkdir -p $root/site/aa/ipxe/node $root/site/aa/overlay $root/site/bb $root/armed $root/tftp $root/nixos/worker/aa/deep $root/nixos/worker/bb $root/outside
echo '#!ipxe' >$root/site/aa/ipxe/boot.ipxe
printf overlay >$root/site/aa/overlay/a.cpio.gz
echo '<p>' >$root/site/aa/index.html
ln -s aa $root/site/current
ln -s site/current/ipxe $root/ipxe
echo armed >$root/armed/52-54-00-12-34-56
printf loader >$root/tftp/ipxe.efi
printf kernel-a >$root/nixos/worker/aa/bzImage
printf 0123456789 >$root/nixos/worker/aa/initrd
printf kernel-b >$root/nixos/worker/bb/bzImage
echo '#!ipxe bundle' >$root/nixos/worker/aa/boot.ipxe
ln -s aa $root/nixos/worker/current
echo secret >$root/.hidden
mkdir $root/.git && echo secret >$root/.git/config
echo secret >/var/lib/secret
ln -s /var/lib/secret $root/site/aa/ipxe/leak
ln -s /var/lib $root/site/aa/ipxe/up
ln -s ../../../../secret $root/nixos/worker/aa/leak
ln -s site/aa/ipxe/boot.ipxe $root/inside
mkdir -p $root/nixos/broken && ln -s current $root/nixos/broken/current
"#;

fn machine(files: &tempfile::TempDir, plan: &plasmagen::plan::Plan) -> Machine {
    let mut machine = Machine::new(plan, files.path());
    machine.run(TREE);
    machine.start_nginx();
    machine
}

/// Asks for each of `paths`.
fn ask(paths: &[&str], options: &str) -> Vec<Reply> {
    let (plan, files) = reference();
    let mut machine = machine(&files, &plan);
    for path in paths {
        machine.ask(path, options);
    }
    machine.go()
}

#[test]
fn the_urls_of_the_runbook_are_served() {
    let cases = [
        ("/boot/ipxe/boot.ipxe", "#!ipxe\n", "text/plain"),
        ("//boot//ipxe//boot.ipxe", "#!ipxe\n", "text/plain"),
        ("/boot/ipxe/../ipxe/boot.ipxe", "#!ipxe\n", "text/plain"),
        ("/boot/overlay/a.cpio.gz", "overlay", "application/octet-stream"),
        ("/boot/index.html", "<p>\n", "text/html"),
        ("/boot/armed/52-54-00-12-34-56", "armed\n", "application/octet-stream"),
        ("/boot/tftp/ipxe.efi", "loader", "application/efi"),
        ("/boot/nixos/worker/bzImage", "kernel-a", "application/octet-stream"),
        ("/boot/nixos/worker/initrd", "0123456789", "application/octet-stream"),
        ("/boot/nixos/worker/current/bzImage", "kernel-a", "application/octet-stream"),
        ("/boot/nixos/worker/current/boot.ipxe", "#!ipxe bundle\n", "text/plain"),
        ("/boot/nixos/worker/current/../aa/bzImage", "kernel-a", "application/octet-stream"),
        ("/boot/nixos/worker/bb/bzImage", "kernel-b", "application/octet-stream"),
    ];
    let replies = ask(&cases.map(|case| case.0), "");
    for ((path, body, kind), reply) in cases.iter().zip(replies) {
        assert_eq!((reply.status, reply.text().as_str()), (200, *body), "{path}");
        assert_eq!(reply.field("Content-Type"), Some(*kind), "{path}");
        let cached = if path.contains("/armed/") { "no-store" } else { "no-cache" };
        assert_eq!(reply.field("Cache-Control"), Some(cached), "{path}");
        assert_eq!(reply.field("Server"), Some("nginx"), "{path}");
    }
}

#[test]
fn nothing_but_the_web_root_is_served() {
    let cases = [
        ("/", 404),
        ("/index.html", 404),
        ("/boot", 404),
        ("/boot../secret", 404),
        ("/boot../pxe-boot/ipxe/boot.ipxe", 404),
        ("/boot/../secret", 404),
        ("/boot/../../etc/passwd", 400),
        ("/boot/%2e%2e/secret", 404),
        ("/boot/%2e%2e/%2e%2e/etc/passwd", 400),
        ("/boot/..%2fsecret", 404),
        ("/boot/ipxe/..%2f..%2f..%2fetc/passwd", 400),
        ("/boot//../secret", 404),
        ("/boot/%252e%252e/secret", 404),
        ("/boot/..\\secret", 404),
        ("/boot/armed../secret", 404),
        ("/boot/armed/../../secret", 404),
        ("/boot/nixos/worker/current/../../../../secret", 404),
        ("/boot/nixos/worker/current/..", 403),
        ("/boot/ipxe/boot.ipxe%00.html", 400),
        ("/boot/.hidden", 404),
        ("/boot/%2ehidden", 404),
        ("/boot/.git/config", 404),
        ("/boot/nixos/worker/current/.hidden", 404),
        // Symbolic links that are no `current`.
        ("/boot/ipxe/leak", 403),
        ("/boot/ipxe/up/secret", 404),
        ("/boot/inside", 403),
        ("/boot/nixos/worker/current/leak", 403),
        ("/boot/nixos/worker/aa/leak", 403),
        ("/boot/nixos/broken/current/bzImage", 403),
        // Directories are not listed.
        ("/boot/", 403),
        ("/boot/ipxe/", 403),
        ("/boot/armed/", 403),
        ("/boot/nixos/worker/current/", 404),
        ("/boot/nixos/worker/aa/", 403),
        // Not armed; not there.
        ("/boot/armed/52-54-00-12-34-57", 404),
        ("/boot/nixos/nobody/bzImage", 404),
        ("/boot/nixos/worker/current/missing", 404),
        // What is served as /health only.
        ("/unhealthy", 404),
        ("/healthy.json", 404),
        ("/boot/healthy.json", 404),
    ];
    let replies = ask(&cases.map(|case| case.0), "");
    for ((path, status), reply) in cases.iter().zip(replies) {
        assert_eq!(reply.status, *status, "{path}: {}", reply.text());
        for word in ["secret", "root:", "#!ipxe", "kernel", "bzImage", "boot.ipxe"] {
            assert!(!reply.text().contains(word), "{path}: {}", reply.text());
        }
        if path.starts_with("/boot/armed/5") {
            assert_eq!(reply.field("Cache-Control"), Some("no-store"), "{path}");
        }
    }
}

#[test]
fn nothing_is_written() {
    let paths = ["/boot/ipxe/boot.ipxe", "/boot/armed/new", "/boot/nixos/worker/bzImage", "/health", "/"];
    let methods =
        ["-X PUT -d x", "-X DELETE", "-X POST -d x", "-X PATCH", "-X OPTIONS", "-X MKCOL", "-X MOVE"];
    for options in methods {
        for (path, reply) in paths.iter().zip(ask(&paths, options)) {
            assert_eq!(reply.status, 405, "{options} {path}");
        }
    }
    let (plan, files) = reference();
    let mut machine = machine(&files, &plan);
    machine.ask("/boot/armed/new", "-X PUT -d x");
    machine.ask("/boot/ipxe/boot.ipxe", "-X DELETE");
    machine.run("test ! -e $root/armed/new && test -e $root/ipxe/boot.ipxe");
    machine.ask("/boot/nixos/worker/initrd", "--head");
    // A body of any length makes no file.
    machine.run("head -c 9000000 /dev/zero >large");
    machine.ask("/boot/ipxe/boot.ipxe", "-X GET -H 'Expect:' --data-binary @large");
    machine.run("test -z \"$(find /var/lib/nginx -type f)\"");
    let replies = machine.go();
    assert_eq!(replies[2].status, 200);
    assert_eq!(
        (replies[2].field("Content-Length"), replies[2].text().as_str()),
        (Some("10"), replies[2].header.as_str())
    );
    assert_eq!(replies[3].status, 413);
}

#[test]
fn a_download_goes_on_where_it_broke_off() {
    let (plan, files) = reference();
    let mut machine = machine(&files, &plan);
    let initrd = "/boot/nixos/worker/initrd";
    machine.ask(initrd, "-H 'Range: bytes=4-'");
    machine.ask(initrd, "-H 'Range: bytes=99-'");
    machine.ask(initrd, "");
    machine.run("etag=$(sed -n 's/^ETag: \\([^\\r]*\\).*/\\1/p' header2 | tr -d '\\r')");
    machine.ask(initrd, "-H \"If-None-Match: $etag\"");
    machine.ask(initrd, "-H \"If-Range: $etag\" -H 'Range: bytes=8-'");
    // Another bundle is current: the next request gets it whole, though half of the other one is there.
    machine.run("printf abcdefghijkl >$root/nixos/worker/bb/initrd");
    machine.run("ln -s bb $root/nixos/worker/new && mv -T $root/nixos/worker/new $root/nixos/worker/current");
    machine.ask(initrd, "-H \"If-Range: $etag\" -H 'Range: bytes=8-'");
    machine.ask("/boot/nixos/worker/bzImage", "");
    machine.ask("/boot/nixos/worker/aa/bzImage", "");
    let replies = machine.go();
    let said: Vec<_> = replies.iter().map(|reply| (reply.status, reply.text())).collect();
    assert_eq!(said[0], (206, "456789".to_owned()));
    assert_eq!(replies[0].field("Content-Range"), Some("bytes 4-9/10"));
    assert_eq!(said[1].0, 416);
    assert_eq!(said[2], (200, "0123456789".to_owned()));
    assert_eq!(said[3], (304, String::new()));
    assert_eq!(said[4], (206, "89".to_owned()));
    assert_eq!(said[5], (200, "abcdefghijkl".to_owned()));
    assert_eq!(said[6], (200, "kernel-b".to_owned()));
    assert_eq!(said[7], (200, "kernel-a".to_owned()));
}

#[test]
fn health_is_what_was_measured_last() {
    let (plan, files) = reference();
    let mut machine = machine(&files, &plan);
    machine.ask("/health", "");
    machine.run("echo '{\"status\":\"healthy\"}' >/run/pxe-health/healthy.json");
    machine.ask("/health", "");
    machine.ask("/health", "--head");
    machine.run("echo '{\"status\":\"unhealthy\"}' >/run/pxe-health/unhealthy.json");
    machine.run("rm /run/pxe-health/healthy.json");
    machine.ask("/health", "");
    machine.ask("/health/", "");
    // The loopback address answers too, as the runbook has it.
    machine.run("curl -s http://127.0.0.1:8080/health >local || true; grep unhealthy local");
    let replies = machine.go();
    let said: Vec<_> = replies.iter().map(|reply| (reply.status, reply.text())).collect();
    assert_eq!(said[0], (503, "{\"status\":\"unknown\"}\n".to_owned()));
    assert_eq!(said[1], (200, "{\"status\":\"healthy\"}\n".to_owned()));
    assert_eq!(said[2].0, 200);
    assert_eq!(said[3], (503, "{\"status\":\"unhealthy\"}\n".to_owned()));
    assert_eq!(said[4].0, 404);
    for reply in &replies[..4] {
        assert_eq!(reply.field("Content-Type"), Some("application/json"));
        assert_eq!(reply.field("Cache-Control"), Some("no-store"));
    }
}

/// A thousand machines at once: each holds its connection until all are there.
#[test]
fn a_rack_that_is_switched_on_is_served() {
    let (plan, files) = reference();
    let mut machine = machine(&files, &plan);
    machine.run("head -c 60000 /dev/zero >$root/nixos/worker/bb/large");
    machine.run("for n in $(seq 250); do echo url=http://10.0.100.10:8080/boot/nixos/worker/bb/large; echo output=/dev/null; done >urls");
    machine.run(
        "pids=; for n in 1 2 3 4; do curl -sS -Z --parallel-max 250 --parallel-immediate --limit-rate 40k -w '%{http_code} %{size_download}\\n' -K urls >said$n & pids=\"$pids $!\"; done",
    );
    machine.run("for pid in $pids; do wait $pid; done; cat said1 said2 said3 said4 >said");
    // Where the tests run, raising the limit and giving up groups may take rights that they do not have.
    machine.run("grep -v -e RLIMIT_NOFILE -e initgroups /var/log/nginx/error.log >error.log || true");
    machine.run("cp /var/log/nginx/access.log . && test -s /run/nginx.pid");
    let dir = machine.dir.clone();
    machine.go();
    let said = std::fs::read_to_string(dir.join("said")).unwrap();
    assert_eq!(said.matches("200 60000\n").count(), 1000, "{said}");
    assert_eq!(std::fs::read_to_string(dir.join("error.log")).unwrap(), "");
    // Who has loaded what, when and with what.
    let log = std::fs::read_to_string(dir.join("access.log")).unwrap();
    let line = log.lines().next().unwrap();
    let words: Vec<_> = line.split(' ').collect();
    assert!(words[0].parse::<f64>().unwrap() > 1e9, "{line}");
    assert_eq!(words[1..7].join(" "), "10.0.100.10 \"GET /boot/nixos/worker/bb/large HTTP/1.1\" 200 60000");
    assert!(words[8].starts_with("\"curl/"), "{line}");
}
