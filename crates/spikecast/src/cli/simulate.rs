//! `spikecast simulate serve`: the simulated ERCOT as a web server.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use market::time::{OperatingDay, display, parse_local};
use orchestration::SystemClock;
use serde_json::json;

use super::args::GlobalArgs;
use super::run::internal;
use super::terminal::Terminal;
use crate::exit::{CommandError, Exit};
use crate::jobs::source::SIMULATION_BEGINS;
use crate::simulated_ercot::{
    BYTES_PER_HOUR, CLIENT_ID, FaultPlan, Limits, PASSWORD, REQUESTS_PER_MINUTE, SUBSCRIPTION_KEY,
    Server, Service, ServiceSettings, Stop, USERNAME, WorldClock,
};

#[derive(Debug, Subcommand)]
pub(super) enum SimulateCommand {
    /// Serve a simulated ERCOT over HTTP, in ERCOT's formats: Public API, login and MIS
    #[command(after_help = SERVE_HELP)]
    Serve(ServeArgs),
}

const SERVE_HELP: &str = "\
Everyone signs in with username desk@example.com, password simulated and the subscription key
simulated-subscription-key. Nothing is served that the simulated market has not published yet.

Example, and a plan of faults for --faults:
  spikecast simulate serve --port 8080 --clock 2026-07-14T09:30 --faults faults.toml

  [[rule]]                       # the 2nd and 3rd request for rows of LMPs are throttled
  fault = \"throttle\"
  report = \"NP6-788-CD\"
  route = \"rows\"
  nth = [2, 3]

Faults: throttle, bandwidth, expired_token, server_error, bad_request, slow_loris, reset,
truncated_zip, corrupted_zip, html, wrong_content_type, renamed_column, duplicated_rows, empty,
late, missing.
POST /admin/faults takes the same as JSON, DELETE /admin/faults ends them, GET /admin/requests
lists what was asked for, with ?skip=N without the first N.";

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Port on 127.0.0.1; 0 takes any free one and prints it
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Which simulated world
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// TOML file that says what goes wrong
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Market-local time of the simulated world, e.g. 2026-07-14T09:30; the real time by default
    #[arg(long, value_name = "TIME")]
    clock: Option<String>,
    /// How fast the time passes from --clock on; at 0 it stands still
    #[arg(long, default_value_t = 0.0, requires = "clock", value_name = "TIMES")]
    speed: f64,
    /// Requests that the Public API grants in a minute
    #[arg(long, default_value_t = REQUESTS_PER_MINUTE, value_name = "REQUESTS")]
    requests_per_minute: u32,
    /// Bytes that the Public API grants in an hour
    #[arg(long, default_value_t = BYTES_PER_HOUR, value_name = "BYTES")]
    bytes_per_hour: u64,
    /// Grant any number of requests and bytes
    #[arg(long, conflicts_with_all = ["requests_per_minute", "bytes_per_hour"])]
    no_limits: bool,
}

pub(super) fn simulate(
    global: &GlobalArgs,
    command: &SimulateCommand,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let SimulateCommand::Serve(arguments) = command;
    let settings = settings(arguments)?;
    let (seed, now) = (settings.seed, settings.clock.now());
    let server = Server::listen(arguments.port)
        .with_context(|| format!("port {}: cannot be listened on", arguments.port))
        .map_err(|cause| CommandError { exit: Exit::Usage, cause })?;
    let stop = Stop::default();
    let on_signal = stop.clone();
    ctrlc::set_handler(move || on_signal.stop()).context("handling Ctrl-C").map_err(internal)?;
    announce(&server, (seed, now), global.json, terminal)?;
    server
        .serve(Arc::new(Service::new(settings)), stop)
        .context("serving the simulated ERCOT")
        .map_err(internal)?;
    terminal.note("stopped");
    Ok(Exit::Fine)
}

/// Prints where it serves, as the first line.
fn announce(
    server: &Server,
    (seed, now): (u64, Timestamp),
    json: bool,
    terminal: &mut Terminal,
) -> Result<(), CommandError> {
    let url = format!("http://{}", server.address());
    let time = display(now);
    let line = if json {
        let document = json!({
            "url": url,
            "seed": seed,
            "time": now.to_string(),
            "username": USERNAME,
            "password": PASSWORD,
            "subscription_key": SUBSCRIPTION_KEY,
            "client_id": CLIENT_ID,
        });
        document.to_string()
    } else {
        format!("serving simulated ERCOT at {url} (seed {seed}, time {time})")
    };
    // In one piece and at once, for whoever waits for it.
    terminal.raw(format!("{line}\n").as_bytes())
}

fn settings(arguments: &ServeArgs) -> Result<ServiceSettings, CommandError> {
    let clock = Arc::new(SystemClock::new());
    let clock = match &arguments.clock {
        None => WorldClock::real(clock),
        Some(text) => {
            let from = parse_local(text)
                .map_err(|error| CommandError::usage(format!("--clock: {error}")))?;
            let wrong = || CommandError::usage("--speed: expected 0 or more, e.g. 60");
            WorldClock::starting(clock, from, arguments.speed).ok_or_else(wrong)?
        }
    };
    if OperatingDay::of(clock.now()).date() < SIMULATION_BEGINS {
        let message = format!("--clock: the simulated market begins on {SIMULATION_BEGINS}");
        return Err(CommandError::usage(message));
    }
    let limits = if arguments.no_limits {
        Limits::NONE
    } else {
        Limits {
            requests_per_minute: Some(arguments.requests_per_minute),
            bytes_per_hour: Some(arguments.bytes_per_hour),
        }
    };
    let faults = faults(arguments)?;
    Ok(ServiceSettings {
        seed: arguments.seed,
        first_day: SIMULATION_BEGINS,
        clock,
        limits,
        faults,
    })
}

fn faults(arguments: &ServeArgs) -> Result<FaultPlan, CommandError> {
    let Some(path) = &arguments.faults else { return Ok(FaultPlan::default()) };
    let wrong = |cause: anyhow::Error| CommandError { exit: Exit::Usage, cause };
    let text =
        fs::read_to_string(path).with_context(|| path.display().to_string()).map_err(wrong)?;
    FaultPlan::from_toml(&text).with_context(|| path.display().to_string()).map_err(wrong)
}
