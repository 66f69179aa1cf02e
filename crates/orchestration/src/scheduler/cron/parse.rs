//! Reads a cron expression, and says where it is wrong.

use super::calendar::{ClockRule, Cron, DayCombination, DaysOfMonth, DaysOfWeek};
use super::set::NumberSet;
use super::{CronError, CronField};
use crate::scheduler::words::{Word, words};

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// What the numbers of a field mean.
struct Spec {
    field: CronField,
    first: u8,
    last: u8,
    names: &'static [&'static str],
    expected: &'static str,
}

const SECOND: Spec =
    Spec { field: CronField::Second, first: 0, last: 59, names: &[], expected: "0-59" };
const MINUTE: Spec = Spec { field: CronField::Minute, ..SECOND };
const HOUR: Spec =
    Spec { field: CronField::Hour, first: 0, last: 23, names: &[], expected: "0-23" };
const DAY_OF_MONTH: Spec = Spec {
    field: CronField::DayOfMonth,
    first: 1,
    last: 31,
    names: &[],
    expected: "1-31, L, LW or a day with W, such as 15W",
};
const MONTH: Spec = Spec {
    field: CronField::Month,
    first: 1,
    last: 12,
    names: &MONTHS,
    expected: "1-12 or JAN-DEC",
};
const DAY_OF_WEEK: Spec = Spec {
    field: CronField::DayOfWeek,
    first: 0,
    last: 7,
    names: &WEEKDAYS,
    expected: "0-7 or SUN-SAT",
};

/// What is wrong, before the whole expression is known.
struct Fault {
    field: Option<CronField>,
    position: usize,
    expected: String,
    found: String,
}

impl Fault {
    fn new(spec: &Spec, at: Word<'_>, expected: impl Into<String>) -> Self {
        let (field, position) = (Some(spec.field), at.position);
        Self { field, position, expected: expected.into(), found: at.shown() }
    }
}

pub(super) fn parse(text: &str) -> Result<Cron, CronError> {
    read(text).map_err(|fault| {
        let Fault { field, position, expected, found } = fault;
        CronError { expression: text.to_owned(), field, position, expected, found }
    })
}

fn read(text: &str) -> Result<Cron, Fault> {
    let given = words(text);
    if let Some(first) = given.first().filter(|first| first.text.starts_with('@')) {
        let expanded = nickname(*first, given.get(1))?;
        let mut cron = read_fields(text, &words(expanded))?;
        text.trim().clone_into(&mut cron.text);
        return Ok(cron);
    }
    read_fields(text, &given)
}

fn nickname(word: Word<'_>, next: Option<&Word<'_>>) -> Result<&'static str, Fault> {
    let fault = |at: Word<'_>, expected: &str| Fault {
        field: None,
        position: at.position,
        expected: expected.to_owned(),
        found: at.shown(),
    };
    if let Some(next) = next {
        return Err(fault(*next, "nothing after a nickname"));
    }
    match word.text.to_ascii_lowercase().as_str() {
        "@yearly" | "@annually" => Ok("0 0 1 1 *"),
        "@monthly" => Ok("0 0 1 * *"),
        "@weekly" => Ok("0 0 * * 0"),
        "@daily" | "@midnight" => Ok("0 0 * * *"),
        "@hourly" => Ok("0 * * * *"),
        "@reboot" => Err(fault(word, "a time (a start of the program is none; run it there)")),
        _ => Err(fault(word, "@yearly, @monthly, @weekly, @daily, @midnight or @hourly")),
    }
}

