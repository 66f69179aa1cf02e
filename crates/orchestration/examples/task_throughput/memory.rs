//! The measurement in memory: closures of a [`TaskManager`].

use orchestration::{
    Clock, Concurrency, Retries, SystemClock, TaskError, TaskHandle, TaskManager, TaskResult,
    TaskStatus,
};

use crate::flags::{Flags, Shape};
use crate::{Measured, Outcome, end_of, process};

pub(crate) fn measure(flags: &Flags) -> Outcome<Measured> {
    let clock = SystemClock::new();
    let mut manager = TaskManager::new(flags.workers());
    let mapped = match flags.shape {
        Shape::Map => Some(define_map(&mut manager, flags.tasks)?),
        Shape::Chain | Shape::Wide | Shape::Diamond => {
            define_graph(&mut manager, flags)?;
            None
        }
    };
    let definition = clock.monotonic();
    manager.check()?;
    let plan = (clock.monotonic() - definition, process::memory("VmHWM")?);
    let (begun, busy) = (clock.monotonic(), process::cpu_time()?);
    let results = manager.execute_all(Concurrency::Parallel, Retries::On)?;
    let execution = clock.monotonic() - begun;
    let processor = process::cpu_time()?.saturating_sub(busy);
    let mut ends = Vec::with_capacity(flags.tasks);
    for result in results {
        match &mapped {
            Some(mapped) if result.id == mapped.id() => {
                for item in manager.item_results(mapped, 0..flags.tasks) {
                    ends.push(end_of_completed(&item)?);
                }
            }
            Some(_) | None => ends.push(end_of_completed(&result)?),
        }
    }
    Ok(Measured { definition, plan, execution, processor, ends, disk: None })
}

fn end_of_completed(result: &TaskResult) -> Outcome<(jiff::Timestamp, jiff::Timestamp)> {
    if result.status != TaskStatus::Completed {
        return Err(format!("task {} is {}", result.name, result.status).into());
    }
    end_of(&result.attempts)
}

fn define_graph(manager: &mut TaskManager, flags: &Flags) -> Result<(), TaskError> {
    let mut handles: Vec<TaskHandle<()>> = Vec::with_capacity(flags.tasks);
    for (number, before) in flags.shape.dependencies(flags.tasks).iter().enumerate() {
        let inputs: Vec<_> = before.iter().map(|place| handles[*place].clone()).collect();
        let task = manager.create_task(&format!("t{number}"), inputs.as_slice(), |_, _| Ok(()))?;
        handles.push(task);
    }
    Ok(())
}

/// Returns the fan-out; two tasks are not items of it.
fn define_map(
    manager: &mut TaskManager,
    tasks: usize,
) -> Result<TaskHandle<Vec<Option<()>>>, TaskError> {
    let items = tasks.saturating_sub(2);
    let list = manager.create_task("list", (), move |(), _| Ok(vec![(); items]))?;
    let mapped = manager.create_map("item", &list, |(), _| Ok(()))?;
    manager.create_task("all", &mapped, |all, _| Ok(all.iter().flatten().count()))?;
    Ok(mapped)
}
