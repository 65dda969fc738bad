//! Programs under strace(1): which system calls a run makes, and what is left when one of them kills the run or fails.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::process::{feed, lossy};

/// The signal of [`Call::kill`].
pub const SIGKILL: i32 = 9;

/// What a traced run left.
#[derive(Debug)]
pub struct Traced {
    /// Exit status, standard output and standard error.
    pub output: Output,
    /// strace's log: process id and call, one a line.
    pub log: String,
}

/// A system call of a run.
#[derive(Clone, Debug)]
pub struct Call {
    /// The name of the system call.
    pub name: String,
    /// Which call of this name it was, from 1.
    pub nth: usize,
    /// The call with arguments and result, as strace prints it.
    pub line: String,
}

impl fmt::Display for Call {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.name, self.nth)
    }
}

impl Call {
    /// The options with which strace kills a run at this call.
    pub fn kill(&self) -> Vec<String> {
        self.inject("signal=KILL")
    }

    /// The options with which strace lets this call fail with `error`.
    pub fn fail(&self, error: &str) -> Vec<String> {
        self.inject(&format!("error={error}"))
    }

    fn inject(&self, fault: &str) -> Vec<String> {
        let Self { name, nth, .. } = self;
        inject(name, fault, *nth)
    }
}

/// The options with which strace injects `fault` into the `nth` call of `name`.
pub fn inject(name: &str, fault: &str, nth: usize) -> Vec<String> {
    ["-e", &format!("trace={name}"), "-e", &format!("inject={name}:{fault}:when={nth}")]
        .map(str::to_owned)
        .to_vec()
}

/// The calls in a log, in their order.
pub fn calls(log: &str) -> Vec<Call> {
    let mut counts = BTreeMap::<&str, usize>::new();
    let mut calls = Vec::new();
    for line in log.lines().filter_map(|line| Some(line.split_once(' ')?.1.trim_start())) {
        let Some((name, _)) = line.split_once('(') else { continue };
        let count = counts.entry(name).or_default();
        *count += 1;
        calls.push(Call { name: name.to_owned(), nth: *count, line: line.to_owned() });
    }
    calls.retain(|call| !THREADS.contains(&call.name.as_str()));
    calls
}

/// The calls in a log from the first that names `root`: before that, the loader of programs is at work.
pub fn calls_since(log: &str, root: &Path) -> Vec<Call> {
    let root = root.to_str().unwrap();
    calls(log).into_iter().skip_while(|call| !call.line.contains(root)).collect()
}

/// The calls that start a thread.
const THREADS: [&str; 2] = ["clone", "clone3"];

/// Runs `program` under strace with `options`, on one thread, so that the Nth call of a name is always the same one.
/// `strace` is a command for strace with the environment and the directory that the program is to have.
///
/// strace counts the calls of each thread by itself. So it lets every attempt to start one fail, with the error after
/// which the caller goes on without: rayon takes ENOSYS for a machine without threads, the harness of Rust's tests
/// takes EAGAIN for a machine that has no more.
pub fn strace<S: AsRef<str>>(
    mut strace: Command,
    options: &[S],
    program: &mut Command,
    input: &[u8],
) -> Traced {
    let log = tempfile::NamedTempFile::new().unwrap();
    strace.args(["-f", "-qq", "-o"]).arg(log.path());
    for option in options.iter().map(AsRef::as_ref) {
        match option.strip_prefix("trace=") {
            Some(names) => strace.arg(format!("trace={names},{}", THREADS.join(","))),
            None => strace.arg(option),
        };
    }
    let is_test = Path::new(program.get_program()) == std::env::current_exe().unwrap();
    let error = if is_test { "EAGAIN" } else { "ENOSYS" };
    strace.args(["-e", &format!("inject={}:error={error}", THREADS.join(","))]);
    strace.arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        strace.env(name, value.unwrap_or_default());
    }
    let output = feed("strace", &mut strace, input);
    let log = fs::read_to_string(log.path()).unwrap();
    let first = log.split(' ').next().unwrap_or_default();
    let alone = log.lines().all(|line| line.split(' ').next() == Some(first));
    assert!(alone, "more than one thread: {}{log}", lossy(&output.stderr));
    Traced { output, log }
}
