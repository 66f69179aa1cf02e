//! Progress while a run works: bars on a terminal, plain lines elsewhere, nothing for machines.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use orchestration::{
    Clock, FailureClass, Observation, ObservationKind, PartitionCounts, PartitionState,
};

use super::terminal::Terminal;

/// What watches a run.
pub(super) type Observer = Box<dyn Fn(&Observation) + Send + Sync>;

/// How progress is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    /// Not at all: machines read the result.
    Nothing,
    /// One line for each stage.
    Lines,
    /// Bars that are drawn in place.
    Bars,
}

impl Telling {
    pub(super) fn on(terminal: &Terminal, json: bool) -> Self {
        match (json, terminal.interactive) {
            (true, _) => Telling::Nothing,
            (false, true) => Telling::Bars,
            (false, false) => Telling::Lines,
        }
    }
}

/// Prints a line to standard error, from any thread.
pub(super) fn tell(line: &str) {
    use std::io::Write;
    // There is nobody left to tell when standard error is gone.
    writeln!(std::io::stderr(), "{line}").unwrap_or_default();
}

/// Returns an observer that tells of each stage of a run.
pub(super) fn stages(telling: Telling) -> Observer {
    match telling {
        Telling::Nothing => Box::new(|_| {}),
        Telling::Lines => Box::new(|observation| {
            if let Some(line) = stage_line(&observation.kind) {
                tell(&line);
            }
        }),
        Telling::Bars => {
            let bar = ProgressBar::new(0).with_style(style("{spinner} {prefix:9} {bar:28} {msg}"));
            Box::new(move |observation| draw_stage(&bar, &observation.kind))
        }
    }
}

/// How often a bar shows that it is alive.
const TICK: Duration = Duration::from_millis(120);

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("the template is well-formed");
    style.progress_chars("━╸─")
}

fn stage_line(kind: &ObservationKind) -> Option<String> {
    match kind {
        // Of the items of a fan-out only their number is told, and what went wrong.
        ObservationKind::FanOutOpened { stage, count } => {
            Some(format!("  {stage:9} in {count} pieces"))
        }
        ObservationKind::FanOutJoined { stage, degraded } => {
            let quality = if degraded.is_empty() { "" } else { ", degraded" };
            Some(format!("  {stage:9} done{quality}"))
        }
        ObservationKind::StageCompleted { stage, .. }
        | ObservationKind::RetryScheduled { stage, .. }
        | ObservationKind::FallbackTaken { stage, .. }
            if stage.ends_with(']') =>
        {
            None
        }
        ObservationKind::StageCompleted { stage, degraded, elapsed } => {
            let quality = if degraded.is_empty() { "" } else { ", degraded" };
            Some(format!("  {stage:9} done in {}{quality}", seconds(*elapsed)))
        }
        ObservationKind::AttemptFailed { stage, failure, .. } => {
            Some(format!("  {stage:9} failed: {failure}"))
        }
        ObservationKind::FallbackTaken { stage, function } => {
            Some(format!("  {stage:9} falls back: {}", function.replace('_', " ")))
        }
        ObservationKind::AttemptLost { stage } => {
            Some(format!("  {stage:9} was cut off last time, starts again"))
        }
        ObservationKind::RetryScheduled { stage, not_before } => {
            Some(format!("  {stage:9} will be tried again at {not_before}"))
        }
        ObservationKind::StageRecalled { stage, from, .. } => {
            Some(format!("  {stage:9} has the output of run {from}"))
        }
        ObservationKind::StageCancelled { stage, reason } => {
            Some(format!("  {stage:9} was cancelled: {reason}"))
        }
        ObservationKind::StageStarted { .. }
        | ObservationKind::StageProgress { .. }
        | ObservationKind::StageFailed { .. }
        | ObservationKind::StageSkipped { .. }
        | ObservationKind::LateResultRefused { .. }
        | ObservationKind::RunEnded { .. } => None,
    }
}

