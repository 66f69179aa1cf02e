//! `spikecast simulate serve`, the real binary over real sockets: it speaks as ERCOT's recorded
//! responses and specification do, and goes wrong only as it is told to.

mod faults;
mod formats;
mod reading;
mod serving;
mod specification;

use std::fs;
use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;
use zip::ZipArchive;

use crate::program::Program;

const TOKEN_PATH: &str = "/ercotb2c.onmicrosoft.com/B2C_1_PUBAPI-ROPC-FLOW/oauth2/v2.0/token";
const CREDENTIALS: &str = "grant_type=password&username=desk%40example.com&password=simulated&\
     response_type=id_token&client_id=fec253ea-0d06-4272-a5e6-b478baeecd70";
const KEY: &str = "Ocp-Apim-Subscription-Key: simulated-subscription-key";

/// The folder of ERCOT's real responses and specifications, where it is present.
fn recorded() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/ercot");
    let found = path.join("recorded").is_dir();
    if !found {
        eprintln!("skipped: no recorded responses of ERCOT at {}", path.display());
    }
    found.then_some(path)
}

fn recorded_json(name: &str) -> Option<Value> {
    let text = fs::read_to_string(recorded()?.join(name)).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// A simulated ERCOT that runs as a process of its own, and a client of it.
pub(crate) struct Served {
    child: Child,
    first_line: String,
    pub(crate) address: String,
    token: String,
    _program: Program,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    content_type: String,
    body: Vec<u8>,
}

impl Served {
    /// Serves the world at a market-local time.
    fn at(clock: &str, arguments: &[&str]) -> Self {
        let fixed = ["simulate", "serve", "--clock", clock];
        Self::start(&[&fixed[..], arguments].concat())
    }

    /// Serves it without limits, and with a plan of faults.
    pub(crate) fn with_faults(clock: &str, rules: &str) -> Self {
        let program = Program::new();
        fs::write(program.path("faults.toml"), rules).unwrap();
        let arguments =
            ["simulate", "serve", "--clock", clock, "--no-limits", "--faults", "faults.toml"];
        Self::start_in(program, &arguments)
    }

    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_in(Program::new(), arguments)
    }

    fn start_in(program: Program, arguments: &[&str]) -> Self {
        let mut command = program.command(arguments);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut first_line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first_line).unwrap();
        let address = first_line.split("http://").nth(1).unwrap_or_default();
        let address = address.split([' ', '"']).next().unwrap().to_owned();
        let token = String::new();
        Self { child, first_line, address, token, _program: program }
    }

    /// Signs in; afterwards requests to the Public API are made with credentials.
    fn signed_in(mut self) -> Self {
        let reply = self.request("POST", TOKEN_PATH, &[], CREDENTIALS).unwrap();
        self.token = reply.json()["id_token"].as_str().unwrap().to_owned();
        self
    }

    /// Makes one request on a connection of its own; an error says how the answer broke off.
    pub(crate) fn request(
        &self,
        method: &str,
        target: &str,
        headers: &[&str],
        body: &str,
    ) -> Result<Reply, String> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        self.send(&mut stream, &format!("{method} {target}"), headers, body);
        let mut bytes = Vec::new();
        let ended = stream.read_to_end(&mut bytes);
        let head = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let Some(head) = head else { return Err(format!("no head, {ended:?}")) };
        let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
        let header = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
            line.unwrap_or_default().to_owned()
        };
        let body = bytes[head + 4..].to_vec();
        let length: usize = header("content-length").parse().unwrap();
        if body.len() != length || ended.is_err() {
            return Err(format!("{} of {length} bytes, {ended:?}", body.len()));
        }
        let status = text.split(' ').nth(1).unwrap().parse().unwrap();
        Ok(Reply { status, content_type: header("content-type"), body })
    }

    /// Sends a request, e.g. `GET /admin/requests`.
    fn send(&self, stream: &mut TcpStream, request: &str, headers: &[&str], body: &str) {
        let head = format!("{request} HTTP/1.1\r\nHost: {}\r\nConnection: close", self.address);
        let length = format!("Content-Length: {}", body.len());
        let lines = [&[head.as_str(), length.as_str()], headers].concat().join("\r\n");
        stream.write_all(format!("{lines}\r\n\r\n{body}").as_bytes()).unwrap();
    }

    /// Asks the Public API, with credentials.
    fn api(&self, target: &str) -> Result<Reply, String> {
        let bearer = format!("Authorization: Bearer {}", self.token);
        let target = format!("/api/public-reports{target}");
        self.request("GET", &target, &[KEY, &bearer], "")
    }

    fn post(&self, target: &str, body: &str) -> Reply {
        let bearer = format!("Authorization: Bearer {}", self.token);
        let target = format!("/api/public-reports{target}");
        self.request("POST", &target, &[KEY, &bearer], body).unwrap()
    }

    /// Asks the Public API for JSON, which must come.
    fn json(&self, target: &str) -> Value {
        let reply = self.api(target).unwrap();
        assert_eq!(reply.status, 200, "{target}: {}", String::from_utf8_lossy(&reply.body));
        reply.json()
    }

    fn get(&self, target: &str) -> Result<Reply, String> {
        self.request("GET", target, &[], "")
    }

    /// Lists a report on the MIS, newest first.
    fn mis(&self, report_type: u32) -> Vec<Value> {
        let target = format!("/misapp/servlets/IceDocListJsonWS?reportTypeId={report_type}");
        let list = self.get(&target).unwrap().json();
        let entries = list["ListDocsByRptTypeRes"]["DocumentList"].as_array().unwrap().clone();
        entries.into_iter().map(|entry| entry["Document"].clone()).collect()
    }

    fn mis_file(&self, document: &Value) -> Result<Reply, String> {
        let id = document["DocID"].as_str().unwrap();
        self.get(&format!("/misdownload/servlets/mirDownload?doclookupId={id}"))
    }

    pub(crate) fn requests(&self) -> Vec<Value> {
        self.requests_after(0)
    }

    /// Returns the requests behind the first so many.
    pub(crate) fn requests_after(&self, skipped: usize) -> Vec<Value> {
        let log = self.get(&format!("/admin/requests?skip={skipped}")).unwrap().json();
        log["requests"].as_array().unwrap().clone()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().unwrap_or_default();
        self.child.wait().unwrap();
    }
}

impl Reply {
    fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Unpacks a zip file into names and contents.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        unpacked(&self.body).unwrap()
    }

    /// Returns the only CSV file in it.
    fn csv(&self) -> String {
        let files = self.files();
        assert_eq!(files.len(), 1);
        String::from_utf8(files[0].1.clone()).unwrap()
    }
}

fn unpacked(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let mut files = Vec::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).map_err(|error| error.to_string())?;
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(|error| error.to_string())?;
        let name = file.name().map_err(|error| error.to_string())?.into_owned();
        files.push((name, content));
    }
    Ok(files)
}

/// Returns a column of a page of rows, found by its name.
fn column(page: &Value, name: &str) -> Vec<Value> {
    let fields = page["fields"].as_array().unwrap();
    let at = fields.iter().position(|field| field["name"] == name);
    let at = at.unwrap_or_else(|| panic!("no field {name} in {fields:?}"));
    page["data"].as_array().unwrap().iter().map(|row| row[at].clone()).collect()
}
