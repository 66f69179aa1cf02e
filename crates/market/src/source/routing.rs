//! Which report publishes a series, and by which route a span of it is fetched. Pure.
//!
//! The MIS is fast and anonymous but forgets within days; the row store can be asked for single
//! settlement points; the archive of postings has every vintage.

use jiff::{SignedDuration, Timestamp};

use crate::observation::{Series, SeriesKey};
use crate::place::{Place, Region};
use crate::reports::Report;

/// A way to ERCOT's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Route {
    /// The anonymous lists and downloads of the Market Information System.
    Mis,
    /// The rows of the Public API.
    Rows,
    /// The archived postings of the Public API.
    Archive,
}

/// A span of publications and the route by which it is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoutedSpan {
    /// The way.
    pub route: Route,
    /// Included.
    pub from: Timestamp,
    /// Excluded.
    pub to: Timestamp,
}

/// A list of the MIS ends this much earlier than promised, and takes time to read.
const MIS_MARGIN: SignedDuration = SignedDuration::from_hours(12);

impl Report {
    /// Returns the report that publishes a series at a place; `None` if ERCOT does not.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a table: one entry for each report")]
    pub fn publishing(key: &SeriesKey) -> Option<Self> {
        let is_system = key.place == Place::System;
        let is_point = matches!(key.place, Place::SettlementPoint(_));
        let region = match key.place {
            Place::Region(region) => Some(region),
            _ => None,
        };
        let is_load_zone = |zones: &[Region]| region.is_some_and(|zone| zones.contains(&zone));
        let zone = is_load_zone(&[
            Region::ZoneHouston,
            Region::ZoneNorth,
            Region::ZoneSouth,
            Region::ZoneWest,
        ]);
        let is_weather_zone = matches!(key.place, Place::WeatherZone(_));
        match key.series {
            Series::RealTimeLmp if is_point => Some(Report::Lmp),
            Series::RealTimeSpp if is_point => Some(Report::Spp),
            Series::DayAheadSpp if is_point => Some(Report::DayAheadSpp),
            Series::SystemLambda | Series::ScedAdder(_) if is_system => Some(Report::ScedAdders),
            Series::SettlementAdder(_) if is_system => Some(Report::SettlementAdders),
            Series::ShadowPrice if matches!(key.place, Place::Constraint(_)) => {
                Some(Report::ShadowPrices)
            }
            Series::DayAheadMcpc(_) if is_system => Some(Report::DayAheadMcpc),
            Series::ScedMcpc(_) if is_system => Some(Report::ScedMcpc),
            Series::RealTimeMcpc(_) if is_system => Some(Report::RealTimeMcpc),
            Series::AsPlan(_) if is_system => Some(Report::AsPlan),
            Series::AsCapability(_) if is_system => Some(Report::AsCapability),
            Series::LoadActual if is_system || is_weather_zone => Some(Report::ActualLoad),
            Series::LoadForecast | Series::LoadForecastBy(_) if is_system || is_weather_zone => {
                Some(Report::LoadForecast)
            }
            Series::WindActual
            | Series::WindForecast
            | Series::WindPotential
            | Series::WindPlan
                if is_load_zone(&[
                    Region::WindPanhandle,
                    Region::WindCoastal,
                    Region::WindSouth,
                    Region::WindWest,
                    Region::WindNorth,
                ]) =>
            {
                Some(Report::WindByRegion)
            }
            Series::WindActual
            | Series::WindForecast
            | Series::WindPotential
            | Series::WindPlan
                if is_system
                    || is_load_zone(&[
                        Region::ZoneSouthHouston,
                        Region::ZoneNorth,
                        Region::ZoneWest,
                    ]) =>
            {
                Some(Report::Wind)
            }
            Series::WindHsl if is_system => Some(Report::Wind),
            Series::SolarActual
            | Series::SolarForecast
            | Series::SolarPotential
            | Series::SolarPlan
            | Series::SolarHsl
                if is_system =>
            {
                Some(Report::Solar)
            }
            Series::SolarActual
            | Series::SolarForecast
            | Series::SolarPotential
            | Series::SolarPlan
                if region.is_some_and(|region| region.name().starts_with("SOLAR_")) =>
            {
                Some(Report::SolarByRegion)
            }
            Series::OutageCapacity(_) if is_system || zone => Some(Report::Outages),
            Series::GenerationCapacity | Series::LoadResourceCapacity | Series::OfflineCapacity
                if is_system || zone =>
            {
                Some(Report::Adequacy)
            }
            Series::AvailableGeneration | Series::AvailableReserves if is_system => {
                Some(Report::Adequacy)
            }
            Series::TemperatureForecast if is_weather_zone => Some(Report::TemperatureForecast),
            _ => None,
        }
    }

