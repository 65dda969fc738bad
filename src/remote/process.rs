//! A process with an input, whose output and time are limited.

use std::io::{self, Read, Write};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// The most bytes of error messages that are kept.
const MOST_ERRORS: usize = 16 << 10;

/// The limits of a process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The time after which the process is killed.
    pub(super) deadline: Duration,
    /// The most bytes that it may print.
    pub(super) most: usize,
}

/// How a process ended.
pub(super) enum Ended {
    /// It exited; the status is none where a signal ended it.
    Exited {
        /// The exit status.
        status: Option<i32>,
        /// The output of the process.
        output: Vec<u8>,
        /// The beginning of its error messages.
        errors: Vec<u8>,
    },
    /// It was killed, since its time was over.
    TooSlow,
    /// It was killed, since it printed too much.
    TooMuch,
}

/// The bytes that a thread has read from one of the pipes.
enum Piece {
    Output(Option<Vec<u8>>),
    Errors(Vec<u8>),
}

/// Runs `command` with `input`.
///
/// # Errors
/// When the process cannot be started or waited for.
pub(super) fn run(command: &mut Command, input: &[u8], limits: Limits) -> io::Result<Ended> {
    let mut child = command.spawn()?;
    let (sender, pieces) = channel();
    start_threads(&mut child, input, limits.most, &sender);
    drop(sender);
    let ended = collect(&pieces, limits);
    if !matches!(ended, Ended::Exited { .. }) {
        // The process may have ended meanwhile.
        let _ = child.kill();
    }
    let status = child.wait()?.code();
    Ok(match ended {
        Ended::Exited { output, errors, .. } => Ended::Exited { status, output, errors },
        other => other,
    })
}

/// Starts a thread for each pipe of `child`: none may wait for another.
fn start_threads(child: &mut Child, input: &[u8], most: usize, sender: &Sender<Piece>) {
    if let Some(mut pipe) = child.stdin.take() {
        let input = input.to_owned();
        // A process that ends early leaves the pipe broken.
        thread::spawn(move || drop(pipe.write_all(&input)));
    }
    if let Some(pipe) = child.stdout.take() {
        let sender = sender.clone();
        thread::spawn(move || sender.send(Piece::Output(read_within(pipe, most))));
    }
    if let Some(mut pipe) = child.stderr.take() {
        let sender = sender.clone();
        thread::spawn(move || {
            let mut errors = Vec::new();
            let _ = pipe.by_ref().take(MOST_ERRORS as u64).read_to_end(&mut errors);
            // The rest is read and dropped: a full pipe would stop the process.
            let _ = io::copy(&mut pipe, &mut io::sink());
            sender.send(Piece::Errors(errors))
        });
    }
}

/// Reads `pipe` to its end; none where there are more than `most` bytes.
fn read_within(pipe: impl Read, most: usize) -> Option<Vec<u8>> {
    let mut output = Vec::new();
    let read = pipe.take(most as u64 + 1).read_to_end(&mut output);
    (read.is_ok() && output.len() <= most).then_some(output)
}

/// Waits for both pipes to end. The deadline counts for each of them: a script has twice the time at most.
fn collect(pieces: &Receiver<Piece>, limits: Limits) -> Ended {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    loop {
        match pieces.recv_timeout(limits.deadline) {
            Ok(Piece::Output(None)) => return Ended::TooMuch,
            Ok(Piece::Output(Some(read))) => output = read,
            Ok(Piece::Errors(read)) => errors = read,
            Err(RecvTimeoutError::Timeout) => return Ended::TooSlow,
            Err(RecvTimeoutError::Disconnected) => return Ended::Exited { status: None, output, errors },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    fn run_shell(script: &str, seconds: u64, most: usize) -> Ended {
        let limits = Limits { deadline: Duration::from_secs(seconds), most };
        let mut shell = Command::new("sh");
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        run(&mut shell, script.as_bytes(), limits).unwrap()
    }

    #[test]
    fn output_errors_and_status_are_kept() {
        let Ended::Exited { status, output, errors } = run_shell("echo out; echo err >&2; exit 3", 60, 10)
        else {
            panic!("it exits")
        };
        assert_eq!((status, &output[..], &errors[..]), (Some(3), &b"out\n"[..], &b"err\n"[..]));
    }

    #[test]
    fn a_process_that_is_slow_or_prints_without_end_is_killed() {
        assert!(matches!(run_shell("exec sleep 1000", 1, 10), Ended::TooSlow));
        assert!(matches!(run_shell("exec yes", 60, 1000), Ended::TooMuch));
        let errors =
            "i=0; while [ $i -lt 5000 ]; do echo many bytes of an error message >&2; i=$((i+1)); done";
        let Ended::Exited { errors, .. } = run_shell(errors, 60, 10) else { panic!("it exits") };
        assert_eq!(errors.len(), MOST_ERRORS);
    }
}
