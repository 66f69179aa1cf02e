//! `spikecast notify`: who is told what, and whether notices arrive. Sends only on request, each
//! channel once.

use std::sync::Arc;

use clap::Subcommand;
use orchestration::{Clock, SystemClock};
use serde_json::{Value, json};

use super::args::GlobalArgs;
use super::table::{Side, table};
use super::terminal::{Style, Terminal};
use crate::config::NotificationSettings;
use crate::exit::{CommandError, Exit};
use crate::notifications::{Channel, DeliveryError, Notice, Notifier};

/// What can be done about notices.
#[derive(Debug, Subcommand)]
pub(super) enum NotifyCommand {
    /// Show channels, kinds of notices and watched prices
    Show,
    /// Send a test through every channel, once, and say whether it was delivered
    Test,
}

const HOW_TO_CONFIGURE: &str = "no channel is configured; set webhook_url, slack_url or teams_url, \
                                or smtp_url with email_from and email_to";

pub(super) fn notify(
    global: &GlobalArgs,
    command: &NotifyCommand,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let settings = global.settings()?.notifications;
    match command {
        NotifyCommand::Show => show(global, &settings, terminal),
        NotifyCommand::Test => test(global, &settings, terminal),
    }
}

fn show(
    global: &GlobalArgs,
    settings: &NotificationSettings,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let kinds: Vec<&str> = settings.kinds.iter().map(|kind| kind.as_str()).collect();
    let watch: Vec<String> = settings.watch.iter().map(ToString::to_string).collect();
    if global.json {
        let channel =
            |channel: &Channel| json!({ "channel": channel.name(), "place": channel.place() });
        let channels: Vec<Value> = settings.channels.iter().map(channel).collect();
        terminal.json(&json!({ "channels": channels, "notify": kinds, "watch": watch }))?;
        return Ok(Exit::Fine);
    }
    let header = [("channel", Side::Left), ("place", Side::Left)];
    let row = |channel: &Channel| [channel.name(), channel.place()];
    let rows: Vec<[String; 2]> = settings.channels.iter().map(row).collect();
    if rows.is_empty() {
        terminal.line(HOW_TO_CONFIGURE)?;
    } else {
        for line in table(header, &rows) {
            terminal.line(line)?;
        }
    }
    let list = |texts: String| if texts.is_empty() { "nothing".to_owned() } else { texts };
    terminal.line(format!("\ntold: {}", list(kinds.join(", "))))?;
    terminal.line(format!("watched: {}", list(watch.join(", "))))?;
    Ok(Exit::Fine)
}

fn test(
    global: &GlobalArgs,
    settings: &NotificationSettings,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    if settings.channels.is_empty() {
        return Err(CommandError::usage(format!("{HOW_TO_CONFIGURE} (docs/notifications.md)")));
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let notice = Notice::Test { sent_at: clock.now() };
    let notifier = Notifier::new(settings, clock)
        .map_err(|error| CommandError::new(Exit::SourceUnavailable, error))?;
    let mut told = Vec::new();
    for channel in notifier.channels() {
        let outcome = notifier.tell_once(channel, &notice);
        if !global.json {
            terminal.line(line(channel, &outcome, terminal))?;
        }
        told.push((channel, outcome));
    }
    let failures: Vec<&DeliveryError> =
        told.iter().filter_map(|(_, outcome)| outcome.as_ref().err()).collect();
    let exit = exit_of(&failures);
    if global.json {
        let outcome = |(channel, outcome): &(&Channel, Result<(), DeliveryError>)| {
            json!({
                "channel": channel.name(),
                "place": channel.place(),
                "delivered": outcome.is_ok(),
                "problem": outcome.as_ref().err().map(ToString::to_string),
            })
        };
        let channels: Vec<Value> = told.iter().map(outcome).collect();
        terminal.json(&json!({ "channels": channels, "exit_code": exit.code() }))?;
    }
    Ok(exit)
}

fn line(channel: &Channel, outcome: &Result<(), DeliveryError>, terminal: &Terminal) -> String {
    match outcome {
        Ok(()) => format!("{channel}: {}", terminal.paint(Style::Green, "delivered")),
        Err(error) => format!("{} {error}", terminal.paint(Style::Red, "not delivered:")),
    }
}

/// What passes by itself is the other side's; what does not stands in the settings, and is told
/// first, because waiting does not help.
fn exit_of(failures: &[&DeliveryError]) -> Exit {
    if failures.is_empty() {
        return Exit::Fine;
    }
    let passes = failures.iter().all(|failure| failure.class().is_worth_retrying());
    if passes { Exit::SourceUnavailable } else { Exit::Usage }
}
