//! Stages in child processes: what they are handed and hand back, how they are stopped, and that
//! nothing they do harms anybody else. The children are real, of the example `isolated_faults`.

use std::io::{Read, Write};
use std::num::{NonZeroU64, NonZeroUsize};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use jiff::SignedDuration;
use orchestration::{
    CancellationToken, FailureClass, IsolatedCommand, IsolatedError, IsolatedLimits,
    IsolatedPolicy, IsolatedPool, ObservationKind, PipelineBuilder, Registry, RetryPolicy, Stage,
    StageContext, StageFailure, StageOutput, StageResult,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::Desk;

/// Nothing here takes so long unless it never ends.
const GUARD: Duration = Duration::from_mins(1);

const NO_LIMITS: IsolatedLimits = IsolatedLimits { timeout: None, memory_bytes_max: None };

/// Where children tell the test who they are.
struct Reception {
    folder: TempDir,
    guests: Mutex<Receiver<UnixStream>>,
}

/// A process that has told who it is.
struct Guest {
    pid: u32,
    connection: UnixStream,
}

impl Reception {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("socket")).unwrap();
        let (sender, guests) = channel();
        thread::spawn(move || {
            for guest in listener.incoming() {
                if sender.send(guest.unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { folder, guests: Mutex::new(guests) }
    }

    fn address(&self) -> Value {
        self.folder.path().join("socket").to_str().unwrap().into()
    }

    /// Waits for the next process.
    fn welcome(&self) -> Guest {
        let mut connection = self.guests.lock().unwrap().recv_timeout(GUARD).unwrap();
        connection.set_read_timeout(Some(GUARD)).unwrap();
        let mut pid = [0; 4];
        connection.read_exact(&mut pid).unwrap();
        Guest { pid: u32::from_be_bytes(pid), connection }
    }
}

impl Guest {
    fn answer(&mut self, byte: u8) {
        self.connection.write_all(&[byte]).unwrap();
    }

    fn kill(&self) {
        let pid = Pid::from_raw(i32::try_from(self.pid).unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
    }

    /// Waits until it has died, and everybody to whom it gave its connection.
    fn wait_for_end(mut self) {
        let mut rest = Vec::new();
        self.connection.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"");
    }
}

fn faults() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.extend(["examples", "isolated_faults"]);
    path
}

fn serve() -> IsolatedCommand {
    IsolatedCommand::new(faults()).argument("serve")
}

fn policy(children_max: usize) -> IsolatedPolicy {
    IsolatedPolicy {
        children_max: NonZeroUsize::new(children_max).unwrap(),
        idle_max: children_max,
        ..IsolatedPolicy::default()
    }
}

fn pool(policy: IsolatedPolicy) -> Arc<IsolatedPool> {
    Arc::new(IsolatedPool::start(serve(), policy).unwrap())
}

fn timeout(milliseconds: u64) -> IsolatedLimits {
    IsolatedLimits { timeout: Some(Duration::from_millis(milliseconds)), ..NO_LIMITS }
}

/// Makes one attempt of a stage that calls `isolated`, until `token` is cancelled.
fn run(
    token: &CancellationToken,
    isolated: impl Fn(&StageContext) -> StageResult + Send + Sync + 'static,
    input: Value,
) -> StageResult {
    let desk = Desk::new();
    let (sender, results) = channel();
    let mut registry = Registry::new();
    registry.register("first", |_| {
        Ok(StageOutput::fresh(json!([0.1, "α"])).degraded_because("made up"))
    });
    registry.register("isolated", move |stage| {
        let result = isolated(stage);
        sender.send(result.clone()).unwrap();
        result
    });
    let stage = Stage::new("second", "isolated").after(["first"]);
    let pipeline = PipelineBuilder::new("day")
        .stage(Stage::new("first", "first"))
        .stage(stage.input(input).retry(RetryPolicy::NEVER))
        .build()
        .unwrap();
    let executor = desk.executor(registry, 1);
    let submission = executor.submit(&pipeline, "k", json!({"day": 28})).unwrap();
    executor.execute(submission.run_id, token).unwrap();
    results.try_recv().unwrap()
}

fn attempt_until(
    token: &CancellationToken,
    pool: &Arc<IsolatedPool>,
    function: &str,
    input: Value,
) -> StageResult {
    run(token, pool.function(function, NO_LIMITS).unwrap(), input)
}

fn attempt(
    pool: &Arc<IsolatedPool>,
    function: &str,
    limits: IsolatedLimits,
    input: Value,
) -> StageResult {
    run(&CancellationToken::new(), pool.function(function, limits).unwrap(), input)
}

fn pid(pool: &Arc<IsolatedPool>, limits: IsolatedLimits) -> u64 {
    attempt(pool, "pid", limits, Value::Null).unwrap().value.as_u64().unwrap()
}

fn failure(pool: &Arc<IsolatedPool>, function: &str, limits: IsolatedLimits) -> StageFailure {
    attempt(pool, function, limits, Value::Null).unwrap_err()
}

#[test]
fn everything_a_stage_is_handed_crosses_and_its_output_comes_back() {
    let pool = pool(policy(1));
    let output = attempt(&pool, "echo", NO_LIMITS, json!({"x": [1, null]})).unwrap();
    let child = output.value["pid"].as_u64().unwrap();
    assert_ne!(child, u64::from(std::process::id()));
    assert_eq!(
        output.value,
        json!({
            "run_id": "r000001",
            "run_input": {"day": 28},
            "stage": "second",
            "input": {"x": [1, null]},
            "attempt": 1,
            "first": [0.1, "α"],
            "first_degraded": ["made up"],
            "pid": child,
        })
    );
    assert_eq!(output.degraded, ["only an echo"]);
}

#[test]
fn a_failure_keeps_its_class_its_message_and_its_wait() {
    let pool = pool(policy(1));
    for class in FailureClass::ALL {
        let failure = attempt(&pool, "fail", NO_LIMITS, class.as_str().into()).unwrap_err();
        let wait = SignedDuration::from_millis(1500);
        assert_eq!(failure, StageFailure::new(class, "as asked").with_wait(wait));
    }
}

#[test]
fn a_panic_is_a_bug_with_its_backtrace_and_the_child_lives_on() {
    let pool = pool(policy(1));
    let before = pid(&pool, NO_LIMITS);
    let failure = failure(&pool, "panic", NO_LIMITS);
    assert_eq!(failure.to_string(), "bug: panic: index 7 is out of bounds");
    let backtrace = failure.backtrace.unwrap();
    assert!(backtrace.contains("isolated_faults::functions"), "{backtrace}");
    assert_eq!(pid(&pool, NO_LIMITS), before);
}

#[test]
fn what_functions_print_and_read_does_not_get_into_the_conversation() {
    let pool = pool(policy(1));
    let before = pid(&pool, NO_LIMITS);
    let output = attempt(&pool, "print", NO_LIMITS, Value::Null).unwrap();
    assert_eq!(output.value, json!([true, 0]));
    assert_eq!(pid(&pool, NO_LIMITS), before);
}

#[test]
fn progress_is_heard_while_the_function_works() {
    let pool = pool(policy(1));
    let desk = Desk::new();
    let (sender, heard) = channel();
    let mut registry = Registry::new();
    registry.register("isolated", pool.function("progress", NO_LIMITS).unwrap());
    let executor = desk.executor(registry, 1).observe(Box::new(move |observation| {
        if let ObservationKind::StageProgress { progress, .. } = &observation.kind {
            let (done, total) = (progress.done, progress.total);
            sender.send(format!("{done} of {total}: {}", progress.message)).unwrap();
        }
    }));
    let pipeline = PipelineBuilder::new("day").stage(Stage::new("a", "isolated")).build().unwrap();
    let submission = executor.submit(&pipeline, "k", Value::Null).unwrap();
    executor.execute(submission.run_id, &CancellationToken::new()).unwrap();
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), ["1 of 2: half", "2 of 2: all"]);
}

