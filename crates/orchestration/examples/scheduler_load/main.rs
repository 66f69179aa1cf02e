//! Measures how late firings start, what idle schedules cost, and how fast firings are computed.
//!
//! `scheduler_load [--schedules N] [--idle N] [--seconds S]`
//!
//! It prints how late the firings of N schedules start that fire each second beside as many idle
//! ones as asked for, the processor time of idle schedules alone over the same span, and next
//! firings per second, beside those of croniter where a Python has it (`test.sh` installs it).

mod computing;

use std::error::Error;
use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use orchestration::{
    Clock, OverlapPolicy, Schedule, ScheduleAction, ScheduledTask, Scheduler, SystemClock,
    Timetable,
};

/// Linux counts processor time in hundredths of a second.
const TICKS_PER_SECOND: f64 = 100.0;

/// The first line of the histogram counts firings that are less late than this.
const FIRST_BIN: SignedDuration = SignedDuration::from_micros(125);

/// The longest bar of the histogram, in characters.
const BAR_MAX: usize = 50;

struct Flags {
    schedules: usize,
    idle: usize,
    seconds: u64,
}

impl Flags {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut flags = Self { schedules: 100, idle: 100_000, seconds: 10 };
        while let Some(flag) = words.next() {
            let value = words.next().ok_or_else(|| format!("{flag} needs a value"))?;
            match flag.as_str() {
                "--schedules" => flags.schedules = value.parse()?,
                "--idle" => flags.idle = value.parse()?,
                "--seconds" => flags.seconds = value.parse()?,
                _ => return Err(format!("{flag} {value} is not understood").into()),
            }
        }
        Ok(flags)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let flags = Flags::read(std::env::args().skip(1))?;
    let mut out = std::io::stdout().lock();
    lateness(&flags, &mut out)?;
    idle(&flags, &mut out)?;
    computing::compare(&mut out)
}

fn schedule(rule: &str) -> Result<Schedule, Box<dyn Error>> {
    Ok(Schedule::parse(rule, TimeZone::get("America/Chicago")?)?)
}

/// Has many schedules fire each second, beside as many idle ones as asked for.
fn lateness(flags: &Flags, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut timetable = Timetable::new(clock.now());
    add_idle(&mut timetable, flags.idle, clock.now())?;
    let now = clock.now();
    let every_second = schedule("* * * * * *")?;
    for number in 0..flags.schedules {
        let name = format!("busy {number}");
        let task = ScheduledTask::new(&name, &name, every_second.clone());
        timetable.add(task.overlap(OverlapPolicy::Skip), now)?;
    }
    let mut scheduler = Scheduler::new(timetable, Arc::clone(&clock));
    let handle = scheduler.handle();
    let mut late = Vec::new();
    let end = now + SignedDuration::from_secs(i64::try_from(flags.seconds)?);
    scheduler.run_until(end, &mut |action| {
        if let ScheduleAction::Start(run) = action {
            late.push(clock.now() - run.scheduled_at);
            // The loop itself listens, and it is alive.
            drop(handle.ended(run));
        }
    });
    late.sort_unstable();
    writeln!(out, "{} firings beside {} idle schedules", late.len(), flags.idle)?;
    for (name, thousandths) in [("p50", 500), ("p99", 990), ("max", 1000)] {
        let rank = (late.len() * thousandths).div_ceil(1000).saturating_sub(1);
        let lateness = late.get(rank).copied().unwrap_or_default();
        writeln!(out, "lateness {name} {:>9.3} ms", lateness.as_secs_f64() * 1e3)?;
    }
    histogram(&late, out)
}

/// Prints how many firings were less late than twice what those of the line above were.
fn histogram(late: &[SignedDuration], out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let (mut below, mut counted) = (FIRST_BIN, 0);
    while counted < late.len() {
        let up_to = late.partition_point(|lateness| *lateness < below);
        let share = up_to - counted;
        let bar = "#".repeat((share * BAR_MAX).div_ceil(late.len()));
        writeln!(out, "  below {:>9.3} ms {share:>8} {bar}", below.as_secs_f64() * 1e3)?;
        (below, counted) = (below * 2, up_to);
    }
    Ok(())
}

/// Adds schedules that fire next in some months.
fn add_idle(timetable: &mut Timetable, count: usize, now: Timestamp) -> Result<(), Box<dyn Error>> {
    let once = schedule("once at 2099-01-01T06:00")?;
    let daily = schedule("every 2 days at 06:00 from 2098-01-27")?;
    for number in 0..count {
        let name = format!("idle {number}");
        let schedule = if number % 2 == 0 { &once } else { &daily };
        timetable.add(ScheduledTask::new(&name, &name, schedule.clone()), now)?;
    }
    Ok(())
}

/// Lets schedules be idle and looks at the processor time of this process.
fn idle(flags: &Flags, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let now = clock.now();
    let mut timetable = Timetable::new(now);
    add_idle(&mut timetable, flags.idle, now)?;
    let mut scheduler = Scheduler::new(timetable, clock);
    let handle = scheduler.handle();
    let loops = thread::spawn(move || {
        let mut acted = 0_u32;
        scheduler.run(&mut |_| acted += 1);
        acted
    });
    let before = processor_ticks();
    // Nothing ever comes: this only waits.
    let (sender, never): (_, Receiver<()>) = channel();
    if never.recv_timeout(Duration::from_secs(flags.seconds)).is_ok() {
        return Err("nobody was to send".into());
    }
    drop(sender);
    let after = processor_ticks();
    handle.stop()?;
    let acted = loops.join().map_err(|_| "the scheduler panicked")?;
    match (before, after) {
        (Some(before), Some(after)) => {
            let span = Duration::from_secs(flags.seconds).as_secs_f64();
            let share = f64::from(u32::try_from(after - before)?) / TICKS_PER_SECOND / span;
            let idle = flags.idle;
            writeln!(
                out,
                "{idle} idle schedules: {:.2} % of one processor, {acted} actions",
                share * 100.0
            )?;
        }
        _ => writeln!(out, "the processor time of this process is not known here")?,
    }
    Ok(())
}

/// Returns user and system time of this process, where `/proc` tells.
fn processor_ticks() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in brackets may hold blanks; user and system time are 12th and 13th after it.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}
