//! A set of small numbers: the values of one field.

/// Numbers below 64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct NumberSet(u64);

impl NumberSet {
    /// Returns the set of every `step`-th number from `first` up to `last`.
    ///
    /// # Panics
    /// If `step` is 0 or `last` is not below 64: the parser has checked both.
    pub(super) fn range(first: u8, last: u8, step: usize) -> Self {
        assert!(last < 64, "a field holds numbers below 64");
        if step == 1 {
            let up_to_last = u64::MAX >> (63 - last);
            return Self(up_to_last >> first << first);
        }
        (first..=last).step_by(step).fold(Self::default(), |mut set, number| {
            set.insert(number);
            set
        })
    }

    pub(super) fn insert(&mut self, number: u8) {
        self.0 |= 1 << number;
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn contains(self, number: u8) -> bool {
        self.0 >> number & 1 == 1
    }

    /// Returns the smallest number that is at least `number`.
    pub(super) fn at_least(self, number: u8) -> Option<u8> {
        let rest = self.0.checked_shr(u32::from(number))?;
        let ahead = u8::try_from(rest.trailing_zeros()).ok()?;
        (rest != 0).then_some(number + ahead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_range_is_the_same_as_one_number_after_the_other() {
        for (first, last) in [(0, 0), (0, 59), (1, 31), (5, 5), (0, 63), (63, 63)] {
            let mut expected = NumberSet::default();
            (first..=last).for_each(|number| expected.insert(number));
            assert_eq!(NumberSet::range(first, last, 1), expected);
        }
    }

    #[test]
    fn a_set_finds_its_next_number_up_to_its_end() {
        let set = NumberSet::range(5, 59, 27);
        let found: Vec<_> = [0, 5, 6, 32, 33, 59, 63, 64].map(|from| set.at_least(from)).into();
        let expected =
            [Some(5), Some(5), Some(32), Some(32), Some(59), Some(59), None, None].to_vec();
        assert_eq!(found, expected);
    }
}
