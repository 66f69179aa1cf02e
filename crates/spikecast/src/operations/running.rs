//! The operations put together and running.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use market::time::market_zone;
use orchestration::scheduler::DailyError;
use orchestration::{
    Clock, DailyScheduler, ErrorRecoveryManager, IsolatedPool, Journal, JournalError, Observation,
    Pipeline, PipelineError, PipelineExecutor, Registry, RunningScheduler, Schedule, ScheduleId,
    ScheduleState, ScheduledEvent, ScheduledTask,
};

use super::courier::Courier;
use super::log::{log_observation, log_scheduled};
use super::pipelines::{DEADLINE, pipelines};
use super::planner::{Fetcher, Planner};
use super::watch::Watch;
use crate::config::Config;
use crate::jobs::forecast::Setup;
use crate::notifications::{self, Notifier};
use crate::schedules::{Schedules, Standing};

/// While one piece waits for its server, another one is read and committed.
const WORKERS: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");

/// What operations are made of.
pub struct Parts {
    /// The settings.
    pub config: Arc<Config>,
    /// The one reader of the time.
    pub clock: Arc<dyn Clock>,
    /// What was done and is to be done.
    pub journal: Journal,
    /// The functions of all stages.
    pub registry: Registry,
    /// What is done about failures.
    pub recovery: ErrorRecoveryManager,
    /// Processes for stages that may take theirs down with them.
    pub isolated: Option<Arc<IsolatedPool>>,
    /// How the pipelines are put together.
    pub setup: Setup,
    /// Who is told what.
    pub notifier: Arc<Notifier>,
    /// What must be fetched.
    pub fetcher: Fetcher,
    /// What runs when.
    pub schedules: Schedules,
    /// Who else is told what happens.
    pub observer: Box<dyn Fn(&ScheduledEvent) + Send + Sync>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Parts")
            .field("journal", &self.journal)
            .field("registry", &self.registry)
            .field("setup", &self.setup)
            .finish_non_exhaustive()
    }
}

