//! Creating tasks with priorities and dependencies, and executing them in dependency order.
//!
//! The output of one task is handed to the next with its Rust type; a task that takes another type
//! does not compile.

use std::error::Error;
use std::io::Write;
use std::num::NonZeroUsize;

use orchestration::{Concurrency, Retries, Task, TaskManager, TaskPriority};

/// Prices above this are spikes, in $/MWh.
const SPIKE: f64 = 1_000.0;

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();

    // Create a task manager.
    let workers_max = NonZeroUsize::new(4).ok_or("four is not zero")?;
    let mut task_manager = TaskManager::new(workers_max);

    // Create tasks.
    let (start_hour, end_hour) = (17, 20);
    let fetch_task = task_manager.add_task(
        Task::new("fetch_data", (), move |(), _| Ok(fetch_data(start_hour, end_hour)))
            .priority(TaskPriority::High),
    )?;
    let feature_task = task_manager.add_task(
        Task::new("engineer_features", &fetch_task, |raw_data, _| Ok(engineer_features(&raw_data)))
            .priority(TaskPriority::Medium),
    )?;

    // Taking an output is a dependency; waiting without taking one is added by name.
    let audit_task = task_manager.create_task("audit", (), |(), _| Ok(()))?;
    task_manager.add_dependency(&audit_task, &feature_task)?;

    // Execute tasks in dependency order.
    let results = task_manager.execute_all(Concurrency::Parallel, Retries::On)?;
    for result in results {
        writeln!(out, "{}: {}", result.name, result.status)?;
    }
    writeln!(out, "hours with a spike: {:?}", task_manager.output(&feature_task)?)?;
    Ok(())
}

/// Hour and highest price of the hour.
fn fetch_data(start_hour: u32, end_hour: u32) -> Vec<(u32, f64)> {
    (start_hour..=end_hour).map(|hour| (hour, if hour == 18 { 4_210.0 } else { 38.5 })).collect()
}

fn engineer_features(raw_data: &[(u32, f64)]) -> Vec<u32> {
    raw_data.iter().filter(|(_, price)| SPIKE < *price).map(|(hour, _)| *hour).collect()
}
