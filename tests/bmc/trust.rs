//! Certificates of BMCs: the password goes only to a BMC that shows the known one.

use crate::bench::{Bench, as_it_is, find};

#[test]
fn a_certificate_is_recorded_by_somebody_who_has_compared_it() {
    let mut bench = Bench::new(as_it_is);
    bench.redfish("node01", "");
    bench
        .power("status node01")
        .power("trust node01")
        .power(&format!("trust node01 --fingerprint sha256:{}", "0".repeat(64)));
    bench.power("status node01");
    bench.shell(
        "echo no | script -qec \"$plasmagen power trust node01 --vault vault\" /dev/null >said-no || true",
    );
    bench.shell("test ! -e vault/bmc/node01.certificate");
    bench.shell("echo y | script -qec \"$plasmagen power trust node01 --vault vault\" /dev/null >said-yes");
    bench
        .shell("stat -c %a vault/bmc/node01.certificate >mode")
        .power("trust node01")
        .power("status node01")
        .power("trust node04");
    let played = bench.play();
    played.runs[0]
        .ends(1, &["failed: the certificate of its BMC is not known yet. Look at it with: plasmagen power trust node01"]);
    played.runs[1].ends(
        1,
        &[
            "sha256:",
            "nothing was recorded: compare the fingerprint",
            "plasmagen power trust node01 --fingerprint sha256:",
        ],
    );
    played.runs[2].ends(1, &["shows another certificate"]);
    played.runs[3].ends(1, &["not known yet"]);
    played.runs[4].ends(0, &["the vault has this certificate"]);
    played.runs[5].ends(0, &["off"]);
    played.runs[6].ends(2, &["the BMC of node04 speaks IPMI"]);
    assert!(played.read("said-no").contains("nothing was recorded"));
    assert!(played.read("said-yes").contains("recorded as the certificate"), "{}", played.read("said-yes"));
    assert_eq!(played.read("mode"), "600\n");
    // Looking at the certificate sends nothing.
    let first = played.log("node01");
    assert_eq!(first.len(), 3, "{first:#?}");
}

#[test]
fn another_certificate_is_refused_with_both_fingerprints() {
    let mut bench = Bench::new(as_it_is);
    bench.certificate("other", &["-newkey", "rsa:2048"]);
    bench.redfish("node01", "").trust("node01").power("on node01");
    bench
        .shell("kill -9 $node01; wait $node01 2>/dev/null || true; rm -f node01/log")
        .redfish_with("node01", "other", "");
    bench.power("off node01").power("trust node01");
    bench.shell("cp node01/log before-trust 2>/dev/null || : >before-trust");
    bench.shell("for name in idrac other; do openssl x509 -in $name.pem -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr A-F a-f; done >sums");
    let played = bench.play();
    let sums: Vec<_> = played.read("sums").lines().map(|sum| format!("sha256:{sum}")).collect();
    let words =
        [sums[0].as_str(), sums[1].as_str(), "Nothing was sent to it", "plasmagen power trust node01"];
    played.runs[1].ends(1, &words);
    played.runs[2].ends(1, &[&sums[1], &format!("instead of {}", sums[0])]);
    assert_eq!(played.read("before-trust"), "");
}

