//! `spikecast models compare`: the paired difference of two models on the days held out of both.

use forecast::model::{
    Comparison, ModelCard, PairedDifference, Verdict, compare as compare_held_out,
};
use serde_json::{Value, json};

use super::registry_error;
use crate::cli::table::{Side, table};
use crate::cli::terminal::{Style, Terminal};
use crate::exit::{CommandError, Exit};
use crate::registry::{Current, Decision, Difference, ModelRegistry, Version, decide, load_card};
use crate::report::format::{count, dollars};

pub(super) fn compare(
    registry: &ModelRegistry,
    versions: (Version, Version),
    json: bool,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let card = |version| {
        let entry = registry.find(version)?;
        load_card(&entry.path)
    };
    let first = card(versions.0).map_err(registry_error)?;
    let second = card(versions.1).map_err(registry_error)?;
    let comparison = compare_held_out(&first.held_out, &second.held_out);
    let decision = decide(Current::Speaks(versions.0, &first), &second);
    if json {
        terminal.json(&to_json(versions, (&first, &second), &comparison, &decision))?;
        return Ok(Exit::Fine);
    }
    let title = format!("{} compared with {} on weeks held out of both", versions.1, versions.0);
    terminal.line(terminal.paint(Style::Bold, &title))?;
    for line in lines(versions, &comparison) {
        terminal.line(line)?;
    }
    terminal.line("")?;
    terminal.line(format!("differs   {}", differs(&first, &second)))?;
    let (verb, grounds) = match &decision {
        Decision::Promote(grounds) => ("would take over from", grounds),
        Decision::Keep { grounds, .. } => ("would not take over from", grounds),
    };
    terminal.line(format!("verdict   {} {verb} {}: {grounds}", versions.1, versions.0))?;
    Ok(Exit::Fine)
}

fn lines(versions: (Version, Version), comparison: &Comparison) -> Vec<String> {
    let (first, second) = (versions.0.to_string(), versions.1.to_string());
    let header = [
        ("threshold", Side::Right),
        ("weeks", Side::Right),
        ("hours", Side::Right),
        ("exceedances", Side::Right),
        (first.as_str(), Side::Right),
        (second.as_str(), Side::Right),
        ("difference", Side::Right),
        ("90 % interval", Side::Left),
        ("verdict", Side::Left),
    ];
    let mut rows: Vec<[String; 9]> =
        comparison.thresholds.iter().map(|(price, paired)| row(dollars(*price), paired)).collect();
    rows.push(row("pooled".to_owned(), &comparison.pooled));
    table(header, &rows)
}

fn row(name: String, paired: &PairedDifference) -> [String; 9] {
    let number =
        |value: f64| if value.is_finite() { format!("{value:.5}") } else { "–".to_owned() };
    let signed =
        |value: f64| if value.is_finite() { format!("{value:+.5}") } else { "–".to_owned() };
    let interval = paired.interval.map_or_else(
        || "too few weeks".to_owned(),
        |interval| format!("{:+.5} to {:+.5}", interval.lower, interval.upper),
    );
    [
        name,
        paired.weeks.to_string(),
        count(paired.hours as u64),
        count(paired.exceedances as u64),
        number(paired.first),
        number(paired.second),
        signed(paired.difference),
        interval,
        in_a_word(paired.verdict()).to_owned(),
    ]
}

fn in_a_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::Undecided => "undecided",
        Verdict::NotComparable => "not comparable",
    }
}

fn differs(first: &ModelCard, second: &ModelCard) -> String {
    match Difference::between(&first.lineage, &second.lineage) {
        Difference::Data => "the same recipe on other data".to_owned(),
        Difference::Recipe => {
            let names = first.lineage.recipe.differences(&second.lineage.recipe);
            format!("in the recipe: {}", names.join(", "))
        }
        Difference::Features => format!(
            "in the features: {} and {}",
            first.lineage.features.len(),
            second.lineage.features.len()
        ),
    }
}

fn to_json(
    versions: (Version, Version),
    (first, second): (&ModelCard, &ModelCard),
    comparison: &Comparison,
    decision: &Decision,
) -> Value {
    let thresholds = comparison.thresholds.iter().map(|(price, paired)| {
        let mut row = paired_json(paired);
        row["threshold"] = json!(price);
        row
    });
    let (would_take_over, grounds) = match decision {
        Decision::Promote(grounds) => (true, grounds),
        Decision::Keep { grounds, .. } => (false, grounds),
    };
    json!({
        "first": versions.0.to_string(),
        "second": versions.1.to_string(),
        "differs": differs(first, second),
        "thresholds": thresholds.collect::<Vec<_>>(),
        "pooled": paired_json(&comparison.pooled),
        "would_take_over": would_take_over,
        "reason": grounds.to_string(),
    })
}

fn paired_json(paired: &PairedDifference) -> Value {
    json!({
        "weeks": paired.weeks,
        "hours": paired.hours,
        "exceedances": paired.exceedances,
        "first_log_loss": paired.first,
        "second_log_loss": paired.second,
        "difference": paired.difference,
        "lower": paired.interval.map(|interval| interval.lower),
        "upper": paired.interval.map(|interval| interval.upper),
        "verdict": in_a_word(paired.verdict()),
    })
}
