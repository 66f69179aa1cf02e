//! Numbers as people read them: percentages, dollars, signed skill, counts.
//!
//! Only formatting; what a number means is said where it is printed. The `filters` submodule gives
//! templates the same words that charts use.

/// Between a number and its unit: narrow, and never a line break.
const UNIT_SPACE: char = '\u{202f}';

/// What stands for a number that does not exist.
const NO_NUMBER: &str = "–";

/// Returns a probability or other share in percent, with more digits near the ends: neither "never"
/// nor "complete" comes from rounding.
pub(crate) fn percent(share: f64) -> String {
    let value = 100.0 * share;
    if !value.is_finite() {
        NO_NUMBER.to_owned()
    } else if 0.0 < value && value < 0.05 {
        format!("<0.1{UNIT_SPACE}%")
    } else if (99.95..100.0).contains(&value) {
        format!(">99.9{UNIT_SPACE}%")
    } else if value < 9.95 || (99.0 < value && value < 100.0) {
        let text = format!("{value:.1}");
        format!("{}{UNIT_SPACE}%", text.trim_end_matches(".0"))
    } else {
        format!("{value:.0}{UNIT_SPACE}%")
    }
}

/// Returns a skill in percent, always signed, so that better and worse cannot be confused.
pub(crate) fn signed_percent(share: f64) -> String {
    let value = 100.0 * share;
    if !value.is_finite() {
        return NO_NUMBER.to_owned();
    }
    let digits = if value.abs() < 99.95 { 1 } else { 0 };
    let magnitude = format!("{:.digits$}", value.abs());
    let sign = if magnitude.parse() == Ok(0.0) {
        ""
    } else if value < 0.0 {
        "−"
    } else {
        "+"
    };
    format!("{sign}{magnitude}{UNIT_SPACE}%")
}

/// Returns a price or threshold in whole dollars, or in cents where it has any.
pub(crate) fn dollars(price: f64) -> String {
    if !price.is_finite() {
        return NO_NUMBER.to_owned();
    }
    let cents = format!("{:.2}", price.abs());
    let (whole, fraction) = cents.split_once('.').unwrap_or((&cents, "00"));
    let sign = if price < 0.0 && cents != "0.00" { "−" } else { "" };
    let fraction = if fraction == "00" { String::new() } else { format!(".{fraction}") };
    format!("{sign}${}{fraction}", grouped(whole))
}

/// Returns a count with thousands separated.
pub(crate) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// Returns a score with enough digits to tell small Brier scores apart.
pub(crate) fn score(value: f64) -> String {
    if value.is_finite() { format!("{value:.4}") } else { NO_NUMBER.to_owned() }
}

/// Returns a part of a score, which may be a hundredth of it.
pub(super) fn small(value: f64) -> String {
    if value.is_finite() { format!("{value:.5}").replace('-', "−") } else { NO_NUMBER.to_owned() }
}

/// Returns an area under a curve or similar, to three digits; a dash where it is undefined.
pub(super) fn area(value: Option<f64>) -> String {
    match value {
        Some(value) if value.is_finite() => format!("{value:.3}"),
        Some(_) | None => NO_NUMBER.to_owned(),
    }
}

/// Returns how many times its usual probability something has, or nothing where no ratio makes sense.
pub(super) fn times_usual(probability: f64, usual: f64) -> Option<String> {
    let ratio = probability / usual;
    if !ratio.is_finite() {
        None
    } else if ratio < 9.95 {
        Some(format!("{ratio:.1}"))
    } else {
        Some(format!("{ratio:.0}"))
    }
}

/// Returns any quantity without its unit: a true minus sign, thousands separated, at most two
/// decimals.
pub(crate) fn quantity(value: f64) -> String {
    if !value.is_finite() {
        return NO_NUMBER.to_owned();
    }
    let text = format!("{:.2}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    let sign = if value < 0.0 && text != "0.00" { "−" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", grouped(whole))
}

/// Groups the digits of a whole number in threes.
fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if 0 < index && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The same words for templates.
#[expect(unreachable_pub, reason = "the macro makes methods `pub` whatever the filter is")]
pub(super) mod filters {
    use askama::{Result, Values, filter_fn};