fn draw_stage(bar: &ProgressBar, kind: &ObservationKind) {
    if let Some(line) = stage_line(kind) {
        bar.println(line);
    }
    match kind {
        ObservationKind::StageStarted { stage, .. } => {
            // Not before: an idle bar would be drawn above the first line.
            bar.enable_steady_tick(TICK);
            bar.set_prefix(stage.clone());
            bar.set_length(0);
            bar.set_position(0);
            bar.set_message("");
        }
        ObservationKind::StageProgress { progress, .. } => {
            bar.set_length(progress.total);
            bar.set_position(progress.done);
            bar.set_message(progress.message.clone());
        }
        ObservationKind::RunEnded { .. } => bar.finish_and_clear(),
        ObservationKind::StageCompleted { .. }
        | ObservationKind::StageRecalled { .. }
        | ObservationKind::FanOutOpened { .. }
        | ObservationKind::FanOutJoined { .. }
        | ObservationKind::StageCancelled { .. }
        | ObservationKind::AttemptFailed { .. }
        | ObservationKind::FallbackTaken { .. }
        | ObservationKind::AttemptLost { .. }
        | ObservationKind::RetryScheduled { .. }
        | ObservationKind::StageFailed { .. }
        | ObservationKind::StageSkipped { .. }
        | ObservationKind::LateResultRefused { .. } => {}
    }
}

/// How many windows or pieces are done; the time left follows from those of this process.
struct Windows {
    /// What a person calls them.
    noun: &'static str,
    done: u64,
    done_before: u64,
    total: u64,
    told: u64,
    started: Option<Duration>,
}

/// Windows end in pairs, so the time left means nothing before a few are done.
const WINDOWS_TIMED_MIN: u32 = 4;
/// Plain lines are this many over a whole backtest.
const LINES_OF_A_BACKTEST: u64 = 20;

/// Returns an observer that tells how many of a backtest's windows are done, and the time left.
pub(super) fn windows(telling: Telling, done: u64, total: u64, clock: Arc<dyn Clock>) -> Observer {
    let bar = match telling {
        Telling::Nothing => return Box::new(|_| {}),
        Telling::Lines => ProgressBar::hidden(),
        Telling::Bars => {
            let template = "{spinner} {bar:32} {pos}/{len} windows  {msg}";
            ProgressBar::new(total).with_style(style(template))
        }
    };
    let windows = Mutex::new(Windows {
        noun: "windows",
        done,
        done_before: done,
        total,
        told: done,
        started: None,
    });
    Box::new(move |observation| {
        let mut windows = windows.lock().unwrap_or_else(PoisonError::into_inner);
        let line = windows.line(&observation.kind, clock.monotonic());
        match (&observation.kind, line) {
            (ObservationKind::RunEnded { .. }, _) => bar.finish_and_clear(),
            (_, Some(line)) if telling == Telling::Lines => {
                if windows.is_worth_a_line() {
                    tell(&line);
                }
            }
            (_, Some(line)) => {
                bar.enable_steady_tick(TICK);
                bar.set_position(windows.done);
                bar.set_message(line);
            }
            (_, None) => {}
        }
    })
}

/// Returns an observer that tells how many pieces of a fan-out stage are done, and the time left.
pub(super) fn pieces(stage: &'static str, telling: Telling, clock: Arc<dyn Clock>) -> Observer {
    let bar = match telling {
        Telling::Nothing => return Box::new(|_| {}),
        Telling::Lines => ProgressBar::hidden(),
        Telling::Bars => {
            let template = "{spinner} {bar:32} {pos}/{len} pieces  {msg}";
            ProgressBar::new(0).with_style(style(template))
        }
    };
    let (done, total) = (0, 0);
    let start =
        Windows { noun: "pieces", done, done_before: done, total, told: done, started: None };
    let pieces = Mutex::new(start);
    Box::new(move |observation| {
        let mut pieces = pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let is_item = |name: &str| name.strip_prefix(stage).is_some_and(|at| at.starts_with('['));
        match &observation.kind {
            ObservationKind::FanOutOpened { stage: opened, count } if opened == stage => {
                pieces.total = u64::try_from(*count).unwrap_or(u64::MAX);
                (pieces.done, pieces.told, pieces.started) = (0, 0, None);
                bar.set_length(pieces.total);
                bar.enable_steady_tick(TICK);
            }
            ObservationKind::StageCompleted { stage: done, .. } if is_item(done) => {
                pieces.done += 1;
                let started = *pieces.started.get_or_insert(clock.monotonic());
                let line = pieces.time_left(clock.monotonic().saturating_sub(started));
                bar.set_position(pieces.done);
                bar.set_message(line.clone());
                if telling == Telling::Lines && pieces.is_worth_a_line() {
                    tell(&line);
                }
            }
            // Waiting for a turn is no failure to a person.
            ObservationKind::AttemptFailed { failure, .. }
                if failure.class == FailureClass::RateLimit =>
            {
                bar.set_message(failure.message.clone());
            }
            ObservationKind::AttemptFailed { stage, failure, .. } => {
                let line = format!("{stage}: {failure}");
                if telling == Telling::Lines { tell(&line) } else { bar.println(line) }
            }
            ObservationKind::StageProgress { progress, .. } => {
                bar.set_message(progress.message.clone());
            }
            ObservationKind::RunEnded { .. } => bar.finish_and_clear(),
            _ => {}
        }
    })
}

