//! Which reports there are: ERCOT's names, report types, endpoints, cadence and depth.
//!
//! Source: ERCOT's list of public reports (`GET /api/public-reports`, January 2026).

use jiff::civil::Date;

/// A report that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Report {
    /// NP6-788-CD: LMPs by settlement point, for each SCED run.
    Lmp,
    /// NP6-905-CD: 15-minute settlement point prices.
    Spp,
    /// NP4-190-CD: day-ahead settlement point prices.
    DayAheadSpp,
    /// NP4-188-CD: day-ahead clearing prices of ancillary services.
    DayAheadMcpc,
    /// NP3-565-CD: load forecasts by model and weather zone.
    LoadForecast,
    /// NP6-345-CD: actual load by weather zone.
    ActualLoad,
    /// NP4-732-CD: wind generation, actual and forecast, by load zone.
    Wind,
    /// NP4-742-CD: the same by geographic region.
    WindByRegion,
    /// NP4-737-CD: solar generation, actual and forecast.
    Solar,
    /// NP4-745-CD: the same by geographic region.
    SolarByRegion,
    /// NP3-233-CD: capacity out of service for the next 168 hours.
    Outages,
    /// NP3-763-CD: short-term system adequacy.
    Adequacy,
    /// NP4-33-CD: the plan for ancillary services.
    AsPlan,
    /// NP6-323-CD: price adders and system lambda, for each SCED run.
    ScedAdders,
    /// NP6-324-CD: price adders, 15 minutes.
    SettlementAdders,
    /// NP6-328-CD: capability for ancillary services, for each SCED run. Since RTC+B.
    AsCapability,
    /// NP6-331-CD: real-time clearing prices of ancillary services, 15 minutes. Since RTC+B.
    RealTimeMcpc,
    /// NP6-332-CD: the same for each SCED run. Since RTC+B.
    ScedMcpc,
    /// NP6-86-CD: shadow prices of binding transmission constraints.
    ShadowPrices,
    /// NP4-197-M: corrected real-time prices.
    RealTimeCorrections,
    /// NP4-196-M: corrected day-ahead prices.
    DayAheadCorrections,
    /// NP4-722-CD: temperature forecast by weather zone. MIS only.
    TemperatureForecast,
    /// NP4-160-SG: the list of settlement points. MIS only.
    SettlementPoints,
}

/// How often a report is posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cadence {
    /// After each SCED run: about every 5 minutes.
    ScedRun,
    /// Every 15 minutes.
    QuarterHourly,
    /// Every hour, at this minute.
    Hourly {
        /// Of the hour.
        minute: i8,
    },
    /// Once a day, at about this local time.
    Daily {
        /// Of the day.
        hour: i8,
        /// Of the hour.
        minute: i8,
    },
    /// When there is a reason.
    AsNeeded,
}

/// What is known about a report.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReportFacts {
    /// ERCOT's id, e.g. `NP6-788-CD`.
    pub emil_id: &'static str,
    /// The report type id of its lists on the MIS.
    pub report_type_id: u32,
    /// Its endpoint of rows in the Public API, below the id in small letters; MIS-only reports
    /// have none.
    pub endpoint: Option<&'static str>,
    /// How often it is posted.
    pub cadence: Cadence,
    /// For how many days the MIS lists a posting.
    pub mis_days: u16,
    /// When it was first posted.
    pub since: Date,
}

const RTC_PLUS_B: Date = Date::constant(2025, 12, 5);

impl Report {
    /// Every report.
    pub const ALL: [Report; 23] = [
        Report::Lmp,
        Report::Spp,
        Report::DayAheadSpp,
        Report::DayAheadMcpc,
        Report::LoadForecast,
        Report::ActualLoad,
        Report::Wind,
        Report::WindByRegion,
        Report::Solar,
        Report::SolarByRegion,
        Report::Outages,
        Report::Adequacy,
        Report::AsPlan,
        Report::ScedAdders,
        Report::SettlementAdders,
        Report::AsCapability,
        Report::RealTimeMcpc,
        Report::ScedMcpc,
        Report::ShadowPrices,
        Report::RealTimeCorrections,
        Report::DayAheadCorrections,
        Report::TemperatureForecast,
        Report::SettlementPoints,
    ];

