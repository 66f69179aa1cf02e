//! Made-up pages for tests and for looking at: quiet nights, evening peaks, one windless Tuesday.
//!
//! Only shapes are realistic; no number here is a result. Compiled for tests only.

use std::path::Path;

use super::backtest_view::*;
use super::forecast_view::*;
use super::verification_sample::verification;

pub(super) const THRESHOLDS: [f64; 5] = [50.0, 100.0, 200.0, 500.0, 1000.0];

/// How long a day is.
#[derive(Clone, Copy)]
pub(super) enum DayLength {
    Ordinary,
    Spring,
    Autumn,
}

/// Usual probability above $100 by hour of the day, in percent.
const USUAL: [f64; 24] = [
    0.3, 0.2, 0.2, 0.2, 0.3, 0.6, 1.2, 1.6, 1.0, 0.6, 0.5, 0.6, 0.9, 1.4, 2.0, 3.1, 4.4, 6.2, 8.9,
    10.0, 7.4, 3.0, 1.2, 0.6,
];

/// How the probability at each threshold compares with that at $100, in log-odds.
const STEPS: [f64; 5] = [1.25, 0.0, -0.95, -2.1, -2.9];

fn shifted(probability: f64, log_odds: f64) -> f64 {
    let odds = (probability / (1.0 - probability)).ln() + log_odds;
    1.0 / (1.0 + (-odds).exp())
}

fn exceedance(hour: usize, threshold: usize, tightness: f64) -> ExceedanceView {
    let climatology = shifted(0.01 * USUAL[hour], STEPS[threshold]);
    // A tight evening is tightest at sunset.
    let evening = (-((hour as f64 - 19.3) / 2.6).powi(2)).exp();
    let probability = shifted(climatology, tightness * (0.35 + 0.65 * evening));
    let spread = 0.32 + 0.1 * threshold as f64;
    ExceedanceView {
        probability,
        lower: shifted(probability, -spread),
        upper: shifted(probability, spread),
        climatology,
    }
}

fn day(label: &str, lead_day: u8, length: DayLength, tightness: f64) -> DayView {
    let mut hours = Vec::new();
    for hour_ending in 1..=24_u8 {
        let view = |repeated| HourView {
            hour_ending,
            repeated,
            exceedances: (0..THRESHOLDS.len())
                .map(|threshold| exceedance(usize::from(hour_ending) - 1, threshold, tightness))
                .collect(),
        };
        match (length, hour_ending) {
            (DayLength::Spring, 3) => {}
            (DayLength::Autumn, 2) => hours.extend([view(false), view(true)]),
            _ => hours.push(view(false)),
        }
    }
    DayView { label: label.to_owned(), lead_day, hours }
}

pub(super) fn day_of(label: &str, lead_day: u8, length: DayLength) -> DayView {
    day(label, lead_day, length, 1.0)
}

fn point(name: &str, tightness: [f64; 3]) -> PointView {
    let days = ["Tue 20 Aug", "Wed 21 Aug", "Thu 22 Aug"];
    let days =
        days.iter().zip(1..).zip(tightness).map(|((label, lead_day), tightness)| {
            day(label, lead_day, DayLength::Ordinary, tightness)
        });
    PointView { settlement_point: name.to_owned(), days: days.collect() }
}

pub(super) fn forecast() -> ForecastPage {
    ForecastPage {
        title: "ERCOT price spikes, 20–22 Aug 2024".to_owned(),
        issue_time: "Mon 19 Aug 2024, 09:30 CDT".to_owned(),
        source: "simulator".to_owned(),
        quality: Quality::Fresh,
        thresholds: THRESHOLDS.to_vec(),
        reference_threshold: 1,
        points: vec![
            point("HB_HUBAVG", [1.6, 0.5, -0.4]),
            point("HB_NORTH", [1.5, 0.4, -0.5]),
            point("HB_HOUSTON", [1.1, 0.3, -0.3]),
            point("HB_WEST", [1.85, 0.9, -0.9]),
            point("LZ_SOUTH", [1.3, 0.6, -0.2]),
        ],
        inputs: inputs(),
        model: model(),
        skill_interval: 0.9,
        skill: skill(0.0),
        track_record: TrackRecord::Scored {
            period: "Forecasts issued 1 Jun – 16 Aug 2024".to_owned(),
            rows: [
                (50.0, 1402, 0.1985, 0.2204),
                (100.0, 512, 0.0962, 0.1071),
                (200.0, 171, 0.0388, 0.0441),
                (500.0, 41, 0.0118, 0.0146),
                (1000.0, 12, 0.0041, 0.0055),
            ]
            .map(|(threshold, exceedances, log_loss, climatology_log_loss)| TrackRow {
                threshold,
                hours: 27_720,
                exceedances,
                log_loss,
                climatology_log_loss,
            })
            .to_vec(),
        },
        terms: terms(),
    }
}

