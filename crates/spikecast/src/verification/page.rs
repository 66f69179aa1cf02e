//! Translates what was found into the views of the report page.

use forecast::evaluation::{Forecaster, Scores};

use super::assessment::{Assessment, Findings, Group};
use super::cases::Cases;
use super::page_detail::verification_view;
use crate::report::format::{count, dollars, signed_percent};
use crate::report::{
    BacktestSection, BandPoint, CurveStep, Estimate, Lead, ModelSkill, MonthSkill, MonthlySkill,
    ReliabilityBin, ReliabilityCurve, ScoreRow, ThresholdSkill,
};

/// Returns what was found in one sentence for each threshold.
#[must_use]
pub fn headlines(cases: &Cases, assessment: &Assessment) -> Vec<String> {
    let sentence = |(threshold, price): (usize, &f64)| {
        let group = Group { point: None, threshold, lead_day: None };
        let scores = assessment.find(group)?.scores.get(&Forecaster::Combined)?;
        Some(headline(*price, scores))
    };
    cases.thresholds.iter().enumerate().filter_map(sentence).collect()
}

fn headline(price: f64, scores: &Scores) -> String {
    let (price, hours) = (dollars(price), count(scores.hours as u64));
    if scores.exceedances == 0 {
        return format!("Above {price}: no exceedance in {hours} hours, so no skill.");
    }
    let interval = scores.log_loss_skill_interval.map_or_else(String::new, |interval| {
        let (lower, upper) = (signed_percent(interval.lower), signed_percent(interval.upper));
        format!(" (90\u{202f}% interval {lower} to {upper})")
    });
    format!(
        "Above {price}: log-loss skill {}{interval}, Brier skill {}, {} exceedances in {hours} hours.",
        signed_percent(scores.log_loss_skill),
        signed_percent(scores.brier_skill),
        count(scores.exceedances as u64),
    )
}

