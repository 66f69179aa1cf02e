//! Runs pipelines under schedules, durably: each firing is submitted once under its own key.
//!
//! A process that dies continues where it was: unfinished runs are resumed, and what was missed is
//! dealt with by each schedule's policy, because the journal knows which firings have started. What
//! is due is decided in [`super::timetable`]; how a run is executed, in [`crate::runtime`].

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::action::{Cause, DueRun, ScheduleAction};
use super::scheduler::{Scheduler, SchedulerHandle};
use super::task::{ScheduleId, ScheduledTask};
use super::timetable::{ScheduleState, Timetable, TimetableError};
use super::warning::ScheduleWarning;
use crate::clock::Clock;
use crate::journal::JournalError;
use crate::pipeline::Pipeline;
use crate::recovery::StageFailure;
use crate::run::{Deadline, RunReport, RunStatus};
use crate::runtime::{ExecutionError, PipelineExecutor};
use crate::task::CancellationToken;

/// So many of the newest runs are looked at to find out what has been handled.
const RUNS_READ_MAX: u32 = 10_000;

/// Something that happened under a schedule.
#[derive(Debug)]
pub enum ScheduledEvent {
    /// A run is about to begin, or to go on after an interruption.
    Started {
        /// The firing.
        run: DueRun,
        /// When.
        at: Timestamp,
    },
    /// A run has ended, or could not be executed.
    Ended {
        /// The firing.
        run: DueRun,
        /// How.
        result: Result<RunReport, ExecutionError>,
    },
    /// The timetable decided something else.
    Decided(ScheduleAction),
}

/// What is told what happens; called from any thread.
type Observer = Arc<dyn Fn(&ScheduledEvent) + Send + Sync>;

/// What a run is submitted with, and by when it must be done.
#[derive(Debug)]
pub struct RunPlan {
    /// Its input; a run that is resumed keeps the one it began with.
    pub input: Value,
    /// Its deadline, if it has one.
    pub deadline: Option<Deadline>,
}

/// Says what a firing's run is submitted with; called on the run's thread, before it begins.
type Planner = Arc<dyn Fn(&DueRun) -> Result<RunPlan, StageFailure> + Send + Sync>;

/// Without a planner a run knows what it is the firing of.
fn plain_plan(run: &DueRun) -> RunPlan {
    let input = json!({
        "schedule": run.schedule.as_str(),
        "scheduled_at": run.scheduled_at.to_string(),
    });
    RunPlan { input, deadline: None }
}

