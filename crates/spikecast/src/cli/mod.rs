//! The command line: arguments, commands, what people see. Commands return how the program ends;
//! nothing below this module prints.

mod archive;
mod args;
mod backfill;
mod backtest;
mod config;
mod data;
mod data_status;
mod evaluate;
mod explain;
mod features;
mod fetch;
mod forecast;
mod forecast_above;
mod forecast_table;
mod isolated;
mod models;
mod notify;
mod progress;
mod run;
mod runs;
mod schedule;
mod scores;
mod series_chart;
mod serve;
mod simulate;
mod simulate_operations;
mod table;
mod terminal;

use clap::{CommandFactory, Parser};
use serde_json::json;

use crate::exit::{CommandError, Exit};
use args::{Arguments, Command};
use terminal::Terminal;

/// Parses the command line, does what it says, returns how the program ends.
pub fn main() -> Exit {
    let arguments = Arguments::parse();
    let mut terminal = Terminal::standard();
    let json = arguments.global.json;
    match dispatch(arguments, &mut terminal) {
        Ok(exit) => exit,
        Err(error) if is_broken_pipe(&error) => Exit::Fine,
        Err(error) => {
            let message = error.to_string();
            terminal.error(&message);
            if json {
                let document = json!({ "error": message, "exit_code": error.exit.code() });
                // A machine that does not read its answer still gets the exit code.
                terminal.json(&document).unwrap_or_default();
            }
            error.exit
        }
    }
}

fn dispatch(arguments: Arguments, terminal: &mut Terminal) -> Result<Exit, CommandError> {
    let global = &arguments.global;
    match arguments.command {
        Command::Run(run) => run::run(global, &run, terminal),
        Command::Fetch(fetch) => fetch::fetch(global, &fetch, terminal),
        Command::Backtest(backtest) => backtest::backtest(global, &backtest, terminal),
        Command::Evaluate(evaluate) => evaluate::evaluate(global, &evaluate, terminal),
        Command::Backfill(backfill) => backfill::backfill(global, &backfill, terminal),
        Command::Serve(serve) => serve::serve(global, &serve, terminal),
        Command::Runs(command) => runs::runs(global, &command, terminal),
        Command::Schedule(command) => schedule::schedule(global, &command, terminal),
        Command::Scores(scores) => scores::scores(global, &scores, terminal),
        Command::Forecast(command) => forecast::forecast(global, &command, terminal),
        Command::Features(command) => features::show_features(global.json, &command, terminal),
        Command::Models(command) => models::models(global, &command, terminal),
        Command::Archive(command) => archive::archive(global, &command, terminal),
        Command::Data(command) => data::data(global, &command, terminal),
        Command::Notify(command) => notify::notify(global, &command, terminal),
        Command::Config(command) => config::config(global, &command, terminal),
        Command::Simulate(command) => simulate::simulate(global, &command, terminal),
        Command::SimulateOperations(arguments) => {
            simulate_operations::simulate_operations(global, &arguments, terminal)
        }
        Command::SimulateOperationsLife(arguments) => simulate_operations::live(&arguments),
        Command::IsolatedWorker { directory } => {
            isolated::serve(&directory, global.archive.as_deref())
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "spikecast", &mut script);
            terminal.raw(&script)?;
            Ok(Exit::Fine)
        }
    }
}

/// Says whether the reader of our output went away, as `head` does.
fn is_broken_pipe(error: &CommandError) -> bool {
    let io = error.cause.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
