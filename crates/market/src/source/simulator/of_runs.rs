//! The series of the real-time market: one value for every SCED run, or for every settled quarter
//! of an hour, and corrections of prices.

use jiff::{SignedDuration, Timestamp};

use super::ancillary;
use super::congestion::{Line, PointShifts};
use super::corrections::Correction;
use super::eras::{Era, is_bought};
use super::real_time::{Dispatch, dispatches, in_cents, settled};
use super::source::{Simulator, Window};
use crate::observation::{Adder, Observation, Series};
use crate::place::{Constraint, Place};
use crate::source::publication::PublicationRule;
use crate::time::OperatingDay;

/// The first interval of a day is settled with the run before it, which is not older, holes
/// included.
const RUNS_BEFORE: SignedDuration = SignedDuration::from_mins(30);

/// A shadow price below it is none, $/MWh.
const BINDING: f64 = 0.01;

/// What of a SCED run a series is about.
enum OfRun {
    Price(PointShifts),
    Lambda,
    Adder(Adder),
    ShadowPrice(usize),
    ServicePrice(crate::observation::AncillaryService),
    Capability(crate::observation::AncillaryService),
}

impl OfRun {
    fn of(series: Series, place: &Place) -> Option<Self> {
        match (series, place) {
            (Series::RealTimeLmp | Series::RealTimeSpp, Place::SettlementPoint(point)) => {
                PointShifts::of(point.name()).map(Self::Price)
            }
            (Series::SystemLambda, Place::System) => Some(Self::Lambda),
            (Series::ScedAdder(adder) | Series::SettlementAdder(adder), Place::System) => {
                Some(Self::Adder(adder))
            }
            (Series::ScedMcpc(service) | Series::RealTimeMcpc(service), Place::System) => {
                Some(Self::ServicePrice(service))
            }
            (Series::AsCapability(service), Place::System) => Some(Self::Capability(service)),
            (Series::ShadowPrice, Place::Constraint(constraint)) => Line::ALL
                .iter()
                .position(|line| place_of(*line) == *constraint)
                .map(Self::ShadowPrice),
            _ => None,
        }
    }

    /// Tells whether the value was published in the era of an instant.
    fn exists_at(&self, at: Timestamp) -> bool {
        let era = Era::at(at);
        match self {
            Self::Price(_) | Self::Lambda | Self::ShadowPrice(_) => true,
            Self::Adder(Adder::ReliabilityDeployment) => era == Era::RealTimeCoOptimization,
            Self::Adder(
                Adder::OnlineReserve | Adder::OfflineReserve | Adder::ReliabilityReserve,
            ) => era == Era::OperatingReserveDemandCurve,
            Self::ServicePrice(service) | Self::Capability(service) => {
                era == Era::RealTimeCoOptimization && is_bought(*service, at)
            }
        }
    }

    fn value(&self, run: &Dispatch) -> f64 {
        match self {
            Self::Price(point) => run.price(point),
            Self::Lambda => in_cents(run.scarcity.lambda),
            Self::Adder(Adder::OnlineReserve) => in_cents(run.scarcity.online),
            Self::Adder(Adder::OfflineReserve) => in_cents(run.scarcity.offline),
            Self::Adder(Adder::ReliabilityReserve | Adder::ReliabilityDeployment) => {
                in_cents(run.scarcity.reliability)
            }
            Self::ShadowPrice(line) => in_cents(run.shadow_prices[*line]),
            Self::ServicePrice(service) => ancillary::real_time_price(*service, run),
            Self::Capability(service) => ancillary::capability(*service, run),
        }
    }

    /// Returns what is settled of a run: a price with all that is added to it.
    fn settled_value(&self, run: &Dispatch) -> f64 {
        let value = self.value(run);
        match self {
            Self::Price(_) => value + run.scarcity.added_at(run.at),
            _ => value,
        }
    }
}

fn place_of(line: Line) -> Constraint {
    let (contingency, element) = line.name();
    Constraint::new(contingency, element).expect("both are short and printable")
}

impl Simulator {
    /// Returns the transmission constraints that are simulated.
    #[must_use]
    pub fn constraints() -> Vec<Constraint> {
        Line::ALL.map(place_of).to_vec()
    }

    /// Returns a series of the real-time market; none at a place where there is none.
    pub(super) fn of_runs(
        &self,
        window: &Window<'_>,
        series: Series,
        place: &Place,
    ) -> Vec<Observation> {
        let Some(of_run) = OfRun::of(series, place) else { return Vec::new() };
        let mut rule = PublicationRule::of(series).expect("only forecasts have no rule");
        let mut observations = Vec::new();
        for day in window.days() {
            if !of_run.exists_at(day.start()) {
                continue;
            }
            let correction = match of_run {
                OfRun::Price(_) => Correction::of(self.noise, day),
                _ => None,
            };
            for (interval_start, value) in self.of_day(day, series, &of_run) {
                let published_at = rule.published_at(interval_start);
                let first = correction.and_then(|c| c.first_price(interval_start, value));
                let says = |published_at, value| Observation {
                    interval_start,
                    published_at,
                    value: in_cents(value),
                };
                observations.push(says(published_at, first.unwrap_or(value)));
                if let (Some(correction), Some(_)) = (correction, first) {
                    observations.push(says(correction.published_at, value));
                }
            }
        }
        observations
    }

    /// Returns what a day's runs or settlement intervals say.
    fn of_day(&self, day: OperatingDay, series: Series, of_run: &OfRun) -> Vec<(Timestamp, f64)> {
        let (start, end) = (day.start(), day.end());
        match series {
            Series::RealTimeSpp | Series::SettlementAdder(_) | Series::RealTimeMcpc(_) => {
                let runs = dispatches(self.noise, start - RUNS_BEFORE, end);
                settled(&runs, start, end, |run| of_run.settled_value(run))
            }
            _ => {
                let runs = dispatches(self.noise, start, end).into_iter();
                let values = runs.map(|run| (run.at, of_run.value(&run)));
                let is_shadow_price = matches!(of_run, OfRun::ShadowPrice(_));
                values.filter(|(_, value)| !is_shadow_price || BINDING <= *value).collect()
            }
        }
    }
}
