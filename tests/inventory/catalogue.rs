//! The catalogue of rules: the table in `src/rules/table.rs`, the pages in `docs/rules/`, and the tests that prove the rules
//! which `plasmagen check` does not check. Which of the others have fixtures, `rejects.rs` and `certificates/` say.

use std::collections::BTreeSet;
use std::fs;

use plasmagen::rules::{Enforcement, RULES, Rule};
use walkdir::WalkDir;

/// Which tests prove a rule: every rule that is kept outside of `check`, and rules of which `check` sees a part only. A
/// test is named by its function, and by the stem of its file where several files have such a function.
#[rustfmt::skip]
const PROOFS: &[(&str, &[&str])] = &[
    ("PG-B09", &[
        "serials::a_changed_record_raises_the_serial_numbers_of_its_zones_alone",
        "serials::serial_numbers_go_round",
    ]),
    ("PG-E04", &[
        "redfish::a_machine_boots_from_the_network_once_whatever_the_bmc_wants",
        "redfish::an_override_that_stays_is_told_and_taken_back",
        "ipmi::a_machine_boots_from_the_network_once",
    ]),
    ("PG-F07", &[
        "armed::a_node_is_armed_until_it_is_disarmed",
        "armed::what_could_not_boot_is_not_armed",
        "a_machine_that_is_not_armed_starts_from_its_disk",
    ]),
    ("PG-F08", &[
        "a_machine_that_is_not_armed_starts_from_its_disk",
    ]),
    ("PG-F09", &[
        "every_layout_boots_and_one_root_takes_what_is_left",
    ]),
    ("PG-F11", &[
        "every_layout_boots_and_one_root_takes_what_is_left",
    ]),
    ("PG-F15", &[
        "a_tpm_that_the_first_boot_enrols_opens_the_disk_and_no_other_does",
        "an_encrypted_layout_has_nothing_in_the_clear_but_boot_and_keeps_no_key",
    ]),
    ("PG-F16", &[
        "an_encrypted_layout_has_nothing_in_the_clear_but_boot_and_keeps_no_key",
    ]),
    ("PG-F19", &[
        "what_does_not_fit_is_refused",
        "what_it_says_is_what_it_is",
        "kernel::what_does_not_boot_is_refused_with_the_reason",
    ]),
    ("PG-F22", &[
        "a_machine_that_is_not_armed_starts_from_its_disk",
        "a_bundle_starts_only_what_was_checked",
    ]),
    ("PG-G10", &[
        "an_advertised_port_is_open_to_the_cluster_alone",
        "both_languages_open_the_same",
    ]),
    ("PG-G14", &[
        "a_formed_cluster_is_only_ever_joined",
    ]),
    ("PG-H01", &[
        "both_dates_belong_to_the_life_and_a_leaf_never_outlives_its_ca",
    ]),
    ("PG-H03", &[
        "a_committed_ca_without_its_key_is_refused",
        "keys_without_a_ca_are_refused",
        "half_a_ca_or_a_mixed_one_is_refused",
        "certificates_without_their_ca",
    ]),
    ("PG-H04", &[
        "a_ca_is_loaded_only_with_its_own_key_and_a_key_is_kept_at_renewal",
        "half_a_ca_and_a_foreign_key_are_refused",
        "the_vault_of_another_ca_is_refused",
    ]),
    ("PG-H05", &[
        "serials_are_random_positive_and_twenty_octets_long",
    ]),
    ("PG-H07", &[
        "the_ca_says_what_it_may_do",
        "a_leaf_says_what_it_may_do",
    ]),
    ("PG-H08", &[
        "who_signed_it_is_known_by_name_key_id_and_signature",
    ]),
    ("PG-H09", &[
        "a_name_that_the_ca_may_not_vouch_for",
        "clients_refuse_what_lies_outside_the_constraints",
    ]),
    ("PG-H14", &[
        "vault::modes_do_not_depend_on_the_umask",
        "what_others_can_read_is_not_used",
        "the_nix_store_is_refused",
        "output_and_served_directories_are_refused",
        "a_flake_anywhere_above_is_refused",
        "a_planted_vault_is_refused",
        "keys_do_not_go_into_git",
        "symbolic_links_hide_nothing",
        "no_setting_names_a_file_in_the_store",
    ]),
    ("PG-H15", &[
        "nothing_prints_a_key",
        "no_byte_of_a_key_leaves_the_vault",
        "a_private_key_is_refused_and_never_shown",
    ]),
    ("PG-H17", &[
        "both_dates_belong_to_the_life_and_a_leaf_never_outlives_its_ca",
    ]),
    ("PG-I01", &[
        "every_template_keeps_the_rules",
        "what_the_rules_accept_every_output_says_and_nix_reads_back",
        "no_way_round_the_dialect",
    ]),
    ("PG-I02", &[
        "a_path_cannot_leave_its_tree",
        "one_path_belongs_to_one_output",
        "refuses_paths_that_cannot_be_written",
        "a_directory_replaced_by_a_link_is_not_followed",
    ]),
    ("PG-I03", &[
        "both_trees_hold_exactly_the_artifacts_and_their_manifests",
        "killed_at_any_call_both_trees_are_whole_and_the_next_run_makes_them_agree",
    ]),
    ("PG-I04", &[
        "the_same_inventory_gives_the_same_bytes",
        "cases_render_as_expected",
        "same_artifacts_same_bytes",
        "trees::modes_do_not_depend_on_the_umask",
    ]),
    ("PG-I05", &[
        "a_directory_that_is_not_ours_is_refused_even_when_edits_are_discarded",
        "things_that_are_not_ours_are_reported",
        "a_modified_file_is_reported_and_only_discarded_on_request",
    ]),
    ("PG-I06", &[
        "a_directory_replaced_by_a_link_is_not_followed",
        "a_tree_or_state_that_is_no_directory_is_refused",
        "symbolic_links_hide_nothing",
    ]),
    ("PG-I07", &[
        "opens_the_ports_of_the_model_and_no_other",
        "both_languages_open_the_same",
        "packets_come_in_where_nft_lets_them",
        "packets_come_in_where_iptables_lets_them",
    ]),
    ("PG-I08", &[
        "opens_the_ports_of_the_model_and_no_other",
        "loads_as_one_for_both_families",
        "loads_as_one_of_its_family",
        "both_languages_open_the_same",
        "nft::strings_read_back",
        "iptables::strings_read_back",
    ]),
    ("PG-I09", &[
        "nothing_but_the_web_root_is_served",
        "nginx::nothing_is_written",
        "nginx::strings_read_back",
    ]),
    ("PG-I10", &[
        "every_script_that_writes_has_the_guard_before_the_first_write",
        "no_byte_of_a_disk_changes_where_the_guard_refuses",
    ]),
    ("PG-I11", &[
        "what_the_rules_accept_every_output_says_and_nix_reads_back",
        "nix_evaluates_the_model",
    ]),
    ("PG-I12", &[
        "dhcp::strings_read_back",
        "dhcp::bare_words_read_back",
        "dnsmasq::strings_read_back",
    ]),
    ("PG-I13", &[
        "gnu_cpio_unpacks_each_overlay_to_the_facts_of_its_node",
        "threads_change_no_byte",
        "gnu_cpio_and_bsdtar_unpack_the_tree",
        "neither_copies_nor_threads_change_a_byte",
        "entry::paths_stay_inside",
    ]),
    ("PG-I14", &[
        "what_it_says_is_what_it_is",
        "sha256sum_checks_what_is_published",
        "a_bundle_that_differs_in_one_byte_is_rejected_by_verify",
    ]),
    ("PG-I15", &[
        "generations_rise_and_the_one_before_stays",
        "an_older_generation_and_an_expired_one_are_told_of",
        "killed_at_any_call_a_machine_finds_the_old_or_the_new",
        "a_machine_finds_all_of_a_bundle_and_all_of_a_site_at_any_moment",
    ]),
    ("PG-J01", &["a_gate_fails_for_the_classes_that_it_names_and_prints_everything"]),
    ("PG-J02", &["a_gate_fails_for_the_classes_that_it_names_and_prints_everything"]),
];