    /// Returns the report whose rows correct this one's prices, if any.
    #[must_use]
    pub const fn corrections(self) -> Option<Self> {
        match self {
            Report::Lmp | Report::Spp => Some(Report::RealTimeCorrections),
            Report::DayAheadSpp | Report::DayAheadMcpc => Some(Report::DayAheadCorrections),
            _ => None,
        }
    }

    /// Tells whether every posting of the report says everything anew about the days ahead, so
    /// that each of them is a vintage worth keeping.
    #[must_use]
    pub const fn has_vintages(self) -> bool {
        matches!(
            self,
            Report::LoadForecast
                | Report::Wind
                | Report::WindByRegion
                | Report::Solar
                | Report::SolarByRegion
                | Report::Outages
                | Report::Adequacy
                | Report::AsPlan
                | Report::TemperatureForecast
        )
    }

    /// Tells whether a forecast does without the report: it is read for
    /// [`Series::FORECAST_EXTRAS`] only.
    #[must_use]
    pub const fn is_extra(self) -> bool {
        matches!(self, Report::Outages | Report::Adequacy | Report::AsPlan)
    }

    /// Tells whether the row store has everything that is wanted of the report. It keeps no
    /// vintages. A posting of corrections has one of several tables, of which an endpoint has one,
    /// and that of day-ahead prices is specified to say only minutes and seconds of the time of
    /// correction.
    const fn has_usable_rows(self) -> bool {
        let is_of_corrections =
            matches!(self, Report::RealTimeCorrections | Report::DayAheadCorrections);
        !self.has_vintages() && !is_of_corrections
    }

    /// Splits what was published in `[from, to)` by the routes on which it can be had: what the
    /// MIS still lists comes from there, what is older from the row store, or, with its vintages,
    /// from the archive. What no route has is left out.
    #[must_use]
    pub fn routes(self, from: Timestamp, to: Timestamp, now: Timestamp) -> Vec<RoutedSpan> {
        let facts = self.facts();
        let depth = SignedDuration::from_hours(24 * i64::from(facts.mis_days)) - MIS_MARGIN;
        let listed = now.checked_sub(depth).unwrap_or(Timestamp::MIN);
        let mut spans = Vec::new();
        if facts.endpoint.is_some() {
            let route = if self.has_usable_rows() { Route::Rows } else { Route::Archive };
            spans.push(RoutedSpan { route, from, to: to.min(listed) });
        }
        spans.push(RoutedSpan { route: Route::Mis, from: from.max(listed), to: to.min(now) });
        spans.retain(|span| span.from < span.to);
        spans
    }