/// Why a pipeline cannot be put under a schedule, or the schedules cannot run.
#[derive(Debug, thiserror::Error)]
pub enum DailyError {
    /// The timetable refuses it.
    #[error(transparent)]
    Timetable(#[from] TimetableError),
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A schedule names another pipeline than the one it comes with.
    #[error("schedule {id} is for pipeline {named}, but comes with pipeline {given}")]
    OtherPipeline {
        /// The schedule.
        id: ScheduleId,
        /// The pipeline it names.
        named: String,
        /// The pipeline it comes with.
        given: String,
    },
    /// Two schedules have pipelines that differ under one name.
    #[error("two pipelines are named {pipeline}; rename one")]
    TwoPipelines {
        /// The name.
        pipeline: String,
    },
    /// The system gives no thread.
    #[error("no thread for the scheduler could be started")]
    NoThread(#[source] std::io::Error),
}

/// Runs pipelines under schedules.
pub struct DailyScheduler {
    executor: Arc<PipelineExecutor>,
    clock: Arc<dyn Clock>,
    pipelines: BTreeMap<Arc<str>, Pipeline>,
    timetable: Timetable,
    /// When each schedule's latest firing was that the journal knows.
    handled: BTreeMap<ScheduleId, Timestamp>,
    unfinished: Vec<DueRun>,
    planner: Planner,
}

impl DailyScheduler {
    /// Returns a scheduler without schedules that knows from the journal what has been done.
    pub fn new(
        executor: Arc<PipelineExecutor>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, JournalError> {
        let (mut handled, mut unfinished) = (BTreeMap::new(), Vec::new());
        for summary in executor.journal().runs(RUNS_READ_MAX)? {
            let Some(run) = DueRun::from_key(&summary.pipeline, &summary.key) else { continue };
            if run.cause == Cause::Schedule {
                let latest = handled.entry(run.schedule.clone()).or_insert(run.scheduled_at);
                *latest = run.scheduled_at.max(*latest);
            }
            match summary.status {
                RunStatus::Pending | RunStatus::Running | RunStatus::Interrupted => {
                    unfinished.push(run);
                }
                RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled => {}
            }
        }
        // The journal tells the newest first.
        unfinished.reverse();
        let timetable = Timetable::new(clock.now());
        let pipelines = BTreeMap::new();
        let planner: Planner = Arc::new(|run| Ok(plain_plan(run)));
        Ok(Self { executor, clock, pipelines, timetable, handled, unfinished, planner })
    }

    /// Lets `planner` say what runs are submitted with, and by when they must be done.
    #[must_use]
    pub fn plan_with(
        mut self,
        planner: impl Fn(&DueRun) -> Result<RunPlan, StageFailure> + Send + Sync + 'static,
    ) -> Self {
        self.planner = Arc::new(planner);
        self
    }

    /// Makes a pipeline known that has no schedule yet, but may get one while this runs.
    pub fn offer(&mut self, pipeline: Pipeline) -> Result<(), DailyError> {
        if self.pipelines.get(pipeline.name()).is_some_and(|known| *known != pipeline) {
            return Err(DailyError::TwoPipelines { pipeline: pipeline.name().to_owned() });
        }
        self.pipelines.insert(pipeline.name().into(), pipeline);
        Ok(())
    }

    /// Puts `pipeline` under a schedule. Firings count from the last one that has run, or from now.
    pub fn schedule(&mut self, task: ScheduledTask, pipeline: Pipeline) -> Result<(), DailyError> {
        let since = self.handled.get(&task.id).copied().unwrap_or_else(|| self.clock.now());
        self.schedule_since(task, pipeline, since)
    }

    /// Puts `pipeline` under a schedule that was made or changed at `counts_from`. Firings count
    /// from then, or from the last one that has run, so that none is lost before the first run.
    pub fn schedule_from(
        &mut self,
        task: ScheduledTask,
        pipeline: Pipeline,
        counts_from: Timestamp,
    ) -> Result<(), DailyError> {
        let handled = self.handled.get(&task.id).copied().unwrap_or(counts_from);
        self.schedule_since(task, pipeline, handled.max(counts_from))
    }

    /// Lets a schedule begin paused.
    pub fn pause(&mut self, id: &ScheduleId) -> Result<(), DailyError> {
        // Nothing is told yet that anybody could act upon.
        self.timetable.set_state(id, ScheduleState::Paused, self.clock.now())?;
        Ok(())
    }

    fn schedule_since(
        &mut self,
        task: ScheduledTask,
        pipeline: Pipeline,
        since: Timestamp,
    ) -> Result<(), DailyError> {
        if *task.pipeline != *pipeline.name() {
            let (named, given) = (task.pipeline.to_string(), pipeline.name().to_owned());
            return Err(DailyError::OtherPipeline { id: task.id, named, given });
        }
        self.offer(pipeline)?;
        self.timetable.add(task, since)?;
        Ok(())
    }

    /// Returns what is scheduled.
    pub fn timetable(&self) -> &Timetable {
        &self.timetable
    }

    /// Returns what may surprise whoever wrote the schedules.
    pub fn warnings(&self) -> Vec<(ScheduleId, ScheduleWarning)> {
        let now = self.clock.now();
        let of_view = self.timetable.schedules().flat_map(|view| {
            let warnings = view.task.schedule.warnings(now).into_iter();
            warnings.map(|warning| (view.task.id.clone(), warning))
        });
        of_view.collect()
    }

    /// Runs on this thread until `end`, one run after the other: for simulations, with a clock that
    /// moves by itself.
    pub fn run_until(
        self,
        end: Timestamp,
        observer: impl Fn(&ScheduledEvent) + Send + Sync + 'static,
    ) {
        let (mut scheduler, desk, unfinished) = self.into_parts(Arc::new(observer));
        let handle = scheduler.handle();
        let mut act = |action| match action {
            ScheduleAction::Start(run) => {
                desk.announce(&run);
                desk.execute(run, &handle);
            }
            other => (desk.observer)(&ScheduledEvent::Decided(other)),
        };
        unfinished.into_iter().for_each(|run| scheduler.resume(run, &mut act));
        scheduler.run_until(end, &mut act);
    }

    /// Runs on a thread of its own, and each run on another, until it is stopped.
    pub fn start_scheduler(
        self,
        observer: impl Fn(&ScheduledEvent) + Send + Sync + 'static,
    ) -> Result<RunningScheduler, DailyError> {
        let (mut scheduler, desk, unfinished) = self.into_parts(Arc::new(observer));
        let clock = Arc::clone(&desk.clock);
        let (handle, desk) = (scheduler.handle(), Arc::new(desk));
        let stop = desk.stop.clone();
        let ours = handle.clone();
        let work = move || {
            // The scope waits for the runs, which end soon once they are asked to.
            thread::scope(|scope| {
                let mut act = |action| match action {
                    ScheduleAction::Start(run) => {
                        desk.announce(&run);
                        let (worker, handle, its) = (Arc::clone(&desk), ours.clone(), run.clone());
                        desk.clock.join();
                        let work = move || {
                            worker.execute(its, &handle);
                            worker.clock.leave();
                        };
                        // A pipeline runs once at a time, so that there are as many at most.
                        let thread = thread::Builder::new().name(run.key());
                        if thread.spawn_scoped(scope, work).is_err() {
                            desk.clock.leave();
                            // Without another thread, what is due now holds up what is due next.
                            desk.execute(run, &ours);
                        }
                    }
                    ScheduleAction::Cancel(run) => {
                        desk.cancel(&run);
                        (desk.observer)(&ScheduledEvent::Decided(ScheduleAction::Cancel(run)));
                    }
                    other => (desk.observer)(&ScheduledEvent::Decided(other)),
                };
                unfinished.into_iter().for_each(|run| scheduler.resume(run, &mut act));
                scheduler.run(&mut act);
                desk.clock.leave();
                desk.stop.cancel();
            });
        };
        clock.join();
        let thread = thread::Builder::new().name("scheduler".to_owned()).spawn(work);
        let thread = thread.map_err(DailyError::NoThread)?;
        Ok(RunningScheduler { handle, stop, thread })
    }

    fn into_parts(self, observer: Observer) -> (Scheduler, Desk, Vec<DueRun>) {
        let Self { executor, clock, pipelines, timetable, unfinished, planner, .. } = self;
        let known = |run: &DueRun| pipelines.contains_key(&run.pipeline);
        let unfinished = unfinished.into_iter().filter(known).collect();
        let scheduler = Scheduler::new(timetable, Arc::clone(&clock));
        let (stop, tokens) = (CancellationToken::new(), Mutex::default());
        let desk = Desk { executor, clock, pipelines, planner, observer, stop, tokens };
        (scheduler, desk, unfinished)
    }
}

impl fmt::Debug for DailyScheduler {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DailyScheduler")
            .field("pipelines", &self.pipelines.keys())
            .field("timetable", &self.timetable)
            .finish_non_exhaustive()
    }
}

/// Pipelines run under their schedules until this is stopped.
#[derive(Debug)]
pub struct RunningScheduler {
    handle: SchedulerHandle,
    stop: CancellationToken,
    thread: thread::JoinHandle<()>,
}

impl RunningScheduler {
    /// Returns what talks to the scheduler, to change its timetable.
    pub fn handle(&self) -> &SchedulerHandle {
        &self.handle
    }

    /// Stops: nothing starts any more, runs that are going on are interrupted and can be resumed.
    ///
    /// # Panics
    /// If the scheduler has panicked, with its panic.
    pub fn stop(self) {
        self.stop.cancel();
        // One that has ended by itself hears nothing; whether it ended well is seen below.
        drop(self.handle.stop());
        if let Err(panic) = self.thread.join() {
            std::panic::resume_unwind(panic);
        }
    }
}

/// What executing runs needs.
struct Desk {
    executor: Arc<PipelineExecutor>,
    clock: Arc<dyn Clock>,
    pipelines: BTreeMap<Arc<str>, Pipeline>,
    planner: Planner,
    observer: Observer,
    /// Asks all runs to stop.
    stop: CancellationToken,
    /// Ask single runs to stop.
    tokens: Mutex<BTreeMap<String, CancellationToken>>,
}

impl Desk {
    fn announce(&self, run: &DueRun) {
        let at = self.clock.now();
        (self.observer)(&ScheduledEvent::Started { run: run.clone(), at });
    }

    fn execute(&self, run: DueRun, handle: &SchedulerHandle) {
        let token = CancellationToken::new();
        let forwarded = token.clone();
        let _subscription = self.stop.on_cancel(move || forwarded.cancel());
        self.tokens().insert(run.key(), token.clone());
        let result = self.submit_and_execute(&run, &token);
        self.tokens().remove(&run.key());
        (self.observer)(&ScheduledEvent::Ended { run: run.clone(), result });
        // A scheduler that has ended starts nothing after this run anyway.
        drop(handle.ended(run));
    }

    fn submit_and_execute(
        &self,
        run: &DueRun,
        token: &CancellationToken,
    ) -> Result<RunReport, ExecutionError> {
        let unknown = || ExecutionError::UnknownPipeline { pipeline: run.pipeline.to_string() };
        let pipeline = self.pipelines.get(&run.pipeline).ok_or_else(unknown)?;
        let key = run.key();
        let RunPlan { input, deadline } = (self.planner)(run)
            .map_err(Box::new)
            .map_err(|failure| ExecutionError::NotPlanned { key: key.clone(), failure })?;
        let submission = self.executor.submit_once(pipeline, &key, input)?;
        let report = match &deadline {
            Some(deadline) => self.executor.execute_by(submission.run_id, token, deadline)?,
            None => self.executor.execute(submission.run_id, token)?,
        };
        if report.status == RunStatus::Interrupted && !self.stop.is_cancelled() {
            return self.executor.cancel(submission.run_id, "a newer firing takes its place");
        }
        Ok(report)
    }

    fn cancel(&self, run: &DueRun) {
        if let Some(token) = self.tokens().get(&run.key()) {
            token.cancel();
        }
    }

    fn tokens(&self) -> MutexGuard<'_, BTreeMap<String, CancellationToken>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