fn is_later(rule: &Rule) -> bool {
    matches!(rule.enforcement, Enforcement::Later(_))
}

fn is_elsewhere(rule: &Rule) -> bool {
    matches!(rule.enforcement, Enforcement::Elsewhere(_))
}

#[test]
fn every_rule_has_a_page_and_every_page_a_rule() {
    let pages =
        fs::read_dir("docs/rules").unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let named: BTreeSet<String> =
        pages.filter_map(|page| page.strip_suffix(".md").map(str::to_owned)).collect();
    let rules = RULES.iter().map(|rule| rule.code.to_owned());
    assert_eq!(named, rules.chain(["README".to_owned()]).collect());
}

#[test]
fn a_page_has_the_title_of_the_table_an_incident_and_a_fix() {
    for rule in RULES {
        assert!(rule.page.starts_with(&format!("# {}: {}\n", rule.code, rule.title)), "{}", rule.code);
        assert!(rule.page.contains("\n## The incident\n"), "{}", rule.code);
        assert!(rule.page.contains("\n## The fix\n"), "{}", rule.code);
        // A fence stands on a line of its own, and an example in TOML can be pasted.
        let blocks: Vec<&str> = rule.page.split("```").collect();
        assert_eq!(blocks.len() % 2, 1, "{}: a block is not closed", rule.code);
        for block in blocks.iter().filter_map(|block| block.strip_prefix("toml\n")) {
            let sound = block.ends_with('\n') && block.parse::<toml::Table>().is_ok();
            assert!(sound, "{}: {block}", rule.code);
        }
    }
}