/// Returns what tells how many partitions of a backfill are done, and the time left.
pub(super) fn partitions(
    noun: &'static str,
    telling: Telling,
    before: PartitionCounts,
    clock: Arc<dyn Clock>,
) -> Box<dyn Fn(PartitionCounts) + Sync> {
    let bar = match telling {
        Telling::Nothing => return Box::new(|_| {}),
        Telling::Lines => ProgressBar::hidden(),
        Telling::Bars => {
            let template = "{spinner} {bar:32} {pos}/{len}  {msg}";
            ProgressBar::new(before.total()).with_style(style(template))
        }
    };
    let ended = |counts: PartitionCounts| counts.done() + counts.of(PartitionState::Failed);
    // What had failed is tried again.
    let (done, total, started) = (before.done(), before.total(), Some(clock.monotonic()));
    let windows = Windows { noun, done, done_before: done, total, told: done, started };
    let windows = Mutex::new(windows);
    Box::new(move |counts| {
        let mut windows = windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.done = ended(counts);
        let started = *windows.started.get_or_insert(clock.monotonic());
        let line = windows.time_left(clock.monotonic().saturating_sub(started));
        bar.set_position(windows.done);
        bar.set_message(line.clone());
        if telling == Telling::Lines && windows.is_worth_a_line() {
            tell(&line);
        }
        if windows.done == windows.total {
            bar.finish_and_clear();
        }
    })
}

impl Windows {
    fn line(&mut self, kind: &ObservationKind, now: Duration) -> Option<String> {
        match kind {
            ObservationKind::StageStarted { stage, .. } if stage == "evaluate" => {
                Some("scoring all forecasts".to_owned())
            }
            ObservationKind::StageProgress { progress, .. } => {
                // Describing the past is shared by all windows and done before the first one.
                self.started = None;
                let percent = 100 * progress.done / progress.total.max(1);
                Some(format!("{} {percent} %", progress.message))
            }
            ObservationKind::StageCompleted { stage, .. } if stage != "evaluate" => {
                self.done += 1;
                let started = *self.started.get_or_insert(now);
                Some(self.time_left(now.saturating_sub(started)))
            }
            ObservationKind::AttemptFailed { stage, failure, .. } => {
                Some(format!("{stage} failed: {failure}"))
            }
            _ => None,
        }
    }

    /// The first window of this process only starts the watch.
    fn time_left(&self, elapsed: Duration) -> String {
        let timed = (self.done - self.done_before).saturating_sub(1);
        let left = self.total.saturating_sub(self.done);
        let Ok(timed) = u32::try_from(timed) else { return String::new() };
        if timed < WINDOWS_TIMED_MIN {
            return format!("{} of {} {} done", self.done, self.total, self.noun);
        }
        let left = elapsed / timed * u32::try_from(left).unwrap_or(u32::MAX);
        format!("{} of {} {} done, {} left", self.done, self.total, self.noun, seconds(left))
    }

    fn is_worth_a_line(&mut self) -> bool {
        let step = (self.total / LINES_OF_A_BACKTEST).max(1);
        let is = self.done == self.done_before || self.told + step <= self.done;
        if is {
            self.told = self.done;
        }
        is && self.done != self.done_before
    }
}

/// Writes a duration for people.
pub(super) fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..120 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}
