//! A real S3-compatible server for tests: moto, from PyPI. Nothing is started where
//! `moto_server` is neither in `target/s3/bin` nor on the path; `test.sh` installs it there.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The server, killed with the test.
pub(crate) struct Server {
    process: Child,
    pub(crate) endpoint: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap_or_default();
        self.process.wait().unwrap();
    }
}

impl Server {
    /// Starts a server on a port of its own choice, with these variables in its environment, and
    /// waits for it to say which.
    pub(crate) fn start(environment: &[(&str, &str)]) -> Option<Self> {
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/s3/bin/moto_server");
        for program in [beside, PathBuf::from("moto_server")] {
            let mut command = Command::new(&program);
            command.args(["--host", "127.0.0.1", "--port", "0"]).envs(environment.iter().copied());
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
            let Ok(mut process) = command.spawn() else { continue };
            let mut lines =
                BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
            while let Some(line) = lines.next() {
                if let Some((_, address)) = line.split_once("Running on ") {
                    let endpoint = address.split_whitespace().next().unwrap().to_owned();
                    // It logs every request, and would wait for a reader.
                    std::thread::spawn(move || lines.for_each(drop));
                    return Some(Self { process, endpoint });
                }
            }
            process.kill().unwrap_or_default();
            process.wait().unwrap();
        }
        eprintln!("skipped: no moto_server; ./test.sh installs one in target/s3");
        None
    }

    /// Returns the environment of somebody who uses it.
    pub(crate) fn variables(&self) -> [(String, String); 5] {
        [
            ("AWS_ACCESS_KEY_ID", "AKIAHUNTER2HUNTER2"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2hunter2"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ENDPOINT", &self.endpoint),
            ("AWS_ALLOW_HTTP", "true"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    }

    /// Makes a bucket: a plain PUT, whose signature the server does not check.
    pub(crate) fn make_bucket(&self, name: &str) {
        let address = self.endpoint.strip_prefix("http://").unwrap();
        let mut connection = TcpStream::connect(address).unwrap();
        let credential = "AWS4-HMAC-SHA256 Credential=x/20240819/us-east-1/s3/aws4_request";
        write!(
            connection,
            "PUT /{name} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {credential}\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut response = String::new();
        connection.read_to_string(&mut response).unwrap();
        assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    }
}
