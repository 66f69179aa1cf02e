//! What the orchestrator promises when the system has no file descriptors left.
//!
//! A program with a single test, because the limit is of the whole process.

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::fs::File;
    use std::num::NonZeroUsize;
    use std::os::fd::AsRawFd;
    use std::path::Path;
    use std::sync::Arc;

    use orchestration::{
        CancellationToken, ExecutionError, Journal, JournalError, ManualClock, PipelineBuilder,
        PipelineExecutor, Registry, RunReport, RunStatus, Stage, StageOutput,
    };
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    /// Opening a journal takes fewer descriptors than this.
    const SPARE_MAX: u64 = 16;

    /// Leaves this process only so many descriptors more, until it is dropped.
    struct Scarcity {
        before: Rlimit,
    }

    impl Scarcity {
        fn new(spare: u64) -> Self {
            let before = getrlimit(Resource::Nofile);
            let lowest_free = File::open("/dev/null").unwrap().as_raw_fd();
            let current = Some(u64::try_from(lowest_free).unwrap() + spare);
            setrlimit(Resource::Nofile, Rlimit { current, ..before }).unwrap();
            Self { before }
        }
    }

    impl Drop for Scarcity {
        fn drop(&mut self) {
            setrlimit(Resource::Nofile, self.before).unwrap();
        }
    }

    fn open(path: &Path) -> Result<PipelineExecutor, JournalError> {
        let mut registry = Registry::new();
        registry.register("work", |stage| Ok(StageOutput::fresh(stage.stage().into())));
        let clock = Arc::new(ManualClock::new("2026-01-27T12:00:00Z".parse().unwrap()));
        Ok(PipelineExecutor::new(Journal::open(path)?, registry, clock, NonZeroUsize::MIN))
    }

    fn run(executor: &PipelineExecutor) -> Result<RunReport, ExecutionError> {
        let pipeline = PipelineBuilder::new("day")
            .stage(Stage::new("fetch", "work"))
            .stage(Stage::new("forecast", "work").after(["fetch"]))
            .build()
            .unwrap();
        let submission = executor.submit_once(&pipeline, "2026-01-28", "day".into())?;
        executor.execute(submission.run_id, &CancellationToken::new())
    }

    /// Returns whether a run completes with so many descriptors; if not, checks what is said, and
    /// that the run completes when there are more.
    fn completes(spare: u64) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.sqlite");
        let scarcity = Scarcity::new(spare);
        let error = match open(&path).map_err(Into::into).and_then(|executor| run(&executor)) {
            Ok(report) => {
                assert_eq!(report.status, RunStatus::Completed);
                return true;
            }
            Err(error) => error,
        };
        drop(scarcity);
        let ExecutionError::Journal(error) = error else { panic!("{spare} spare: {error}") };
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        let told = format!("{error}: {cause}").to_lowercase();
        // SQLite does not say why it cannot open a file.
        let reasons = ["too many open files", "too many files are open", "unable to open"];
        assert!(told.contains("journal.sqlite cannot be "), "{spare} spare: {told}");
        assert!(reasons.iter().any(|reason| told.contains(reason)), "{spare} spare: {told}");
        let report = run(&open(&path).unwrap()).unwrap();
        assert_eq!(report.status, RunStatus::Completed);
        false
    }

    #[test]
    fn a_process_without_descriptors_says_so_and_the_run_completes_when_there_are_some() {
        let first = (0..SPARE_MAX).find(|spare| completes(*spare)).expect("16 are enough");
        assert!(0 < first);
    }
}