/// Why operations cannot begin, or not be changed.
#[derive(Debug, thiserror::Error)]
pub enum OperationsError {
    /// A pipeline is none.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The schedules cannot run.
    #[error(transparent)]
    Schedules(#[from] DailyError),
    /// The schedules cannot be changed.
    #[error(transparent)]
    Edit(#[from] orchestration::scheduler::EditError),
}

/// The daily operations while they run.
pub struct Operations {
    executor: Arc<PipelineExecutor>,
    courier: Arc<Courier>,
    clock: Arc<dyn Clock>,
    scheduler: RunningScheduler,
    schedules: Arc<Mutex<Schedules>>,
    /// One message for each run that ends.
    ended: Receiver<()>,
    under_way: Arc<Mutex<BTreeMap<String, Timestamp>>>,
}

impl Operations {
    /// Begins: what was unfinished goes on, and from now on everything runs at its time.
    pub fn start(parts: Parts) -> Result<Self, OperationsError> {
        let Parts { config, clock, journal, registry, recovery, isolated, setup, .. } = parts;
        let mut executor = PipelineExecutor::new(journal, registry, clock.clone(), WORKERS)
            .recover_with(Arc::new(recovery))
            .observe(Box::new(|observation: &Observation| log_observation(observation)));
        if let Some(pool) = isolated {
            executor = executor.isolate_with(pool);
        }
        let executor = Arc::new(executor);
        let delivery = notifications::pipeline(notifications::PATIENCE)?;
        let courier = Courier::new(executor.clone(), clock.clone(), parts.notifier, delivery);
        let courier = Arc::new(courier);
        let schedules = Arc::new(Mutex::new(parts.schedules));
        let planner = Planner {
            config: config.clone(),
            clock: clock.clone(),
            executor: executor.clone(),
            courier: courier.clone(),
            fetcher: parts.fetcher,
            schedules: schedules.clone(),
        };
        let scheduler = DailyScheduler::new(executor.clone(), clock.clone())?
            .plan_with(move |run| planner.plan(run));
        let scheduler = schedule_all(scheduler, &setup, &config, &lock(&schedules), clock.now())?;
        let watch = Arc::new(Watch {
            config,
            clock: clock.clone(),
            courier: courier.clone(),
            scheduler: OnceLock::new(),
        });
        let under_way: Arc<Mutex<BTreeMap<String, Timestamp>>> = Arc::default();
        let (sender, ended) = channel();
        let observer = observe(watch.clone(), under_way.clone(), sender, parts.observer);
        let scheduler = scheduler.start_scheduler(observer)?;
        // Nobody else sets it.
        watch.scheduler.get_or_init(|| scheduler.handle().clone());
        watch.catch_up(executor.journal())?;
        courier.resume()?;
        Ok(Self { executor, courier, clock, scheduler, schedules, ended, under_way })
    }

    /// Returns who executes the runs.
    #[must_use]
    pub fn executor(&self) -> &Arc<PipelineExecutor> {
        &self.executor
    }

    /// Follows changed schedules.
    pub fn follow(&self, after: Schedules) -> Result<(), OperationsError> {
        let before = std::mem::replace(&mut *lock(&self.schedules), after.clone());
        self.scheduler
            .handle()
            .edit(move |timetable, now| before.follow(&after, timetable, now))?;
        Ok(())
    }

    /// Returns the runs that are going on, and since when.
    #[must_use]
    pub fn under_way(&self) -> BTreeMap<String, Timestamp> {
        lock(&self.under_way).clone()
    }

    /// Tells whether whoever starts the runs still answers.
    #[must_use]
    pub fn answers(&self) -> bool {
        self.scheduler.handle().edit(|_, _| Ok(Vec::new())).is_ok()
    }

    /// Starts nothing any more and gives what is going on some real time to end.
    pub fn drain(&self, patience: Duration) -> Result<(), OperationsError> {
        self.scheduler.handle().edit(|timetable, now| {
            let ids: Vec<ScheduleId> =
                timetable.schedules().map(|view| view.task.id.clone()).collect();
            let mut actions = Vec::new();
            for id in ids {
                actions.extend(timetable.set_state(&id, ScheduleState::Paused, now)?);
            }
            Ok(actions)
        })?;
        let end = self.clock.monotonic().saturating_add(patience);
        while !lock(&self.under_way).is_empty() {
            let left = end.saturating_sub(self.clock.monotonic());
            if self.ended.recv_timeout(left).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Stops: what is going on is interrupted where it stands, and goes on when operations begin
    /// again.
    pub fn stop(self) {
        self.courier.stop();
        self.scheduler.stop();
    }
}

/// Puts every pipeline under its schedules.
fn schedule_all(
    mut scheduler: DailyScheduler,
    setup: &Setup,
    config: &Config,
    schedules: &Schedules,
    now: Timestamp,
) -> Result<DailyScheduler, OperationsError> {
    let pipelines = pipelines(setup)?;
    for pipeline in &pipelines {
        scheduler.offer(pipeline.clone())?;
    }
    let named = |name: &str| -> Option<Pipeline> {
        pipelines.iter().find(|pipeline| pipeline.name() == name).cloned()
    };
    for record in schedules.iter() {
        let Some(pipeline) = named(&record.task.pipeline) else { continue };
        scheduler.schedule_from(record.task.clone(), pipeline, record.counts_from)?;
        if record.standing == Standing::Paused {
            scheduler.pause(&record.task.id)?;
        }
    }
    if let Some(pipeline) = named(DEADLINE) {
        scheduler.schedule_from(deadline_task(config), pipeline, now)?;
    }
    Ok(scheduler)
}

/// Returns when it is looked whether the forecast of the day is there.
fn deadline_task(config: &Config) -> ScheduledTask {
    let time = config.deadline.strftime("%-M %-H * * *").to_string();
    let schedule = Schedule::parse(&time, market_zone().clone());
    ScheduledTask::new(DEADLINE, DEADLINE, schedule.expect("a time of day is a cron expression"))
}

fn observe(
    watch: Arc<Watch>,
    under_way: Arc<Mutex<BTreeMap<String, Timestamp>>>,
    ended: Sender<()>,
    others: Box<dyn Fn(&ScheduledEvent) + Send + Sync>,
) -> impl Fn(&ScheduledEvent) + Send + Sync + 'static {
    let ended = Mutex::new(ended);
    move |event: &ScheduledEvent| {
        log_scheduled(event);
        others(event);
        match event {
            ScheduledEvent::Started { run, at } => {
                lock(&under_way).insert(run.key(), *at);
            }
            ScheduledEvent::Ended { run, result } => {
                watch.ended(run, result);
                lock(&under_way).remove(&run.key());
                // Nobody listens unless operations are being stopped.
                lock(&ended).send(()).unwrap_or_default();
            }
            ScheduledEvent::Decided(_) => {}
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Operations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Operations")
            .field("under_way", &self.under_way())
            .finish_non_exhaustive()
    }
}