    /// Returns what is known about the report.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a table: one arm for each report")]
    pub const fn facts(self) -> ReportFacts {
        const HOURLY_AT_55: Cadence = Cadence::Hourly { minute: 55 };
        const WITH_THE_DAM: Cadence = Cadence::Daily { hour: 12, minute: 30 };
        const EARLY: Cadence = Cadence::Daily { hour: 5, minute: 0 };
        const fn day(year: i16, month: i8, day: i8) -> Date {
            Date::constant(year, month, day)
        }
        match self {
            Report::Lmp => facts("NP6-788-CD", 12_300, Cadence::ScedRun, 5, day(2010, 11, 30))
                .at("lmp_node_zone_hub"),
            Report::Spp => {
                facts("NP6-905-CD", 12_301, Cadence::QuarterHourly, 7, day(2010, 11, 30))
                    .at("spp_node_zone_hub")
            }
            Report::DayAheadSpp => facts("NP4-190-CD", 12_331, WITH_THE_DAM, 31, day(2010, 11, 29))
                .at("dam_stlmnt_pnt_prices"),
            Report::DayAheadMcpc => {
                facts("NP4-188-CD", 12_329, WITH_THE_DAM, 31, day(2010, 11, 29))
                    .at("dam_clear_price_for_cap")
            }
            Report::LoadForecast => {
                facts("NP3-565-CD", 14_837, Cadence::Hourly { minute: 30 }, 7, day(2017, 6, 28))
                    .at("lf_by_model_weather_zone")
            }
            Report::ActualLoad => facts(
                "NP6-345-CD",
                13_101,
                Cadence::Daily { hour: 5, minute: 50 },
                31,
                day(2013, 6, 13),
            )
            .at("act_sys_load_by_wzn"),
            Report::Wind => facts("NP4-732-CD", 13_028, HOURLY_AT_55, 7, day(2010, 12, 1))
                .at("wpp_hrly_avrg_actl_fcast"),
            Report::WindByRegion => facts("NP4-742-CD", 14_787, HOURLY_AT_55, 7, day(2017, 6, 28))
                .at("wpp_hrly_actual_fcast_geo"),
            Report::Solar => facts("NP4-737-CD", 13_483, HOURLY_AT_55, 7, day(2016, 2, 1))
                .at("spp_hrly_avrg_actl_fcast"),
            Report::SolarByRegion => facts("NP4-745-CD", 21_809, HOURLY_AT_55, 7, day(2022, 6, 30))
                .at("spp_hrly_actual_fcast_geo"),
            Report::Outages => {
                facts("NP3-233-CD", 13_103, Cadence::Hourly { minute: 1 }, 31, day(2013, 10, 20))
                    .at("hourly_res_outage_cap")
            }
            Report::Adequacy => {
                facts("NP3-763-CD", 12_315, Cadence::Hourly { minute: 1 }, 31, day(2010, 11, 23))
                    .at("st_sys_adequacy")
            }
            Report::AsPlan => {
                facts("NP4-33-CD", 12_316, EARLY, 31, day(2010, 11, 29)).at("dam_as_plan")
            }
            Report::ScedAdders => {
                facts("NP6-323-CD", 13_221, Cadence::ScedRun, 5, day(2014, 5, 31))
                    .at("rt_price_adder_sced")
            }
            Report::SettlementAdders => {
                facts("NP6-324-CD", 13_220, Cadence::QuarterHourly, 31, day(2014, 5, 31))
                    .at("rt_15min_price_adders")
            }
            Report::AsCapability => {
                facts("NP6-328-CD", 24_887, Cadence::ScedRun, 7, RTC_PLUS_B).at("tot_as_res_cap")
            }
            Report::RealTimeMcpc => {
                facts("NP6-331-CD", 24_898, Cadence::QuarterHourly, 7, RTC_PLUS_B)
                    .at("rt_clear_price_cap")
            }
            Report::ScedMcpc => facts("NP6-332-CD", 24_891, Cadence::ScedRun, 7, RTC_PLUS_B)
                .at("rt_clear_price_cap_sced"),
            Report::ShadowPrices => {
                facts("NP6-86-CD", 12_302, Cadence::Hourly { minute: 5 }, 7, day(2010, 11, 30))
                    .at("shdw_prices_bnd_trns_const")
            }
            Report::RealTimeCorrections => {
                facts("NP4-197-M", 13_045, Cadence::AsNeeded, 180, day(2012, 1, 1))
                    .at("rtm_price_corrections_splmp")
            }
            Report::DayAheadCorrections => {
                facts("NP4-196-M", 13_044, Cadence::AsNeeded, 180, day(2011, 1, 1))
                    .at("dam_price_corrections_spp")
            }
            Report::TemperatureForecast => facts("NP4-722-CD", 12_325, EARLY, 31, day(2010, 12, 1)),
            Report::SettlementPoints => {
                facts("NP4-160-SG", 10_008, Cadence::AsNeeded, 31, day(2010, 12, 1))
            }
        }
    }

    /// Returns ERCOT's id, e.g. `NP6-788-CD`.
    #[must_use]
    pub const fn emil_id(self) -> &'static str {
        self.facts().emil_id
    }

    /// Returns the report with ERCOT's id, in any spelling of its letters.
    #[must_use]
    pub fn with_emil_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|report| report.emil_id().eq_ignore_ascii_case(id))
    }
}

const fn facts(
    emil_id: &'static str,
    report_type_id: u32,
    cadence: Cadence,
    mis_days: u16,
    since: Date,
) -> ReportFacts {
    ReportFacts { emil_id, report_type_id, endpoint: None, cadence, mis_days, since }
}

impl ReportFacts {
    const fn at(mut self, endpoint: &'static str) -> Self {
        self.endpoint = Some(endpoint);
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_report_is_found_by_its_own_id_only() {
        let types: BTreeSet<_> =
            Report::ALL.iter().map(|report| report.facts().report_type_id).collect();
        assert_eq!(types.len(), Report::ALL.len());
        for report in Report::ALL {
            assert_eq!(Report::with_emil_id(&report.emil_id().to_lowercase()), Some(report));
        }
        assert_eq!(Report::with_emil_id("NP6-788"), None);
    }
}