pub(super) fn forecast_degraded() -> ForecastPage {
    let mut page = forecast();
    page.quality = Quality::Degraded {
        reasons: vec![
            "The wind forecast is 26 h old; the newest one was refused by ERCOT three times."
                .into(),
            "The model of 17 Aug was kept: last night's training failed.".into(),
        ],
    };
    page.inputs[2].freshness = Freshness::Stale;
    page.inputs[2].age = "26 h".to_owned();
    page.inputs[5].freshness = Freshness::Missing;
    page.inputs[5].coverage = 0.0;
    page.track_record = TrackRecord::NoneScored {
        sentence: "No issued forecast has met its prices yet; the first scores appear on 21 Aug."
            .into(),
    };
    for point in &mut page.points {
        let tightness = 1.2;
        point.days[1] = day("Sun 3 Nov", 2, DayLength::Autumn, tightness);
        point.days[2] = day("Sun 10 Mar", 3, DayLength::Spring, -1.5);
    }
    page
}

fn inputs() -> Vec<InputView> {
    [
        ("5-minute prices (NP6-788)", "Mon 19 Aug 09:25", "Mon 19 Aug 09:26", "4 min", 0.998),
        ("Load forecast (NP3-565)", "Sun 25 Aug 24:00", "Mon 19 Aug 08:50", "40 min", 1.0),
        ("Wind forecast (NP4-732)", "Sun 25 Aug 24:00", "Mon 19 Aug 08:55", "35 min", 1.0),
        ("Solar forecast (NP4-737)", "Sun 25 Aug 24:00", "Mon 19 Aug 08:55", "35 min", 1.0),
        ("Day-ahead prices (NP4-190)", "Mon 19 Aug 24:00", "Sun 18 Aug 12:41", "20 h 49 min", 1.0),
        ("Outages (NP3-233)", "Sun 25 Aug 24:00", "Mon 19 Aug 09:01", "29 min", 0.986),
    ]
    .map(|(name, newest_interval, published, age, coverage)| InputView {
        name: name.to_owned(),
        newest_interval: newest_interval.to_owned(),
        published: published.to_owned(),
        age: age.to_owned(),
        coverage,
        freshness: Freshness::Fresh,
    })
    .to_vec()
}

fn model() -> ModelCard {
    ModelCard {
        version: "2024-08-18.1".to_owned(),
        trained_at: "Sun 18 Aug 2024, 01:14 CDT".to_owned(),
        trained_on: "1 Jan 2020 – 15 Aug 2024, 5 settlement points, 202,300 hours".to_owned(),
        components: [("logistic regression", 0.52), ("boosted trees", 0.33), ("climatology", 0.15)]
            .map(|(name, weight)| ModelComponent { name: name.to_owned(), weight })
            .to_vec(),
    }
}

fn skill(shift: f64) -> Vec<ThresholdSkill> {
    let values = [0.144, 0.130, 0.134, 0.199, 0.327];
    THRESHOLDS
        .iter()
        .zip(values)
        .zip([9_120, 3_010, 990, 245, 61])
        .map(|((threshold, value), exceedances)| {
            let half = 0.9 / f64::from(exceedances).sqrt() + 0.015;
            let value = value + shift;
            ThresholdSkill {
                threshold: *threshold,
                hours: 130_320,
                exceedances: u64::try_from(exceedances).unwrap(),
                skill: Some(Estimate { value, lower: value - half, upper: value + half }),
            }
        })
        .collect()
}