#[test]
fn results_that_are_too_large_are_failures_that_say_so() {
    let pool = pool(policy(1));
    let before = pid(&pool, NO_LIMITS);
    let output = failure(&pool, "large_output", NO_LIMITS);
    assert_eq!(output.class, FailureClass::Bug);
    assert!(output.message.starts_with("an output of 1048578 bytes"), "{output}");
    let failure = failure(&pool, "large_failure", NO_LIMITS);
    assert_eq!(failure.class, FailureClass::Bug);
    assert!(failure.message.starts_with("the result is too large: a frame of 52"), "{failure}");
    assert_eq!(pid(&pool, NO_LIMITS), before);
}

#[test]
fn a_function_whose_time_is_over_is_killed_with_everything_it_started() {
    let (pool, reception) = (pool(policy(1)), Reception::open());
    let call = attempt(&pool, "spin_with_grandchild", timeout(1000), reception.address());
    let guest = reception.welcome();
    let child = u64::from(guest.pid);
    // The grandchild has the connection too.
    guest.wait_for_end();
    let failure = call.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "timeout: no output within 1s; its process group was sent SIGTERM, and ended"
    );
    assert_ne!(pid(&pool, NO_LIMITS), child);
}

#[test]
fn who_ignores_sigterm_is_killed_after_the_grace() {
    let reception = Reception::open();
    // What is ignored stays ignored by the program that takes the shell's place.
    let script = r#"trap "" TERM; exec "$0" serve"#;
    let command = IsolatedCommand::new("sh").argument("-c").argument(script).argument(faults());
    let policy = IsolatedPolicy { grace: Duration::from_millis(100), ..policy(1) };
    let pool = Arc::new(IsolatedPool::start(command, policy).unwrap());
    let call = attempt(&pool, "spin_with_grandchild", timeout(1000), reception.address());
    reception.welcome().wait_for_end();
    assert_eq!(
        call.unwrap_err().to_string(),
        "timeout: no output within 1s; its process group was sent SIGTERM, and SIGKILL after \
         100ms more"
    );
}