#[test]
fn a_page_says_where_the_rule_is_checked_if_not_by_check() {
    for rule in RULES {
        let place = rule.page.split_once("\n## Where it is checked\n").map(|(_, text)| text.trim_start());
        assert!(place.is_some() || !(is_elsewhere(rule) || is_later(rule)), "{}", rule.code);
        let later = place.is_some_and(|text| text.starts_with("Nowhere yet: "));
        assert_eq!(later, is_later(rule), "{}: only rules that are not enforced yet say so", rule.code);
    }
}

#[test]
fn every_rule_that_check_does_not_see_is_proved_by_tests() {
    let mut files = Vec::new();
    for entry in ["src", "tests"].into_iter().flat_map(|dir| WalkDir::new(dir).into_iter()) {
        let path = entry.unwrap().into_path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            files.push((stem, fs::read_to_string(path).unwrap()));
        }
    }
    for (code, tests) in PROOFS {
        let rule = plasmagen::rules::find(code).unwrap();
        assert!(!is_later(rule), "{code} is not enforced yet");
        for test in *tests {
            let (file, function) =
                test.split_once("::").map_or((None, *test), |(file, name)| (Some(file), name));
            let function = format!("#[test]\nfn {function}(");
            let in_file = |stem: &str| file.is_none_or(|file| file == stem);
            let found = files
                .iter()
                .any(|(stem, text)| in_file(stem) && text.replace("\n    ", "\n").contains(&function));
            assert!(found, "{code}: there is no test {test}");
        }
    }
    let proved: BTreeSet<&str> = PROOFS.iter().map(|(code, _)| *code).collect();
    assert_eq!(proved.len(), PROOFS.len(), "a rule has two rows");
    for rule in RULES.iter().filter(|rule| is_elsewhere(rule)) {
        assert!(proved.contains(rule.code), "no test proves {}", rule.code);
    }
}
