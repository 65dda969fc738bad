//! Second opinions: DMTF's own client at the same BMC, and OpenStack's emulator of a BMC.

use crate::bench::{Bench, PASSWORD, as_it_is, find};

/// DMTF's client reads what plasmagen has set, and plasmagen reads what DMTF's client has set.
#[test]
fn dmtf_and_plasmagen_read_what_the_other_has_set() {
    let mut bench = Bench::new(as_it_is);
    bench.redfish("node01", "ETAG=required ONCE=ignored").trust("node01");
    let (address, _) = find("node01");
    let login = format!("-u admin -p {PASSWORD} -r https://{address}");
    bench.shell(&format!("$bmc/python3 $bmc/rf_boot_override.py {login} --target Pxe --mode UEFI >dmtf-set 2>&1 || (cat dmtf-set; false)"));
    bench.power("status node01");
    bench.shell(&format!(
        "$bmc/python3 $bmc/rf_power_reset.py {login} -t On >dmtf-on 2>&1 || (cat dmtf-on; false)"
    ));
    bench.power("status node01").power("off node01").power("pxe node01");
    bench.shell(&format!(
        "$bmc/python3 $bmc/rf_boot_override.py {login} --info >dmtf-info 2>&1 || (cat dmtf-info; false)"
    ));
    bench.shell(&format!(
        "$bmc/python3 $bmc/rf_power_reset.py {login} --info >dmtf-power 2>&1 || (cat dmtf-power; false)"
    ));
    let played = bench.play();
    played.runs[0].ends(0, &["off    network, once"]);
    played.runs[1].ends(0, &["on     network, once"]);
    played.runs[2].ends(0, &["switched off"]);
    played.runs[3].ends(0, &["booting from the network"]);
    let (boot, power) = (played.read("dmtf-info"), played.read("dmtf-power"));
    for word in ["Pxe", "Once", "UEFI"] {
        assert!(boot.contains(word), "{word}: {boot}");
    }
    assert!(power.contains("power state: On"), "{power}");
    assert_eq!(played.boots("node01").len(), 2);
}

/// sushy-emulator knows no override for one boot: it answers that any override lasts. Everything else works.
#[test]
fn an_emulator_that_knows_lasting_overrides_only_is_refused_to_install_by() {
    // The number of its chassis.
    let mut bench = Bench::new(|text| text.replace("CN7475139H0023", "437XR1138R2"));
    let (address, _) = find("node01");
    bench.shell(&format!(
        r#"
cat >emulator.conf <<END
SUSHY_EMULATOR_LISTEN_IP = '{address}'
SUSHY_EMULATOR_LISTEN_PORT = 443
SUSHY_EMULATOR_SSL_CERT = '$PWD/idrac.pem'
SUSHY_EMULATOR_SSL_KEY = '$PWD/idrac.key'
SUSHY_EMULATOR_AUTH_FILE = '$PWD/htpasswd'
SUSHY_EMULATOR_FAKE_DRIVER = True
SUSHY_EMULATOR_STATE_DIR = '$PWD/emulator'
SUSHY_EMULATOR_FAKE_SYSTEMS = [{{'uuid': '437c7b6e-0000-0000-0000-000000000001', 'name': 'node01', 'power_state': 'Off',
    'external_notifier': False, 'nics': [{{'mac': '52:54:00:12:34:56', 'ip': '10.0.100.50'}}]}}]
END
mkdir emulator
$bmc/python3 -c 'import bcrypt, sys; print("admin:" + bcrypt.hashpw(sys.argv[1].encode(), bcrypt.gensalt(5)).decode())' {PASSWORD} >htpasswd
$bmc/sushy-emulator --fake --config emulator.conf >emulator.log 2>&1 &
wait_tcp {address} 443
"#
    ));
    bench.trust("node01").power("on node01").power("pxe node01").power("status node01").power("off node01");
    let played = bench.play();
    played.runs[0].ends(0, &["on", "same", "switched on"]);
    played.runs[1].ends(1, &["says that this lasts"]);
    played.runs[2].ends(0, &["node01  10.0.10.50  off"]);
    played.runs[3].ends(0, &["was off already"]);
}