#[test]
fn a_function_that_is_asked_to_stop_ends_by_itself_and_its_child_lives_on() {
    let (pool, reception) = (pool(policy(1)), Reception::open());
    let token = CancellationToken::new();
    thread::scope(|scope| {
        let call =
            scope.spawn(|| attempt_until(&token, &pool, "until_cancelled", reception.address()));
        let guest = reception.welcome();
        token.cancel();
        let expected = StageFailure::new(FailureClass::Cancelled, "asked to stop");
        assert_eq!(call.join().unwrap(), Err(expected));
        // The request does not outlive the call.
        assert_eq!(pid(&pool, NO_LIMITS), u64::from(guest.pid));
    });
}

#[test]
fn a_function_that_does_not_look_at_its_token_is_ended_after_the_grace() {
    let reception = Reception::open();
    let pool = pool(IsolatedPolicy { grace: Duration::from_millis(50), ..policy(1) });
    let token = CancellationToken::new();
    thread::scope(|scope| {
        let call = scope.spawn(|| attempt_until(&token, &pool, "spin", reception.address()));
        let guest = reception.welcome();
        token.cancel();
        guest.wait_for_end();
        assert_eq!(
            call.join().unwrap().unwrap_err().to_string(),
            "cancelled: asked to stop, it went on; its process group was sent SIGTERM, and ended"
        );
    });
}

#[test]
fn a_child_that_somebody_kills_fails_its_call_at_once_and_the_next_one_works() {
    let (pool, reception) = (pool(policy(1)), Reception::open());
    thread::scope(|scope| {
        let call = scope.spawn(|| attempt(&pool, "hold", NO_LIMITS, reception.address()));
        let guest = reception.welcome();
        let child = u64::from(guest.pid);
        guest.kill();
        let failure = call.join().unwrap().unwrap_err();
        assert_eq!(failure.class, FailureClass::ResourceExhaustion);
        assert!(failure.message.contains("signal: 9 (SIGKILL)"), "{failure}");
        assert_ne!(pid(&pool, NO_LIMITS), child);
    });
}

#[test]
fn a_child_that_dies_says_how_and_what_it_wrote_last() {
    let pool = pool(policy(1));
    let aborted = failure(&pool, "abort", NO_LIMITS);
    assert_eq!(aborted.class, FailureClass::Bug);
    assert!(aborted.message.starts_with("the isolated worker died (signal: 6 (SIGABRT)"));
    let ended = failure(&pool, "exit", NO_LIMITS);
    assert_eq!(
        ended.to_string(),
        "bug: the isolated worker died (exit status: 3); it last wrote: the model file is gone"
    );
    pid(&pool, NO_LIMITS);
}

#[test]
fn a_function_that_hoards_memory_is_stopped_at_its_limit() {
    let pool = pool(policy(1));
    let limits = IsolatedLimits { memory_bytes_max: Some(256 << 20), ..NO_LIMITS };
    let failure = failure(&pool, "hoard", limits);
    assert_eq!(failure.class, FailureClass::ResourceExhaustion);
    let expected = "the isolated worker came to its limit of 268435456 bytes of memory (signal: 6";
    assert!(failure.message.starts_with(expected), "{failure}");
}

#[test]
fn each_limit_of_memory_has_children_of_its_own() {
    let pool = pool(policy(2));
    let limited = IsolatedLimits { memory_bytes_max: Some(1 << 30), ..NO_LIMITS };
    let (first, second) = (pid(&pool, NO_LIMITS), pid(&pool, limited));
    assert_ne!(first, second);
    assert_eq!(pid(&pool, limited), second);
    // Two places, three limits: somebody has to go.
    let other = IsolatedLimits { memory_bytes_max: Some(2 << 30), ..NO_LIMITS };
    assert_ne!(pid(&pool, other), second);
}