/// Returns what a reader must know to judge any verification.
#[must_use]
pub fn notes() -> Vec<String> {
    [
        "The reference of skill is, for each score and each group of hours, the tougher of two climatologies (hour of day × month ± 1): one from all known years, one from the last 365 days; without a climatology it is the base rate of the scored hours themselves.",
        "Intervals: 90 %, from drawing whole weeks with replacement (2,000 times). An interval that includes 0 means the difference could be luck.",
        "p-values: Diebold–Mariano on losses averaged by issue day, Newey–West variance, small-sample correction, Student's t. They are not corrected for how many are shown.",
        "Alert cuts are found on the scored hours themselves, for every forecaster alike.",
        "Hours whose prices are not sufficiently covered are excluded unless an exceedance was seen. Price basis: 5-minute LMP without adders.",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Returns the sections of the page: all settlement points together, then each.
#[must_use]
pub fn section_views(cases: &Cases, assessment: &Assessment) -> Vec<BacktestSection> {
    let count = cases.settlement_points.len();
    let each = if 1 < count { count } else { 0 };
    let points = std::iter::once(None).chain((0..each).map(Some));
    points.map(|point| section(point, cases, assessment)).collect()
}

fn section(point: Option<usize>, cases: &Cases, assessment: &Assessment) -> BacktestSection {
    let group_point = point.map(|point| u16::try_from(point).unwrap_or(u16::MAX));
    let found: Vec<(f64, &Findings)> = assessment
        .findings
        .iter()
        .filter(|found| found.group.point == group_point)
        .map(|found| (cases.thresholds[found.group.threshold], found))
        .collect();
    let pooled: Vec<(f64, &Findings)> =
        found.iter().filter(|(_, found)| found.group.lead_day.is_none()).copied().collect();
    let score_row = |&(price, found): &(f64, &Findings)| {
        let scores = found.scores.get(&Forecaster::Combined)?;
        Some(score_row(price, found.group.lead_day, scores))
    };
    BacktestSection {
        name: match (point, cases.settlement_points.as_slice()) {
            (Some(point), points) => points[point].clone(),
            (None, [only]) if only.is_empty() => "All hours".to_owned(),
            (None, [only]) => only.clone(),
            (None, _) => "All settlement points".to_owned(),
        },
        scores: found.iter().filter_map(score_row).collect(),
        models: models(&pooled),
        reliability: pooled.iter().filter_map(|(price, it)| reliability(*price, it)).collect(),
        monthly: pooled.iter().filter_map(|(price, found)| monthly(*price, found)).collect(),
        verification: verification_view(group_point, &pooled, cases, assessment),
    }
}

fn models(pooled: &[(f64, &Findings)]) -> Vec<ModelSkill> {
    let model = |who: Forecaster| {
        let skill = pooled
            .iter()
            .filter_map(|(price, found)| Some(threshold_skill(*price, found.scores.get(&who)?)));
        ModelSkill { name: who.words().to_owned(), skill: skill.collect() }
    };
    // Whoever is certain and often wrong lies off the axis; the table of references has the numbers.
    let is_drawn =
        |who: &Forecaster| !matches!(who, Forecaster::Combined | Forecaster::PersistenceRaw);
    // The issued forecast comes last, where it stands out.
    let others = Forecaster::ALL.into_iter().filter(is_drawn);
    let models = others.chain([Forecaster::Combined]).map(model);
    models.filter(|model| !model.skill.is_empty()).collect()
}

pub(super) fn estimate(scores: &Scores) -> Option<Estimate> {
    let interval = scores.log_loss_skill_interval?;
    finite(scores.log_loss_skill).map(|value| Estimate {
        value,
        lower: interval.lower,
        upper: interval.upper,
    })
}

pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn score_row(threshold: f64, lead_day: Option<u8>, scores: &Scores) -> ScoreRow {
    ScoreRow {
        threshold,
        lead: lead_day.map_or(Lead::Pooled, Lead::Day),
        hours: scores.hours as u64,
        exceedances: scores.exceedances as u64,
        brier: scores.brier,
        brier_skill: finite(scores.brier_skill),
        log_loss: scores.log_loss,
        log_loss_skill: estimate(scores),
        auc: finite(scores.roc_auc),
        average_precision: finite(scores.average_precision),
        ece: scores.calibration_error,
    }
}

fn threshold_skill(threshold: f64, scores: &Scores) -> ThresholdSkill {
    ThresholdSkill {
        threshold,
        hours: scores.hours as u64,
        exceedances: scores.exceedances as u64,
        skill: estimate(scores),
    }
}

fn reliability(threshold: f64, found: &Findings) -> Option<ReliabilityCurve> {
    let scores = found.scores.get(&Forecaster::Combined)?;
    let bins = scores.reliability.iter().map(|bin| ReliabilityBin {
        forecast: bin.forecast,
        observed: wilson(bin.observed, bin.count),
        hours: bin.count as u64,
    });
    let verification = found.detail.as_ref()?.verifications.get(&Forecaster::Combined)?;
    let corp = &verification.corp;
    let steps = corp.steps.iter().map(|step| CurveStep {
        lowest: step.lowest,
        highest: step.highest,
        observed: step.observed,
    });
    let band = verification.band.iter().map(|point| BandPoint {
        forecast: point.forecast,
        lower: point.lower,
        upper: point.upper,
    });
    let small = |value: f64| format!("{value:.5}");
    Some(ReliabilityCurve {
        threshold,
        bins: bins.collect(),
        steps: steps.collect(),
        band: band.collect(),
        refinement: verification.refinement.iter().map(|&hours| hours as u64).collect(),
        terms: format!(
            "Brier {} = miscalibration {} − discrimination {} + uncertainty {}",
            small(scores.brier),
            small(corp.miscalibration),
            small(corp.discrimination),
            small(corp.uncertainty)
        ),
    })
}

/// Returns a frequency with its 90 % interval (Wilson, 1927), as if hours were independent.
fn wilson(share: f64, count: usize) -> Estimate {
    const Z: f64 = 1.645;
    #[expect(clippy::cast_precision_loss, reason = "row counts")]
    let n = count as f64;
    let center = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let margin = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    Estimate { value: share, lower: (center - margin).max(0.0), upper: (center + margin).min(1.0) }
}

fn monthly(threshold: f64, found: &Findings) -> Option<MonthlySkill> {
    let months = found.detail.as_ref()?.months.iter().map(|((year, month), scores)| MonthSkill {
        label: format!("{} {year}", MONTHS[usize::from(*month) - 1]),
        exceedances: scores.exceedances as u64,
        skill: finite(scores.log_loss_skill),
    });
    Some(MonthlySkill { threshold, months: months.collect() })
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