    /// Returns the route to try when one did not give everything; `None` when there is no other.
    #[must_use]
    pub fn other_route(self, route: Route) -> Option<Route> {
        self.facts().endpoint?;
        match route {
            Route::Mis if self.has_usable_rows() => Some(Route::Rows),
            Route::Mis => Some(Route::Archive),
            Route::Rows => Some(Route::Archive),
            Route::Archive => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{AncillaryService, ResourceKind};
    use crate::place::{SettlementPoint, WeatherZone};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn everything_a_forecast_reads_is_published_by_a_report_but_observed_temperature() {
        let point = SettlementPoint::new("HB_WEST").unwrap();
        for series in Series::FORECAST_INPUTS.into_iter().chain(Series::FORECAST_EXTRAS) {
            let key = match series {
                Series::RealTimeLmp | Series::DayAheadSpp => SeriesKey::at(series, &point),
                _ => SeriesKey::system(series),
            };
            let is_published = Report::publishing(&key).is_some();
            assert_eq!(is_published, series != Series::Temperature, "{key}");
        }
    }

    #[test]
    fn a_forecast_does_without_reports_that_have_extras_only() {
        let point = SettlementPoint::new("HB_WEST").unwrap();
        let report = |series: Series| {
            let system = Report::publishing(&SeriesKey::system(series));
            system.or_else(|| Report::publishing(&SeriesKey::at(series, &point)))
        };
        let needed: Vec<Report> = Series::FORECAST_INPUTS.into_iter().filter_map(report).collect();
        assert!(needed.iter().all(|report| !report.is_extra()), "{needed:?}");
        for extra in Series::FORECAST_EXTRAS.into_iter().filter_map(report) {
            assert_eq!(extra.is_extra(), !needed.contains(&extra), "{extra:?}");
        }
    }

    #[test]
    fn the_place_says_which_of_two_reports_it_is() {
        let report = |series, place| Report::publishing(&SeriesKey { series, place });
        let wind = Series::WindForecast;
        assert_eq!(report(wind, Place::System), Some(Report::Wind));
        assert_eq!(report(wind, Place::Region(Region::ZoneWest)), Some(Report::Wind));
        assert_eq!(report(wind, Place::Region(Region::WindWest)), Some(Report::WindByRegion));
        assert_eq!(report(wind, Place::WeatherZone(WeatherZone::West)), None);
        let outages = Series::OutageCapacity(ResourceKind::Dispatchable);
        assert_eq!(report(outages, Place::Region(Region::ZoneWest)), Some(Report::Outages));
        let plan = Series::AsPlan(AncillaryService::NonSpin);
        assert_eq!(report(plan, Place::System), Some(Report::AsPlan));
    }

    #[test]
    fn what_the_mis_still_lists_comes_from_there() {
        let now = at("2026-03-08T15:00:00Z");
        let spans = Report::Lmp.routes(at("2026-02-01T06:00:00Z"), at("2026-03-08T06:00:00Z"), now);
        let listed = at("2026-03-04T03:00:00Z");
        assert_eq!(
            spans,
            [
                RoutedSpan { route: Route::Rows, from: at("2026-02-01T06:00:00Z"), to: listed },
                RoutedSpan { route: Route::Mis, from: listed, to: at("2026-03-08T06:00:00Z") },
            ]
        );
        let old =
            Report::Outages.routes(at("2025-02-01T06:00:00Z"), at("2025-03-01T06:00:00Z"), now);
        assert_eq!(old.iter().map(|span| span.route).collect::<Vec<_>>(), [Route::Archive]);
        for corrected in [Report::RealTimeCorrections, Report::DayAheadCorrections] {
            let old = corrected.routes(at("2025-02-01T06:00:00Z"), at("2025-03-01T06:00:00Z"), now);
            assert_eq!(old.iter().map(|span| span.route).collect::<Vec<_>>(), [Route::Archive]);
            assert_eq!(corrected.other_route(Route::Mis), Some(Route::Archive));
        }
    }

    #[test]
    fn what_is_on_the_mis_only_cannot_be_had_from_before() {
        let now = at("2026-03-08T15:00:00Z");
        let from = at("2025-02-01T06:00:00Z");
        let report = Report::TemperatureForecast;
        assert!(report.routes(from, at("2025-03-01T06:00:00Z"), now).is_empty());
        assert_eq!(report.routes(from, now, now)[0].route, Route::Mis);
        assert_eq!(report.other_route(Route::Mis), None);
    }

    #[test]
    fn nothing_is_asked_for_that_is_still_to_come() {
        let now = at("2026-03-08T15:00:00Z");
        let spans = Report::Lmp.routes(now, at("2026-04-01T00:00:00Z"), now);
        assert!(spans.is_empty(), "{spans:?}");
    }
}