#[test]
fn children_do_not_outlive_an_orchestrator_that_is_killed() {
    let reception = Reception::open();
    let mut orchestrator = Command::new(faults())
        .args(["orchestrate", reception.address().as_str().unwrap()])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let guest = reception.welcome();
    orchestrator.kill().unwrap();
    orchestrator.wait().unwrap();
    guest.wait_for_end();
}

#[test]
fn a_child_is_used_again_until_it_is_spent() {
    let calls_per_child_max = NonZeroU64::new(3).unwrap();
    let pool = pool(IsolatedPolicy { calls_per_child_max, ..policy(1) });
    let pids: Vec<u64> = (0..6).map(|_| pid(&pool, NO_LIMITS)).collect();
    assert_eq!(pids[..3], [pids[0]; 3]);
    assert_eq!(pids[3..], [pids[3]; 3]);
    assert_ne!(pids[0], pids[3]);
}

#[test]
fn there_are_never_more_children_than_allowed() {
    let (pool, reception) = (pool(policy(2)), Reception::open());
    thread::scope(|scope| {
        let calls: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| attempt(&pool, "hold", NO_LIMITS, reception.address())))
            .collect();
        let (mut first, mut second) = (reception.welcome(), reception.welcome());
        first.answer(1);
        // Only now is there a child for the third.
        let mut third = reception.welcome();
        assert_ne!(first.pid, second.pid);
        assert_eq!(third.pid, first.pid);
        second.answer(1);
        third.answer(1);
        for call in calls {
            assert_eq!(call.join().unwrap(), Ok(StageOutput::fresh(1.into())));
        }
    });
}

#[test]
fn many_callers_share_few_children_though_some_of_them_die() {
    let pool = pool(policy(2));
    thread::scope(|scope| {
        for caller in 0..4 {
            let pool = &pool;
            scope.spawn(move || {
                for call in 0..12 {
                    match (caller + call) % 4 {
                        0 => {
                            let died = failure(pool, "abort", NO_LIMITS);
                            assert!(died.message.contains("SIGABRT"), "{died}");
                        }
                        1 => {
                            let died = failure(pool, "exit", timeout(60_000));
                            assert!(died.message.contains("exit status: 3"), "{died}");
                        }
                        _ => assert_ne!(pid(pool, NO_LIMITS), 0),
                    }
                }
            });
        }
    });
}

#[test]
fn a_call_that_waits_for_a_child_can_time_out_and_be_cancelled() {
    let (pool, reception) = (pool(policy(1)), Reception::open());
    let token = CancellationToken::new();
    thread::scope(|scope| {
        let call = scope.spawn(|| attempt(&pool, "hold", NO_LIMITS, reception.address()));
        let mut guest = reception.welcome();
        let late = failure(&pool, "pid", timeout(20));
        assert_eq!(late.to_string(), "timeout: no isolated worker was free within 20ms");
        let (sender, begun) = channel();
        let isolated = pool.function("pid", NO_LIMITS).unwrap();
        let announced = move |stage: &StageContext| {
            sender.send(()).unwrap();
            isolated(stage)
        };
        let waits = scope.spawn(|| run(&token, announced, Value::Null));
        begun.recv().unwrap();
        token.cancel();
        assert_eq!(
            waits.join().unwrap().unwrap_err().to_string(),
            "cancelled: asked to stop before an isolated worker was free"
        );
        guest.answer(1);
        call.join().unwrap().unwrap();
    });
}

#[test]
fn children_are_started_ahead_and_replaced_when_they_die_and_end_with_the_pool() {
    let reception = Reception::open();
    let command = serve().argument(reception.address().as_str().unwrap());
    let pool = Arc::new(IsolatedPool::start(command, policy(2)).unwrap());
    let (first, second) = (reception.welcome(), reception.welcome());
    let used = pid(&pool, NO_LIMITS);
    let (used, other) =
        if used == u64::from(first.pid) { (first, second) } else { (second, first) };
    used.kill();
    used.wait_for_end();
    // Nobody calls, and yet it is replaced.
    let third = reception.welcome();
    drop(pool);
    other.wait_for_end();
    third.wait_for_end();
}

