//! Programs that tests run. A missing one fails the test and names its Debian package: nothing is skipped.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// Runs `command`, a program of the Debian package `package`.
pub fn run(package: &str, command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| missing(package, command, &error))
}

/// Starts `command`, a program of the Debian package `package`.
pub fn spawn(package: &str, command: &mut Command) -> Child {
    command.spawn().unwrap_or_else(|error| missing(package, command, &error))
}

/// Runs `command`, a program of the Debian package `package`, with `input` on its standard input.
pub fn feed(package: &str, command: &mut Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = spawn(package, command);
    // A program that is killed early leaves the pipe broken.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn missing(package: &str, command: &Command, error: &std::io::Error) -> ! {
    let program = command.get_program().display();
    panic!("{program} does not run ({error}): install the Debian package {package}, as tests/run does")
}

/// The seconds of processor time of this process and of the children that have ended, in hundredths (proc(5): `utime`, `stime`,
/// `cutime` and `cstime`).
pub fn cpu_time() -> std::io::Result<f64> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    // The name of the program, in parentheses, may hold spaces.
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let ticks: u32 = fields.skip(11).take(4).filter_map(|field| field.parse::<u32>().ok()).sum();
    Ok(f64::from(ticks) / 100.0)
}

/// A process of this test binary that runs the ignored test `test`: the body of a child that a test traces or kills.
pub fn child_test(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", test, "--quiet", "--nocapture", "--test-threads=1"]);
    command
}

/// `unshare` for the namespaces `flags`, in which whoever runs the tests is root of a user namespace.
pub fn unshare(flags: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.arg("--map-root-user").args(flags);
    command
}

/// `unshare` for the namespaces `flags`, in which root stays root, with all users; others are root of a user namespace.
pub fn unshare_as_root(flags: &[&str]) -> Command {
    if !is_root() {
        return unshare(flags);
    }
    let mut command = Command::new("unshare");
    command.args(flags);
    command
}

/// Whether root runs the tests.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Bytes as text.
pub fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Everything that a program printed.
pub fn printed(output: &Output) -> String {
    lossy(&output.stdout) + &lossy(&output.stderr)
}

/// Words for a shell, each as it stands.
pub fn shell_words(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted =
        words.map(|word| format!("'{}'", Path::new(word).display().to_string().replace('\'', r"'\''")));
    quoted.collect::<Vec<_>>().join(" ")
}
