//! Random choices that depend on a seed alone.

use crate::recovery::mix;

/// A stream of random choices.
#[derive(Clone, Debug)]
pub(super) struct Chance {
    state: u64,
}

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: mix(seed) }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(1);
        mix(self.state)
    }

    /// Returns a number below `bound`, which is small, so the bias of the remainder is not felt.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let number = self.next() % (bound.max(1) as u64);
        usize::try_from(number).unwrap_or(0)
    }

    /// Returns a number from 1 to `most`.
    pub(super) fn count(&mut self, most: u32) -> u32 {
        1 + u32::try_from(self.next() % u64::from(most.max(1))).unwrap_or(0)
    }

    /// Returns a number of seconds below `bound`.
    pub(super) fn seconds(&mut self, bound: u32) -> i64 {
        i64::try_from(self.next() % u64::from(bound.max(1))).unwrap_or(0)
    }

    /// Tells yes once in `times`.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Returns one of several.
    pub(super) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}