fn terms() -> Vec<Term> {
    [
        ("Exceedance", "At least one 5-minute real-time price of the hour is above the threshold, strictly. Prices are locational marginal prices without reserve adders."),
        ("Hour ending", "ERCOT's local name of an hour: hour ending 20 is 19:00 to 20:00, Central time. The autumn day repeats hour ending 2, the spring day lacks hour ending 3."),
        ("Interval", "Between lower and upper lies the probability that 90 % of resampled training periods would have given. It says how sure the model is of the probability, not of the price."),
        ("Usual", "Climatology: how often the threshold was exceeded in this hour of the day and season in the years before the issue time."),
        ("Skill", "The share of climatology's log-loss that the forecast saves. Zero is no better than climatology, 100 % is perfect."),
    ]
    .map(|(name, meaning)| Term { name: name.to_owned(), meaning: meaning.to_owned() })
    .to_vec()
}

pub(super) fn backtest(points: usize) -> BacktestPage {
    let names = ["HB_HUBAVG", "HB_NORTH", "HB_HOUSTON", "HB_WEST", "HB_SOUTH", "LZ_SOUTH"];
    let mut sections = vec![section("All settlement points", 0.0)];
    sections.extend(
        names
            .iter()
            .take(points)
            .zip(1..)
            .map(|(name, number)| section(name, 0.01 * f64::from(number) - 0.03)),
    );
    BacktestPage {
        title: "Backtest of the year 2024".to_owned(),
        period: "Issue days 1 Jan – 28 Dec 2024, every day at 09:30 Central".to_owned(),
        settlement_points: names.iter().take(points).map(|name| (*name).to_owned()).collect(),
        headlines: vec![
            "Above $100 the forecast saves 8.7 % of climatology's log-loss over all lead days, and 13 % on the next day.".into(),
            "It beats persistence, climatology and each of its components at every threshold.".into(),
            "Probabilities above 30 % came true 34 % of the time.".into(),
        ],
        settings: [("Training window", "from 1 Jan 2020 to the issue day"), ("Refitted", "every 42 days"), ("Reference", "hour-of-day × month climatology known at issue time"), ("Seed", "20240101")]
            .map(|(name, value)| Setting { name: name.to_owned(), value: value.to_owned() })
            .to_vec(),
        skill_interval: 0.9,
        sections,
        highest: notable(Outcome::Exceeded),
        misses: notable(Outcome::NotExceeded),
        notes: vec![
            "Intervals come from resampling whole weeks, because neighbouring hours fail together.".into(),
            "Hours with less than full coverage and no price above the threshold are unknown and left out.".into(),
        ],
    }
}

fn section(name: &str, shift: f64) -> BacktestSection {
    let leads = [
        (Lead::Pooled, -0.045),
        (Lead::Day(1), 0.0),
        (Lead::Day(2), -0.055),
        (Lead::Day(3), -0.075),
    ];
    let mut scores = Vec::new();
    for (index, threshold) in THRESHOLDS.iter().enumerate() {
        for (lead, lead_shift) in leads {
            let skill = skill(shift + lead_shift).swap_remove(index);
            let log_loss = 0.22 / (1.0 + 2.0 * index as f64);
            scores.push(ScoreRow {
                threshold: *threshold,
                lead,
                hours: if lead == Lead::Pooled { 26_064 } else { 8_688 },
                exceedances: skill.exceedances / 5,
                brier: log_loss * 0.3,
                brier_skill: skill.skill.map(|it| 0.7 * it.value),
                log_loss,
                log_loss_skill: skill.skill,
                auc: Some(0.88 - 0.01 * index as f64),
                average_precision: Some(0.42 / (1.0 + index as f64)),
                ece: 0.012 / (1.0 + index as f64),
            });
        }
    }
    let models = [
        ("climatology", None),
        ("persistence", Some(-0.75)),
        ("logistic", Some(-0.055)),
        ("boosted trees", Some(-0.085)),
        ("combined", Some(-0.045)),
    ]
    .map(|(name, model_shift)| ModelSkill {
        name: name.to_owned(),
        skill: match model_shift {
            Some(model_shift) => skill(shift + model_shift),
            None => skill(0.0)
                .into_iter()
                .map(|row| ThresholdSkill {
                    skill: Some(Estimate { value: 0.0, lower: 0.0, upper: 0.0 }),
                    ..row
                })
                .collect(),
        },
    })
    .to_vec();
    BacktestSection {
        name: name.to_owned(),
        scores,
        models,
        reliability: THRESHOLDS.iter().enumerate().map(|(index, it)| curve(*it, index)).collect(),
        monthly: THRESHOLDS.iter().take(3).map(|it| months(*it)).collect(),
        verification: verification(),
    }
}

