//! The archive in a bucket, against a real S3-compatible server over HTTP: moto, from PyPI.
//! Skipped where `moto_server` is neither on the path nor in `target/s3/bin`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use jiff::civil::date;

use super::*;

/// The server, killed with the test.
struct Server {
    process: Child,
    endpoint: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap_or_default();
        self.process.wait().unwrap();
    }
}

/// Starts a server on a port of its own choice, and waits for it to say which.
fn server() -> Option<Server> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/s3/bin/moto_server");
    for program in [beside, PathBuf::from("moto_server")] {
        let mut command = Command::new(&program);
        command.args(["--host", "127.0.0.1", "--port", "0"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let Ok(mut process) = command.spawn() else { continue };
        let mut lines =
            BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        while let Some(line) = lines.next() {
            if let Some((_, address)) = line.split_once("Running on ") {
                let endpoint = address.split_whitespace().next().unwrap().to_owned();
                // It logs every request, and would wait for a reader.
                std::thread::spawn(move || lines.for_each(drop));
                return Some(Server { process, endpoint });
            }
        }
        process.kill().unwrap_or_default();
    }
    eprintln!(
        "skipped: no moto_server; python3 -m venv target/s3 && target/s3/bin/pip install 'moto[server]'"
    );
    None
}

fn options(server: &Server) -> StoreOptions {
    let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    StoreOptions::new([
        option("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        option("AWS_SECRET_ACCESS_KEY", "hunter2hunter2"),
        option("AWS_REGION", "us-east-1"),
        option("AWS_ENDPOINT", &server.endpoint),
        option("AWS_ALLOW_HTTP", "true"),
    ])
}

fn location(server: &Server) -> ArchiveLocation {
    ArchiveLocation::parse("s3://market/archive", options(server)).unwrap()
}

/// Makes a bucket: a plain PUT, whose signature the server does not check.
fn make_bucket(server: &Server) {
    let address = server.endpoint.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    let credential = "AWS4-HMAC-SHA256 Credential=x/20240819/us-east-1/s3/aws4_request";
    write!(
        connection,
        "PUT /market HTTP/1.1\r\nHost: {address}\r\nAuthorization: {credential}\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut response = String::new();
    connection.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
}

#[test]
fn an_archive_in_a_bucket_is_an_archive() {
    let Some(server) = server() else { return };
    let error = Archive::open(&location(&server)).unwrap_err();
    assert!(matches!(error, ArchiveError::NoBucket { .. }), "{error:?}");
    make_bucket(&server);
    let archive = Archive::open(&location(&server)).unwrap();
    let debug = format!("{archive:?}").to_lowercase();
    assert!(debug.contains("market") && !debug.contains("hunter2"), "{debug}");
    let observations = [day(date(2024, 8, 19), 20.0), day(date(2024, 8, 20), 40.0)];
    for (hour, observations) in (0..).zip(&observations) {
        let fetched_at = format!("2024-08-20T0{hour}:00:00Z");
        archive.commit(&batch(&key(), &fetched_at, observations)).unwrap();
    }
    let other = Archive::open(&location(&server)).unwrap();
    assert_eq!(loaded(&other, Timestamp::MAX).len(), 48);
    assert_eq!(archive.compact(&upkeep("2024-08-22T00:00:00Z")).unwrap().parts_merged, 2);
    assert_eq!(loaded(&archive, Timestamp::MAX), loaded(&other, Timestamp::MAX));
    let verified = other.verify().unwrap();
    assert_eq!((verified.parts, verified.rows, verified.problems.len()), (1, 48, 0));
    assert_eq!(archive.compact(&upkeep("2099-01-01T00:00:00Z")).unwrap().files_removed, 2);
    assert_eq!(archive.verify().unwrap().problems, []);
}

#[test]
fn of_two_writers_to_a_bucket_none_overwrites_the_other() {
    let Some(server) = server() else { return };
    make_bucket(&server);
    std::thread::scope(|scope| {
        for writer in 0..3i8 {
            let server = &server;
            scope.spawn(move || {
                let archive = Archive::open(&location(server)).unwrap();
                for number in 0..5i8 {
                    let observations = day(date(2024, 8, 1 + writer * 5 + number), 20.0);
                    archive.commit(&batch(&key(), "2024-08-20T00:00:00Z", &observations)).unwrap();
                }
            });
        }
    });
    let archive = Archive::open(&location(&server)).unwrap();
    assert_eq!(archive.status().unwrap().commits, 15);
    assert_eq!(loaded(&archive, Timestamp::MAX).len(), 15 * 24);
    assert_eq!(archive.verify().unwrap().problems, []);
}
