//! The rules of the market by date: price caps, the ORDC and RTC+B eras, when a service began.

use jiff::Timestamp;

use crate::observation::AncillaryService;

/// 1 January 2022, when the cap fell from $9,000 to $5,000.
pub(super) const LOWER_CAP_SINCE: Timestamp = Timestamp::constant(1_641_016_800, 0);
/// 10 June 2023, since when contingency reserve has been bought.
const CONTINGENCY_RESERVE_SINCE: Timestamp = Timestamp::constant(1_686_373_200, 0);
/// 5 December 2025, since when reserves are priced together with energy (RTC+B).
pub(super) const RTC_PLUS_B_SINCE: Timestamp = Timestamp::constant(1_764_914_400, 0);

/// How scarcity gets into prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Era {
    /// The operating reserve demand curve is an adder: outside the LMP, inside the SPP.
    OperatingReserveDemandCurve,
    /// Demand curves for each service are cleared with energy: scarcity is inside the LMP.
    RealTimeCoOptimization,
}

impl Era {
    pub(super) fn at(instant: Timestamp) -> Self {
        if instant < RTC_PLUS_B_SINCE {
            Era::OperatingReserveDemandCurve
        } else {
            Era::RealTimeCoOptimization
        }
    }
}

/// Returns the value of lost load, $/MWh: no energy costs more, but congestion may add to it.
pub(super) fn price_cap(at: Timestamp) -> f64 {
    if at < LOWER_CAP_SINCE { 9_000.0 } else { 5_000.0 }
}

/// Tells whether ERCOT bought a service then.
pub(super) fn is_bought(service: AncillaryService, at: Timestamp) -> bool {
    match service {
        AncillaryService::Contingency => CONTINGENCY_RESERVE_SINCE <= at,
        AncillaryService::RegUp
        | AncillaryService::RegDown
        | AncillaryService::Responsive
        | AncillaryService::NonSpin => true,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::time::OperatingDay;

    #[test]
    fn every_rule_changes_at_a_local_midnight() {
        for (instant, day) in [
            (LOWER_CAP_SINCE, date(2022, 1, 1)),
            (CONTINGENCY_RESERVE_SINCE, date(2023, 6, 10)),
            (RTC_PLUS_B_SINCE, date(2025, 12, 5)),
        ] {
            assert_eq!(instant, OperatingDay::new(day).start());
        }
    }
}