fn curve(threshold: f64, index: usize) -> ReliabilityCurve {
    let centres: [f64; 9] = [0.004, 0.015, 0.035, 0.07, 0.14, 0.24, 0.37, 0.55, 0.72];
    let hours = [15_800, 4_100, 2_600, 1_700, 1_050, 480, 210, 90, 30_u32];
    let bins = centres.iter().zip(hours).take(9 - index).map(|(forecast, hours)| {
        let hours = (hours / (1 + 2 * u32::try_from(index).unwrap())).max(3);
        let value = (forecast * (1.08 - 0.3 * forecast)).min(1.0);
        let half = 1.64 * (value * (1.0 - value) / f64::from(hours)).sqrt();
        ReliabilityBin {
            forecast: *forecast,
            observed: Estimate {
                value,
                lower: (value - half).max(0.0),
                upper: (value + half).min(1.0),
            },
            hours: u64::from(hours),
        }
    });
    let steps = centres[..9 - index].iter().map(|forecast| CurveStep {
        lowest: 0.8 * forecast,
        highest: *forecast,
        observed: forecast * (1.08 - 0.3 * forecast),
    });
    let band = centres[..9 - index].iter().map(|forecast| BandPoint {
        forecast: *forecast,
        lower: 0.9 * forecast,
        upper: (1.1 * forecast).min(1.0),
    });
    ReliabilityCurve {
        threshold,
        bins: bins.collect(),
        steps: steps.collect(),
        band: band.collect(),
        refinement: (0..50_u32).map(|bar| 15_800 / (1 + u64::from(bar).pow(3))).collect(),
        terms: "Brier 0.0321 = miscalibration 0.0004 − discrimination 0.0083 + uncertainty 0.0400"
            .to_owned(),
    }
}

fn months(threshold: f64) -> MonthlySkill {
    let names =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let skills = [0.21, 0.04, -0.06, 0.12, 0.15, 0.09, 0.02, 0.18, 0.11, 0.07, -0.72, 0.05];
    let counts = [31, 4, 9, 44, 71, 22, 15, 96, 40, 33, 2, 6];
    let months =
        names.iter().zip(skills).zip(counts).map(|((name, skill), exceedances)| MonthSkill {
            label: format!("{name} 2024"),
            exceedances,
            skill: Some(skill * 100.0 / threshold.max(100.0)),
        });
    MonthlySkill { threshold, months: months.collect() }
}

fn notable(outcome: Outcome) -> Vec<NotableHour> {
    (0..10)
        .map(|number| NotableHour {
            when: format!("Tue {} Aug 2024, 19:00–20:00", 10 + number),
            settlement_point: "HB_WEST".to_owned(),
            lead_day: 1,
            threshold: 100.0,
            probability: 0.78 - 0.02 * f64::from(number),
            climatology: 0.10,
            highest_price: if outcome == Outcome::Exceeded { 1_204.5 } else { 61.32 },
            outcome,
        })
        .collect()
}

/// Fails where a page would ask another file or host for anything.
pub(super) fn assert_self_contained(html: &str) {
    for (name, value) in attributes(html) {
        let fetches = ["src", "srcset", "href", "data", "action", "poster"].contains(&name);
        assert!(!fetches || value.starts_with('#'), "{name}={value:?}");
    }
    for forbidden in ["http:", "https:", "@import", "url(", "<link", "<iframe", "<img", "fetch("] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
}

/// Returns the quoted attributes of a page, by name.
fn attributes(html: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for (position, _) in html.match_indices("=\"") {
        let before = &html[..position];
        let name = before.rsplit(|it: char| !it.is_ascii_alphabetic()).next().unwrap_or("");
        let value = html[position + 2..].split('"').next().unwrap_or("");
        found.push((name, value));
    }
    found
}

/// Writes a page where a person can look at it.
pub(super) fn write(name: &str, html: &str) {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/report-sample"));
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(name), html).unwrap();
}
