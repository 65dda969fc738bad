//! Read back by nginx itself: it serves each value at an address of its own, behind a socket in a directory.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use proptest::prelude::*;
use test_kit::process::spawn;

use crate::dialects::{DIGITS, LOWER, UPPER, calls, print, same, taken, texts};

/// A server that ends with its test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    fn start(dir: &Path) -> Self {
        let mut command = Command::new("/usr/sbin/nginx");
        command.arg("-p").arg(dir).args(["-c", "nginx.conf", "-e", "stderr"]).stderr(Stdio::piped());
        Self(spawn("nginx-light", &mut command))
    }

    /// A connection, once it listens.
    fn connect(&mut self, socket: &Path) -> UnixStream {
        loop {
            if let Ok(stream) = UnixStream::connect(socket) {
                return stream;
            }
            if let Some(status) = self.0.try_wait().unwrap() {
                let mut said = String::new();
                self.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                panic!("nginx ended with {status}: {said}");
            }
            sleep(Duration::from_millis(5));
        }
    }
}

/// What nginx understands by each of `tokens`.
fn read_back(tokens: &[String]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("{name}_temp_path {name};\n"))
        .collect();
    let locations: String = tokens
        .iter()
        .enumerate()
        .map(|(n, token)| format!("location = /{n} {{ return 200 {token}; }}\n"))
        .collect();
    let conf = format!(
        "daemon off; master_process off; pid pid; worker_rlimit_nofile 100;\nevents {{ worker_connections 50; }}\n\
         http {{ access_log off;\n{paths}server {{ listen unix:socket;\n{locations}}} }}\n"
    );
    let socket = dir.path().join("socket");
    fs::write(
        dir.path().join("nginx.conf"),
        conf.replace("unix:socket", &format!("unix:{}", socket.display())),
    )
    .unwrap();
    let mut server = Server::start(dir.path());
    let mut stream = BufReader::new(server.connect(&socket));
    (0..tokens.len()).map(|n| fetch(&mut stream, n)).collect()
}

/// The body that stands at `/n`.
fn fetch(stream: &mut BufReader<UnixStream>, n: usize) -> String {
    write!(stream.get_mut(), "GET /{n} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let (mut length, mut first) = (0, true);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        assert!(!first || line.contains(" 200 "), "{line}");
        first = false;
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

fn sayable(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || "$\"'\\;{}".contains(c))
}

proptest! {
    #![proptest_config(calls(4))]

    #[test]
    fn strings_read_back(texts in texts()) {
        let (said, printed): (Vec<_>, Vec<_>) =
            texts.iter().filter_map(|text| Some((text.as_str(), print("literal.nginx.j2", text)?))).unzip();
        same(&said, texts.iter().filter(|text| sayable(text)))?;
        same(read_back(&printed), said.iter().copied())?;
    }

    #[test]
    fn bare_words_read_back(texts in texts()) {
        let words: Vec<_> = texts.iter().filter_map(|text| print("bare.nginx.j2", text)).collect();
        prop_assert!(words.len() > 20);
        same(read_back(&words), words)?;
    }
}

#[test]
fn what_is_a_bare_word() {
    assert_eq!(taken("bare.nginx.j2", "", "a"), format!("/{DIGITS}{UPPER}_{LOWER}"));
    assert_eq!(taken("bare.nginx.j2", "a", "a"), format!("-./{DIGITS}:{UPPER}_{LOWER}"));
    assert_eq!(print("bare.nginx.j2", ""), None);
    assert_eq!(print("bare.nginx.j2", "aé"), None);
}

#[test]
fn lists_and_numbers() {
    assert_eq!(print("literal.nginx.j2", ["GET", "a b"]).unwrap(), r#""GET" "a b""#);
    assert_eq!(print("literal.nginx.j2", 8080).unwrap(), "8080");
    assert_eq!(print("literal.nginx.j2", Vec::<&str>::new()), None);
    assert_eq!(print("literal.nginx.j2", true), None);
}
