//! Setting up a daily pipeline: fetching, training and forecasting at their local times.
//!
//! Three virtual days pass on a clock that moves by itself; the journal is a real file.

use std::error::Error;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use orchestration::{
    Clock, DailyPipelines, DailyTimes, Journal, ManualClock, PipelineBuilder, PipelineExecutor,
    Registry, ScheduledEvent, Stage, StageOutput,
};

/// The first day, in Greenwich: the evening before in Chicago, two days before the end of January.
const BEGIN: &str = "2026-01-30T05:00:00Z";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    run(folder.path(), &mut std::io::stdout().lock())
}

fn run(folder: &Path, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let begin: Timestamp = BEGIN.parse()?;
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(begin));
    let zone = TimeZone::get("America/Chicago")?;

    // Create a pipeline executor.
    let mut registry = Registry::new();
    registry.register("work", |stage| Ok(StageOutput::fresh(stage.run_input().clone())));
    let journal = Journal::open(&folder.join("journal.sqlite"))?;
    let workers_max = NonZeroUsize::MIN;
    let executor =
        Arc::new(PipelineExecutor::new(journal, registry, Arc::clone(&clock), workers_max));

    // Set up daily operations.
    let pipeline = |name: &str, stages: [&str; 2]| {
        PipelineBuilder::new(name)
            .stage(Stage::new(stages[0], "work"))
            .stage(Stage::new(stages[1], "work").after([stages[0]]))
            .build()
    };
    let pipelines = DailyPipelines {
        data_fetch: pipeline("data fetch", ["fetch", "validate"])?,
        inference: pipeline("inference", ["features", "infer"])?,
        training: pipeline("training", ["features", "train"])?,
    };
    let times = DailyTimes {
        data_fetch_time: "00:00",
        inference_time: "06:00",
        training_time: "01:00",
        training_frequency: "0 1 */2 * *", // Every second day at 1:00 AM, or so it seems.
        zone: zone.clone(),
    };
    let operations = executor.setup_daily_operations(Arc::clone(&clock), &times, pipelines)?;
    for (id, warning) in operations.warnings() {
        writeln!(out, "warning: {id}: {warning}")?;
    }

    // Start the scheduler. A service calls `start_scheduler`, which returns at once; here time is
    // virtual, so that three days pass on this thread.
    let (sender, events) = channel();
    let sender = Mutex::new(sender);
    operations.run_until(begin + SignedDuration::from_hours(72), move |event| {
        let line = tell(event, &zone);
        let sender = sender.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Nobody listens any more once the program ends.
        drop(line.map(|line| sender.send(line)));
    });
    for line in events {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// Tells what ran when, in local time and in UTC.
fn tell(event: &ScheduledEvent, zone: &TimeZone) -> Option<String> {
    match event {
        ScheduledEvent::Ended { run, result } => {
            let status = match result {
                Ok(report) => report.status.to_string(),
                Err(error) => error.to_string(),
            };
            let local = run.scheduled_at.to_zoned_datetime(zone.clone());
            let local = local.strftime("%a %F %H:%M %Z");
            let utc = run.scheduled_at.strftime("%FT%H:%MZ");
            Some(format!("{local} ({utc}) {}: {status}", run.pipeline))
        }
        ScheduledEvent::Started { .. } | ScheduledEvent::Decided(_) => None,
    }
}
