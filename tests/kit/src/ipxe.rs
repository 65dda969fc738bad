//! What becomes of a machine that runs a script of iPXE's: `||`, `&&` and `goto` as src/core/exec.c and
//! src/image/script.c have them.

/// The command that `script` ends with: an `exit`, or the first of those that `leaves` names which succeeds. `succeeds`
/// says which commands do.
pub fn end(script: &str, leaves: impl Fn(&str) -> bool, succeeds: impl Fn(&str) -> bool) -> String {
    let lines: Vec<&str> = script.lines().collect();
    let (mut at, mut steps) = (0, 0);
    while let Some(line) = lines.get(at) {
        at += 1;
        steps += 1;
        assert!(steps < 100, "the script goes round in circles");
        if line.starts_with('#') || line.starts_with(':') {
            continue;
        }
        let (mut good, mut operator) = (true, ";");
        for part in line.split_inclusive(" ||").flat_map(|part| part.split_inclusive(" &&")) {
            let command = part.trim_end_matches(" ||").trim_end_matches(" &&").trim();
            if operator == ";" || (operator == "||") != good {
                if let Some(label) = command.strip_prefix("goto ") {
                    at = lines.iter().position(|line| *line == format!(":{label}")).unwrap();
                    good = true;
                } else {
                    good = succeeds(command);
                    if command.starts_with("exit ") || (leaves(command) && good) {
                        return command.to_owned();
                    }
                }
            }
            operator = if part.ends_with("||") { "||" } else { "&&" };
        }
        // Nothing after `||`: a failure does not matter.
        assert!(good || operator == "||", "`{line}` ends the script with an error");
    }
    panic!("the script ends without a decision");
}