fn read_fields(text: &str, given: &[Word<'_>]) -> Result<Cron, Fault> {
    let (second, [minute, hour, day, month, weekday]) = match *given {
        [minute, hour, day, month, weekday] => (None, [minute, hour, day, month, weekday]),
        [second, minute, hour, day, month, weekday] => {
            (Some(second), [minute, hour, day, month, weekday])
        }
        _ => {
            let position = given.get(6).map_or(1, |word| word.position);
            let found = format!("{} fields", given.len());
            let expected = "5 fields (minute, hour, day-of-month, month, day-of-week) \
                or 6 (seconds first)";
            return Err(Fault { field: None, position, expected: expected.to_owned(), found });
        }
    };
    let begins_with_star = |word: Word<'_>| word.text.starts_with(['*', '?']);
    let is_and = begins_with_star(day) || begins_with_star(weekday);
    let is_elapsed = minute.text.starts_with('*') || hour.text.starts_with('*');
    let (days, day_step) = days_of_month(day)?;
    Ok(Cron {
        text: text.trim().to_owned(),
        seconds: match second {
            Some(second) => numbers(&SECOND, second)?,
            None => NumberSet::range(0, 0, 1),
        },
        minutes: numbers(&MINUTE, minute)?,
        hours: numbers(&HOUR, hour)?,
        days,
        months: numbers(&MONTH, month)?,
        weekdays: days_of_week(weekday)?,
        combination: if is_and { DayCombination::And } else { DayCombination::Or },
        clock: if is_elapsed { ClockRule::EveryElapsed } else { ClockRule::FixedTimes },
        day_step,
    })
}

/// Reads a list of numbers, ranges and steps.
fn numbers(spec: &Spec, word: Word<'_>) -> Result<NumberSet, Fault> {
    let mut set = NumberSet::default();
    for item in word.split(',') {
        set = set.union(item_numbers(spec, item)?.0);
    }
    Ok(set)
}

/// Reads `*`, `5`, `5-10`, `*/2` or `5-10/2`; returns the step, too, if it is over the whole field.
fn item_numbers(spec: &Spec, item: Word<'_>) -> Result<(NumberSet, Option<u8>), Fault> {
    let (base, step_word) = item.split_once('/');
    let (first, last) = match base.text {
        "*" => (spec.first, spec.last),
        _ => {
            let (first_word, last_word) = base.split_once('-');
            let first = value(spec, first_word)?;
            match (last_word, step_word) {
                (Some(last_word), _) => {
                    let last = range_end(spec, first, last_word)?;
                    if last < first {
                        let expected =
                            "a range that rises (to go over the end, list two: 22-23,0-5)";
                        return Err(Fault::new(spec, base, expected));
                    }
                    (first, last)
                }
                (None, Some(_)) => {
                    let last = spec.last;
                    let expected = format!("* or a range before a step, such as {first}-{last}");
                    return Err(Fault::new(spec, base, expected));
                }
                (None, None) => (first, first),
            }
        }
    };
    let step = match step_word {
        None => 1,
        Some(word) => step(spec, word)?,
    };
    let is_whole = first == spec.first && last == spec.last && 1 < step;
    let set = NumberSet::range(first, last, usize::from(step));
    Ok((set, is_whole.then_some(step)))
}

fn value(spec: &Spec, word: Word<'_>) -> Result<u8, Fault> {
    let named = spec.names.iter().position(|name| name.eq_ignore_ascii_case(word.text));
    let number = match named {
        Some(place) => u8::try_from(place).ok().map(|place| place + spec.first),
        None => digits(word),
    };
    number
        .filter(|number| (spec.first..=spec.last).contains(number))
        .ok_or_else(|| Fault::new(spec, word, spec.expected))
}

/// Sunday has two numbers, so that as an end it may close the week: FRI-SUN is 5-7.
fn range_end(spec: &Spec, first: u8, word: Word<'_>) -> Result<u8, Fault> {
    let end = value(spec, word)?;
    let closes_week =
        spec.field == CronField::DayOfWeek && word.text.eq_ignore_ascii_case("SUN") && 0 < first;
    Ok(if closes_week { 7 } else { end })
}

fn step(spec: &Spec, word: Word<'_>) -> Result<u8, Fault> {
    let expected = "a step of at least 1 (and at most 255)";
    digits(word).filter(|step| 0 < *step).ok_or_else(|| Fault::new(spec, word, expected))
}

fn digits(word: Word<'_>) -> Option<u8> {
    // A sign would be parsed, too.
    let all_digits = word.text.bytes().all(|byte| byte.is_ascii_digit());
    word.text.parse().ok().filter(|_| all_digits)
}

/// Reads the day of the month; returns a step over the whole month, too, if there is one.
fn days_of_month(word: Word<'_>) -> Result<(DaysOfMonth, Option<u8>), Fault> {
    let mut days = DaysOfMonth::default();
    let mut day_step = None;
    let is_alone = !word.text.contains(',');
    for item in word.split(',') {
        let day = item.text.strip_suffix(['W', 'w']).map(|day| Word { text: day, ..item });
        match (item.text, day) {
            ("?", _) if is_alone => days.numbers = NumberSet::range(1, 31, 1),
            ("L" | "l", _) => days.last = true,
            (_, Some(day)) if day.text.eq_ignore_ascii_case("L") => days.last_weekday = true,
            (_, Some(day)) if is_alone => days.nearest = Some(value(&DAY_OF_MONTH, day)?),
            (_, Some(_)) => {
                return Err(Fault::new(&DAY_OF_MONTH, item, "a day with W only by itself"));
            }
            (_, None) => {
                let (numbers, step) = item_numbers(&DAY_OF_MONTH, item)?;
                days.numbers = days.numbers.union(numbers);
                day_step = day_step.or(step);
            }
        }
    }
    Ok((days, day_step))
}

fn days_of_week(word: Word<'_>) -> Result<DaysOfWeek, Fault> {
    let mut days = DaysOfWeek::default();
    let is_alone = !word.text.contains(',');
    for item in word.split(',') {
        let (day, place) = match (item.split_once('#'), item.text.strip_suffix(['L', 'l'])) {
            ((day, Some(place)), _) => (day, Some(place)),
            ((_, None), Some(day)) => {
                let place = Word { text: "L", position: item.position + day.chars().count() };
                (Word { text: day, ..item }, Some(place))
            }
            ((_, None), None) => (item, None),
        };
        let Some(place) = place else {
            let set = match item.text {
                "?" if is_alone => NumberSet::range(0, 6, 1),
                _ => item_numbers(&DAY_OF_WEEK, item)?.0,
            };
            days.every = days.every.union(from_sunday(set));
            continue;
        };
        let day = value(&DAY_OF_WEEK, day)? % 7;
        match (place.text, digits(place)) {
            ("L" | "l", _) => days.last.insert(day),
            (_, Some(nth @ 1..=5)) => days.nth[usize::from(nth - 1)].insert(day),
            _ => return Err(Fault::new(&DAY_OF_WEEK, place, "1-5 or L after #")),
        }
    }
    Ok(days)
}

/// Sunday is 0 and 7.
fn from_sunday(set: NumberSet) -> NumberSet {
    let mut week = set.intersection(NumberSet::range(0, 6, 1));
    if set.contains(7) {
        week.insert(0);
    }
    week
}