#[test]
fn an_idle_child_that_was_killed_is_not_the_next_calls_fault() {
    let reception = Reception::open();
    let command = serve().argument(reception.address().as_str().unwrap());
    let pool = Arc::new(IsolatedPool::start(command, policy(1)).unwrap());
    for _ in 0..20 {
        let guest = reception.welcome();
        assert_eq!(pid(&pool, NO_LIMITS), u64::from(guest.pid));
        guest.kill();
        guest.wait_for_end();
        let next = pid(&pool, NO_LIMITS);
        assert_eq!(pid(&pool, NO_LIMITS), next);
        let guest = reception.welcome();
        guest.kill();
        guest.wait_for_end();
    }
}

#[test]
fn a_call_whose_child_dies_before_it_was_told_is_made_by_another() {
    let folder = tempfile::tempdir().unwrap();
    // The first child answers the handshake and ends when it has heard a byte of the call.
    let script = r#"
        if mkdir "$1/begun"; then
            pid=$$; dd bs=1 count=$((68 + ${#pid})) of=/dev/null
            printf '\000\000\000\054{"ready":{"protocol":1,"functions":["pid"]}}' >&0
            dd bs=1 count=1 of=/dev/null; exit 3
        fi
        exec "$0" serve"#;
    let command = IsolatedCommand::new("sh").argument("-c").argument(script);
    let command = command.argument(faults()).argument(folder.path());
    let pool = Arc::new(IsolatedPool::start(command, policy(1)).unwrap());
    assert_eq!(pool.functions().collect::<Vec<_>>(), ["pid"]);
    // More than a connection holds.
    let input = Value::from("x".repeat(1 << 20));
    let output = attempt(&pool, "pid", NO_LIMITS, input).unwrap();
    assert_eq!(output.value.as_u64().unwrap(), pid(&pool, NO_LIMITS));
}

fn check_handshake(script: &str, answer_max: Duration, expected: &str) {
    let command = IsolatedCommand::new("sh").argument("-c").argument(script);
    let policy = IsolatedPolicy { answer_max, ..policy(1) };
    let error = IsolatedPool::start(command.clone(), policy).unwrap_err();
    assert_eq!(error.to_string(), format!("isolated worker {command} {expected}"));
}

#[test]
fn a_wrong_command_is_told_by_its_handshake() {
    let check = |script, found: &str| {
        check_handshake(script, GUARD, &format!("did not answer the handshake: {found}"));
    };
    check("exit 3", "it ended with exit status: 3");
    check("echo usage; kill -9 $$", "it ended with signal: 9 (SIGKILL); it wrote: usage");
    check(
        "printf 'GET / HTTP' >&0; cat >/dev/null",
        "it sent a frame of 1195725856 bytes, but at most 4194304 cross to the other side",
    );
    check(
        r"printf '\000\000\000\002{}' >&0; cat >/dev/null",
        "it sent a frame that is not of the protocol",
    );
    check_handshake(
        r#"printf '\000\000\000\047{"ready":{"protocol":9,"functions":[]}}' >&0; cat >/dev/null"#,
        GUARD,
        "speaks version 9 of the protocol, expected 1; start the same program",
    );
    check_handshake(
        "cat >/dev/null",
        Duration::from_millis(50),
        "did not answer the handshake: it sent nothing within 50ms",
    );
}

#[test]
fn a_command_that_is_not_there_is_told_by_its_name() {
    let command = IsolatedCommand::new("/nowhere/spikecast").argument("isolated");
    let error = IsolatedPool::start(command, policy(1)).unwrap_err();
    assert!(matches!(&error, IsolatedError::NotStarted { .. }));
    let expected = "isolated worker /nowhere/spikecast isolated could not be started";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_function_that_children_do_not_have_cannot_be_registered() {
    let pool = pool(policy(1));
    let error = pool.function("train", NO_LIMITS).map(|_| ()).unwrap_err();
    let functions = pool.functions().collect::<Vec<_>>().join(", ");
    assert!(functions.starts_with("abort, echo, exit, fail"), "{functions}");
    assert!(error.to_string().ends_with(&format!("has no function train; it has {functions}")));
}

#[test]
fn a_child_that_nobody_called_says_so() {
    let output = Command::new(faults()).arg("serve").stdin(Stdio::null()).output().unwrap();
    assert!(!output.status.success());
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("NotAChild"), "{errors}");
}

#[test]
fn a_caught_panic_is_not_printed_and_others_are() {
    let output = Command::new(faults()).arg("panic").output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    assert!(errors.contains("another panic"), "{errors}");
    assert!(!errors.contains("a caught panic"), "{errors}");
}
