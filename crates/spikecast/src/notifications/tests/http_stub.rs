//! A web server for tests: gives the answers it was told to give, one connection after the other,
//! the last one again and again, and keeps what it was asked.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A server on a free port of this machine.
pub(crate) struct HttpStub {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl HttpStub {
    /// Starts a server with these answers: status line, header lines (each with its end), body. A
    /// body `{path}` is what a framework says that does not know the path.
    pub(crate) fn answering(answers: &[(&'static str, &'static str, &'static str)]) -> Self {
        let answers = answers.to_vec();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let request = read_request(&mut stream);
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                log.lock().unwrap().push(request);
                let (status, headers, body) = answers[number.min(answers.len() - 1)];
                let body = body.replace("{path}", &path);
                let length = body.len();
                write!(
                    stream,
                    "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\
                     Connection: close\r\n\r\n{body}"
                )
                .unwrap();
            }
        });
        Self { port, asked }
    }

    /// Returns scheme, host and port.
    pub(crate) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the requests so far: head and body as they came.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut chunk = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
            });
            if head.len() + 4 + length.unwrap_or(0) <= request.len() {
                return text;
            }
        }
        match stream.read(&mut chunk).unwrap() {
            0 => return text,
            count => request.extend_from_slice(&chunk[..count]),
        }
    }
}
