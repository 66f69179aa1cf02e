//! Resource pools: so many slots of something that all runs of an executor share.
//!
//! Plain counts. Who may start is decided in `decide`; the runtime keeps one ledger for all runs
//! and takes and gives back.

use std::collections::BTreeMap;

use crate::pipeline::PoolClaim;

/// How many slots every pool has, and how many are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pools {
    by_name: BTreeMap<String, Pool>,
}

/// A pool's slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    /// How many there are.
    pub slots: u32,
    /// How many of them are taken.
    pub taken: u32,
}

/// A claim can never be met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// Nobody said how large the pool is.
    #[error("pool {pool} is not defined; say how many slots it has")]
    Unknown {
        /// The pool.
        pool: String,
    },
    /// More slots are claimed than there are.
    #[error("pool {pool} has {slots} slots, and {claimed} are claimed at once")]
    TooSmall {
        /// The pool.
        pool: String,
        /// How many there are.
        slots: u32,
        /// How many one attempt would take.
        claimed: u32,
    },
}

impl Pools {
    /// Sets how many slots a pool has.
    pub fn define(&mut self, pool: impl Into<String>, slots: u32) {
        self.by_name.entry(pool.into()).or_default().slots = slots;
    }

    /// Returns a pool's slots, if it is defined.
    pub fn get(&self, pool: &str) -> Option<Pool> {
        self.by_name.get(pool).copied()
    }

    /// Tells why claims could never be met, if they could not.
    pub fn check(&self, claims: &[PoolClaim]) -> Result<(), PoolError> {
        for PoolClaim { pool, slots: claimed } in claims {
            let pool = pool.clone();
            match self.get(&pool) {
                None => return Err(PoolError::Unknown { pool }),
                Some(Pool { slots, .. }) if slots < *claimed => {
                    return Err(PoolError::TooSmall { pool, slots, claimed: *claimed });
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Returns the first pool that has no room for its claim now; `None` if all have.
    pub fn full<'c>(&self, claims: &'c [PoolClaim]) -> Option<&'c PoolClaim> {
        claims.iter().find(|claim| {
            let Pool { slots, taken } = self.get(&claim.pool).unwrap_or_default();
            slots < taken.saturating_add(claim.slots)
        })
    }

    /// Takes slots, whether or not there is room: what an event says has happened.
    pub fn take(&mut self, claims: &[PoolClaim]) {
        for claim in claims {
            self.by_name.entry(claim.pool.clone()).or_default().taken += claim.slots;
        }
    }

    /// Gives slots back that were taken.
    pub fn give_back(&mut self, claims: &[PoolClaim]) {
        for claim in claims {
            let pool = self.by_name.entry(claim.pool.clone()).or_default();
            pool.taken = pool.taken.saturating_sub(claim.slots);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(pool: &str, slots: u32) -> PoolClaim {
        PoolClaim { pool: pool.to_owned(), slots }
    }

    #[test]
    fn a_pool_has_room_until_its_slots_are_taken_and_again_when_they_are_given_back() {
        let mut pools = Pools::default();
        pools.define("requests", 3);
        let (one, two) = ([claim("requests", 1)], [claim("requests", 2)]);
        pools.take(&two);
        assert_eq!(pools.full(&one), None);
        assert_eq!(pools.full(&two), Some(&two[0]));
        pools.give_back(&two);
        assert_eq!(pools.full(&two), None);
        assert_eq!(pools.get("requests"), Some(Pool { slots: 3, taken: 0 }));
    }

    #[test]
    fn claims_that_could_never_be_met_are_refused() {
        let mut pools = Pools::default();
        pools.define("requests", 3);
        pools.check(&[claim("requests", 3)]).unwrap();
        let text = |claims: &[PoolClaim]| pools.check(claims).unwrap_err().to_string();
        assert_eq!(
            text(&[claim("requests", 4)]),
            "pool requests has 3 slots, and 4 are claimed at once"
        );
        assert_eq!(
            text(&[claim("memory", 1)]),
            "pool memory is not defined; say how many slots it has"
        );
    }
}