#[test]
fn the_inventory_may_name_the_certificate_or_its_ca() {
    let with = |node: &'static str, certificate: &'static str| {
        move |text: &str| {
            let old = format!("password_file = \"bmc/{node}\", protocol");
            text.replace(
                &old,
                &format!("password_file = \"bmc/{node}\", certificate = \"{certificate}\", protocol"),
            )
        }
    };
    let mut bench = Bench::new(|text| {
        ["node01", "node02", "node03"]
            .into_iter()
            .fold(text.to_owned(), |text, node| with(node, "ca/bmc.pem")(&text))
    });
    make_ca(&bench);
    bench.shell("mkdir ca; cp authority.pem ca/bmc.pem");
    // By the name of the BMC, by its address, and for another machine.
    bench
        .redfish_with("node01", "named", "")
        .redfish_with("node02", "numbered", "")
        .redfish_with("node03", "named", "");
    bench
        .power("on node01 node02 node03")
        .power("trust node01")
        .shell("cp idrac.pem ca/bmc.pem")
        .power("status node01");
    bench
        .shell("echo nonsense >ca/bmc.pem")
        .power("status node01")
        .shell("rm ca/bmc.pem")
        .power("status node01");
    bench.shell("sed -i \"s/ca\\/bmc.pem/sha256:$(openssl x509 -in named.pem -outform der | sha256sum | cut -d' ' -f1)/\" inventory.toml");
    bench.power("status node01 node02").power("trust node01").power("trust node02");
    let played = bench.play();
    played.runs[0].ends(
        1,
        &[
            "node03  10.0.10.52  failed: the CA of the BMC's `certificate` does not vouch for the BMC",
            "NotValidForName",
        ],
    );
    assert_eq!(
        (played.boots("node01").len(), played.boots("node02").len(), played.log("node03").len()),
        (1, 1, 0)
    );
    played.runs[1].ends(2, &["the inventory names the CA in ca/bmc.pem"]);
    played.runs[2].ends(1, &["does not vouch for the BMC", "UnknownIssuer"]);
    played.runs[3].ends(1, &["there is no certificate (PEM)"]);
    played.runs[4].ends(1, &["could not read the CA of the BMC"]);
    played.runs[5]
        .ends(1, &["node01  10.0.10.50  on", "node02  10.0.10.51  failed: the certificate of the BMC"]);
    played.runs[6].ends(0, &["this is the certificate of node01 in the inventory"]);
    played.runs[7].ends(1, &["the inventory says another one"]);
}

/// A request for a certificate of a month, with a key of P-256.
const REQUEST: [&str; 9] =
    ["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "30"];

/// A CA, authority.pem, and certificates that it has signed: named.pem for the name of node01's BMC, numbered.pem for the
/// address of node02's.
fn make_ca(bench: &Bench) {
    let request = |name: &str, more: &[&str]| {
        let [key, certificate] = ["key", "pem"].map(|extension| format!("{name}.{extension}"));
        bench.openssl(&[&REQUEST, more, &["-keyout", &key, "-out", &certificate]].concat());
    };
    request("authority", &["-subj", "/CN=authority"]);
    for (name, alternative) in
        [("named", "DNS:node01-bmc.example.com".to_owned()), ("numbered", format!("IP:{}", find("node02").0))]
    {
        let alternative = format!("subjectAltName={alternative}");
        let signed = ["-subj", "/CN=bmc", "-CA", "authority.pem", "-CAkey", "authority.key"];
        let extensions = ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", &alternative];
        request(name, &[&signed[..], &extensions].concat());
    }
}

/// The words for a BMC whose TLS is older than ours name the way out.
#[test]
fn tls_that_is_too_old_is_told() {
    let mut bench = Bench::new(as_it_is);
    bench.certificate("rsa", &["-newkey", "rsa:2048"]);
    bench.certificate("short", &["-newkey", "rsa:1024"]);
    let server = |bench: &mut Bench, node: &str, certificate: &str, options: &str| {
        let (address, _) = find(node);
        bench.shell(&format!(
            "openssl s_server -quiet -www -accept {address}:443 -cert {certificate}.pem -key {certificate}.key {options} >/dev/null 2>&1 & wait_tcp {address} 443"
        ));
        bench.shell(&format!("openssl x509 -in {certificate}.pem -outform der | sha256sum | sed 's/^/sha256:/; s/ .*//' >vault/bmc/{node}.certificate; chmod 600 vault/bmc/{node}.certificate"));
    };
    server(&mut bench, "node01", "rsa", "-tls1_2 -cipher AES128-GCM-SHA256");
    server(&mut bench, "node02", "rsa", "-tls1_2 -cipher ECDHE-RSA-AES128-SHA");
    server(&mut bench, "node03", "short", "-cipher DEFAULT@SECLEVEL=0");
    bench.power("status node01 node02 node03");
    let played = bench.play();
    let run = played.runs[0].ends(1, &[]);
    assert_eq!(run.stdout.matches("its TLS is older than what plasmagen speaks").count(), 3, "{run:#?}");
    run.ends(1, &["protocol = \"ipmi\""]);
}
