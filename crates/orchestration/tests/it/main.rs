//! What the orchestrator promises, tried through its public face with a real journal file.

#[cfg(test)]
mod support;

#[cfg(test)]
mod backfill;
#[cfg(test)]
mod cancellation;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod execution;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod graph;
#[cfg(test)]
mod group_commit;
#[cfg(test)]
mod isolated;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod loss;
#[cfg(test)]
mod random;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod scheduler_cron;
#[cfg(test)]
mod scheduler_croniter;
#[cfg(test)]
mod scheduler_cronsim;
#[cfg(test)]
mod scheduler_daily;
#[cfg(test)]
mod scheduler_interval;
#[cfg(test)]
mod scheduler_loop;
#[cfg(test)]
mod scheduler_oracles;
#[cfg(test)]
mod scheduler_timetable;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod strategies;
#[cfg(test)]
mod task_graph;
#[cfg(test)]
mod task_requests;
#[cfg(test)]
mod tasks;
#[cfg(test)]
mod virtual_time;
