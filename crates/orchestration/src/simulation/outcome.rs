//! What happened in a simulated process, counted, so that nobody trusts one in which nothing did.

use std::fmt;

/// Something that the orchestrator must live with, or is there to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Occasion {
    /// An attempt failed.
    Failure,
    /// An attempt hung for hours.
    Hang,
    /// A result came from a superseded, abandoned or cancelled attempt.
    LateResult,
    /// The process died while it waited.
    Death,
    /// The process died before what it had decided was written.
    DeathBeforeWriting,
    /// The process died when its decisions were written and nobody had acted.
    DeathBeforeActing,
    /// The process died when somebody was told of an alert and that was not written.
    DeathAfterTelling,
    /// An attempt took its process down with it.
    DeathByWorker,
    /// A stage was blamed for the deaths of its processes.
    Blame,
    /// A run was interrupted and resumed.
    Interruption,
    /// The wall clock was set.
    ClockStep,
    /// A run was resumed with another deadline, or none.
    DeadlineChange,
    /// Somebody was told that a deadline is at risk or missed.
    Alert,
    /// A fan-out opened.
    FanOut,
    /// A fan-out had no items.
    EmptyFanOut,
    /// The collection of a fan-out could not be counted.
    Uncountable,
    /// The items of a fan-out were joined.
    Join,
    /// Items were joined of which some had no output.
    JoinWithGaps,
    /// A stage was left out because its condition was not met.
    ConditionUnmet,
    /// A stage began whose condition was met.
    ConditionMet,
    /// A stage completed without one that it had waited for.
    DidWithout,
    /// The output of an earlier run stood for an attempt.
    Recall,
    /// A pool without room held something up.
    HeldUpByPool,
    /// The limit of a fan-out held an item up.
    HeldUpByLimit,
    /// Something started before what is more urgent because it had waited longer.
    Ageing,
    /// An attempt stopped when its time was over.
    TimeObeyed,
    /// An attempt did not stop when it was asked to, and was abandoned.
    Abandonment,
    /// A stage was cancelled.
    StageCancellation,
    /// A stage was cancelled with everything behind it.
    SubtreeCancellation,
    /// An item was cancelled.
    ItemCancellation,
    /// A run was given up.
    RunCancellation,
    /// Something was cancelled of a run that nobody executed.
    CancellationAtRest,
    /// An output was degraded.
    Degradation,
}

impl Occasion {
    /// Every occasion.
    pub const ALL: [Self; 33] = [
        Self::Failure,
        Self::Hang,
        Self::LateResult,
        Self::Death,
        Self::DeathBeforeWriting,
        Self::DeathBeforeActing,
        Self::DeathAfterTelling,
        Self::DeathByWorker,
        Self::Blame,
        Self::Interruption,
        Self::ClockStep,
        Self::DeadlineChange,
        Self::Alert,
        Self::FanOut,
        Self::EmptyFanOut,
        Self::Uncountable,
        Self::Join,
        Self::JoinWithGaps,
        Self::ConditionUnmet,
        Self::ConditionMet,
        Self::DidWithout,
        Self::Recall,
        Self::HeldUpByPool,
        Self::HeldUpByLimit,
        Self::Ageing,
        Self::TimeObeyed,
        Self::Abandonment,
        Self::StageCancellation,
        Self::SubtreeCancellation,
        Self::ItemCancellation,
        Self::RunCancellation,
        Self::CancellationAtRest,
        Self::Degradation,
    ];
}

/// What happened in a simulated process, or in several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Steps of the simulation.
    pub steps: u64,
    /// Runs that came to their end.
    pub runs: u64,
    /// Attempts begun.
    pub attempts: u64,
    /// Events written.
    pub events: u64,
    counts: [u64; Occasion::ALL.len()],
}

impl Default for Outcome {
    fn default() -> Self {
        let counts = [0; Occasion::ALL.len()];
        Self { steps: 0, runs: 0, attempts: 0, events: 0, counts }
    }
}

impl Outcome {
    /// Returns how often something happened.
    pub fn count(&self, occasion: Occasion) -> u64 {
        self.counts[occasion as usize]
    }

    /// Adds what happened in another simulation.
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.runs += other.runs;
        self.attempts += other.attempts;
        self.events += other.events;
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
    }

    pub(super) fn note(&mut self, occasion: Occasion) {
        self.counts[occasion as usize] += 1;
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { steps, runs, attempts, events, .. } = self;
        write!(formatter, "{runs} runs, {steps} steps, {attempts} attempts, {events} events")?;
        for occasion in Occasion::ALL {
            write!(formatter, "\n{:>9} {occasion:?}", self.count(occasion))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_occasion_is_listed_at_its_own_place() {
        for (place, occasion) in Occasion::ALL.into_iter().enumerate() {
            assert_eq!(occasion as usize, place, "{occasion:?}");
        }
    }
}
