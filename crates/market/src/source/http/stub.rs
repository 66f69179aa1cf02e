//! A server for tests: says what it was told to say, one connection after the other, and keeps
//! what it was asked. It understands nothing.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use super::{HttpAccess, HttpSettings, Now};
use crate::source::budget::{BudgetLimits, SharedBudget};

/// What to do with a connection after the request was read.
#[derive(Clone, Debug)]
pub(crate) enum Canned {
    /// Say this and hang up.
    Say(Vec<u8>),
    /// Say this and stay silent until the other side hangs up.
    Hold(Vec<u8>),
    /// Say this, and then a space every now and then, so many times.
    Trickle(Vec<u8>, usize),
}

/// Between the spaces of a trickle.
const NOW_AND_THEN: Duration = Duration::from_millis(50);

/// Returns a whole response.
pub(crate) fn say(status: &str, content_type: &str, body: &[u8]) -> Canned {
    said(status, &format!("Content-Type: {content_type}\r\n"), body)
}

pub(crate) fn json(body: &str) -> Canned {
    say("200 OK", "application/json", body.as_bytes())
}

/// Returns a response with these further header lines.
pub(crate) fn said(status: &str, headers: &str, body: &[u8]) -> Canned {
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    Canned::Say(bytes)
}

/// A server on a free port of this machine.
#[derive(Debug)]
pub(crate) struct Stub {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    pub(crate) fn saying(answers: Vec<Canned>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let request = read_request(&mut stream);
                log.lock().unwrap().push(request);
                match answer {
                    Canned::Say(bytes) => stream.write_all(&bytes).unwrap(),
                    Canned::Hold(bytes) => {
                        stream.write_all(&bytes).unwrap();
                        stream.read_to_end(&mut Vec::new()).unwrap_or_default();
                    }
                    Canned::Trickle(bytes, spaces) => trickle(&mut stream, &bytes, spaces),
                }
            }
        });
        Self { port, asked }
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the requests so far: head and body as they came.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Returns the request lines so far, without the version.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |request: &String| request.lines().next().unwrap().replace(" HTTP/1.1", "");
        self.asked().iter().map(line).collect()
    }
}

/// Nothing more is said by the other side, so that reading is waiting; until it hangs up.
fn trickle(stream: &mut TcpStream, bytes: &[u8], spaces: usize) {
    stream.set_read_timeout(Some(NOW_AND_THEN)).unwrap();
    stream.write_all(bytes).unwrap();
    for _ in 0..spaces {
        let is_over = stream.read(&mut [0; 1]).is_ok() || stream.write_all(b" ").is_err();
        if is_over {
            return;
        }
    }
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut chunk = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
            });
            if length.unwrap_or(0) <= body.len() {
                return text;
            }
        }
        match stream.read(&mut chunk).unwrap() {
            0 => return text,
            count => request.extend_from_slice(&chunk[..count]),
        }
    }
}

/// A clock that a test sets.
#[derive(Clone, Debug)]
pub(crate) struct TestClock(Arc<Mutex<Timestamp>>);

impl TestClock {
    pub(crate) fn at(instant: &str) -> Self {
        Self(Arc::new(Mutex::new(instant.parse().unwrap())))
    }

    pub(crate) fn set(&self, instant: &str) {
        *self.0.lock().unwrap() = instant.parse().unwrap();
    }

    pub(crate) fn now(&self) -> Now {
        let clock = self.clone();
        Now::new(move || *clock.0.lock().unwrap())
    }
}

/// Returns access with a generous budget and time limits for tests.
pub(crate) fn access(clock: &TestClock) -> HttpAccess {
    let limits = BudgetLimits { requests_per_minute: 100, bytes_per_hour: 1_000_000_000 };
    access_within(clock, limits, Duration::from_secs(30))
}

pub(crate) fn access_within(
    clock: &TestClock,
    limits: BudgetLimits,
    request_timeout: Duration,
) -> HttpAccess {
    let settings = HttpSettings { request_timeout, ..HttpSettings::default() };
    HttpAccess::new(settings, SharedBudget::new(limits), clock.now()).unwrap()
}
