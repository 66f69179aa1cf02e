//! A mail server for tests: takes every mail and keeps it, or refuses one command as it was told to.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A server on a free port of this machine, in plain text.
pub(crate) struct SmtpStub {
    port: u16,
    mails: Arc<Mutex<Vec<String>>>,
}

impl SmtpStub {
    /// Starts a server. What starts with the first text is answered with the second, in which
    /// `{line}` is the line that was received; an empty pair refuses nothing.
    pub(crate) fn refusing(command: &'static str, reply: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&mails);
        thread::spawn(move || {
            for stream in listener.incoming() {
                converse(stream.unwrap(), (command, reply), &kept);
            }
        });
        Self { port, mails }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Returns the mails so far: the commands of the envelope, then the mail as it came.
    pub(crate) fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap().clone()
    }
}

/// Whoever hangs up in the middle ends the conversation.
fn converse(mut stream: TcpStream, (command, reply): (&str, &str), mails: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut envelope = String::new();
    let mut say = move |text: &str| write!(stream, "{text}\r\n").unwrap_or_default();
    say("220 stub");
    while let Some(Ok(line)) = lines.next() {
        if !command.is_empty() && line.starts_with(command) {
            say(&reply.replace("{line}", &line));
            continue;
        }
        match line.split(' ').next().unwrap_or_default() {
            "EHLO" => say("250-stub\r\n250-8BITMIME\r\n250 AUTH PLAIN"),
            "AUTH" => say("235 welcome"),
            "DATA" => {
                say("354 go on");
                let data = lines.by_ref().map_while(Result::ok).take_while(|line| line != ".");
                let data: Vec<String> = data.collect();
                mails.lock().unwrap().push(format!("{envelope}{}", data.join("\n")));
                say("250 kept");
            }
            "QUIT" => return say("221 bye"),
            _ => {
                envelope.push_str(&format!("{line}\n"));
                say("250 fine");
            }
        }
    }
}
