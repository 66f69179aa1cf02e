//! The command `spikecast`.

use std::process::ExitCode;

fn main() -> ExitCode {
    spikecast::cli::main().into()
}