    use crate::report::forecast_view::Estimate;

    #[filter_fn]
    pub(in crate::report) fn percent(share: &f64, _: &dyn Values) -> Result<String> {
        Ok(super::percent(*share))
    }

    #[filter_fn]
    pub(in crate::report) fn dollars(price: &f64, _: &dyn Values) -> Result<String> {
        Ok(super::dollars(*price))
    }

    #[filter_fn]
    pub(in crate::report) fn count(number: &u64, _: &dyn Values) -> Result<String> {
        Ok(super::count(*number))
    }

    #[filter_fn]
    pub(in crate::report) fn score(value: &f64, _: &dyn Values) -> Result<String> {
        Ok(super::score(*value))
    }

    #[filter_fn]
    pub(in crate::report) fn area(value: &Option<f64>, _: &dyn Values) -> Result<String> {
        Ok(super::area(*value))
    }

    /// Prints a small score that may be undefined.
    #[filter_fn]
    pub(in crate::report) fn small(value: &Option<f64>, _: &dyn Values) -> Result<String> {
        Ok(super::small(value.unwrap_or(f64::NAN)))
    }

    /// Prints a skill that may be undefined (no exceedances).
    #[filter_fn]
    pub(in crate::report) fn skill(value: &Option<f64>, _: &dyn Values) -> Result<String> {
        Ok(super::signed_percent(value.unwrap_or(f64::NAN)))
    }

    /// Prints the value of an estimate that may be undefined.
    #[filter_fn]
    pub(in crate::report) fn estimate(value: &Option<Estimate>, _: &dyn Values) -> Result<String> {
        Ok(super::signed_percent(value.map_or(f64::NAN, |estimate| estimate.value)))
    }

    /// Prints the interval of an estimate that may be undefined.
    #[filter_fn]
    pub(in crate::report) fn interval(value: &Option<Estimate>, _: &dyn Values) -> Result<String> {
        Ok(value.map_or_else(String::new, |estimate| {
            format!(
                "{} to {}",
                super::signed_percent(estimate.lower),
                super::signed_percent(estimate.upper)
            )
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_keep_the_digits_that_matter() {
        let check = |share: f64, expected: &str| {
            assert_eq!(percent(share).replace(UNIT_SPACE, " "), expected);
        };
        check(0.0, "0 %");
        check(0.0002, "<0.1 %");
        check(0.0041, "0.4 %");
        check(0.041, "4.1 %");
        check(0.05, "5 %");
        check(0.0996, "10 %");
        check(0.412, "41 %");
        check(0.97, "97 %");
        check(0.998, "99.8 %");
        check(0.9998, ">99.9 %");
        check(1.0, "100 %");
        check(f64::NAN, "–");
    }

    #[test]
    fn skill_is_always_signed_but_for_zero() {
        let check = |share: f64, expected: &str| {
            assert_eq!(signed_percent(share).replace(UNIT_SPACE, " "), expected);
        };
        check(0.134, "+13.4 %");
        check(-0.02, "−2.0 %");
        check(-0.0001, "0.0 %");
        check(-2.4, "−240 %");
        check(f64::NAN, "–");
    }

    #[test]
    fn dollars_group_thousands_and_hide_empty_cents() {
        assert_eq!(dollars(50.0), "$50");
        assert_eq!(dollars(1_000.0), "$1,000");
        assert_eq!(dollars(-31.5), "−$31.50");
        assert_eq!(dollars(-0.001), "$0");
        assert_eq!(dollars(1_234_567.0), "$1,234,567");
        assert_eq!(count(52_560), "52,560");
        assert_eq!(count(7), "7");
    }

    #[test]
    fn a_ratio_to_an_impossible_event_is_not_printed() {
        assert_eq!(times_usual(0.41, 0.1).as_deref(), Some("4.1"));
        assert_eq!(times_usual(0.41, 0.01).as_deref(), Some("41"));
        assert_eq!(times_usual(0.41, 0.0), None);
        assert_eq!(times_usual(0.0, 0.0), None);
    }
}
