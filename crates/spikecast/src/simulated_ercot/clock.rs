//! What time it is in the simulated world: the real time, or another from which it goes on at
//! some speed. Only what is published until then is served.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use market::time::display;
use orchestration::Clock;

/// The simulated world's clock.
#[derive(Clone)]
pub struct WorldClock {
    clock: Arc<dyn Clock>,
    start: Option<Start>,
}

#[derive(Clone, Copy)]
struct Start {
    world: Timestamp,
    real: Duration,
    speed: f64,
}

/// No world is simulated for longer after its start, however fast: the simulator ends somewhere.
const WORLD_MAX: Duration = Duration::from_hours(24 * 365 * 10);

impl WorldClock {
    /// The simulated world's time is the real one.
    #[must_use]
    pub fn real(clock: Arc<dyn Clock>) -> Self {
        Self { clock, start: None }
    }

    /// The simulated world starts now at `from`; its time passes `speed` times as fast as the real
    /// one, and not at all at 0. `None` if the speed is negative or no number.
    #[must_use]
    pub fn starting(clock: Arc<dyn Clock>, from: Timestamp, speed: f64) -> Option<Self> {
        let is_speed = speed.is_finite() && 0.0 <= speed;
        let real = clock.monotonic();
        is_speed.then(|| Self { clock, start: Some(Start { world: from, real, speed }) })
    }

    /// Returns the simulated world's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let Some(start) = self.start else { return self.clock.now() };
        let passed = self.clock.monotonic().saturating_sub(start.real).as_secs_f64() * start.speed;
        let passed = Duration::from_secs_f64(passed.min(WORLD_MAX.as_secs_f64()));
        start.world + SignedDuration::try_from(passed).unwrap_or(SignedDuration::ZERO)
    }

    /// Returns the real time since some start, for tokens and limits: they bind real clients.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }
}

impl fmt::Debug for WorldClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let speed = self.start.map_or(1.0, |start| start.speed);
        write!(f, "WorldClock({}, {speed} times as fast)", display(self.now()))
    }
}

#[cfg(test)]
mod tests {
    use orchestration::ManualClock;

    use super::*;

    #[test]
    fn the_worlds_time_stands_still_or_passes_as_fast_as_asked() {
        let real = Timestamp::UNIX_EPOCH;
        let from: Timestamp = "2026-03-08T12:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::new(real));
        let worlds = [0.0, 1.0, 3_600.0]
            .map(|speed| WorldClock::starting(clock.clone(), from, speed).expect("it is a speed"));
        clock.advance(SignedDuration::from_secs(2));
        let passed = worlds.map(|world| (world.now() - from).as_secs());
        assert_eq!(passed, [0, 2, 7_200]);
        assert_eq!(WorldClock::real(clock.clone()).now(), real + SignedDuration::from_secs(2));
        assert!(WorldClock::starting(clock, from, -1.0).is_none());
    }
}
