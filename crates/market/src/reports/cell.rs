//! One cell of a report, whether it came as text or as JSON, and what can be read from it.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

/// One cell. Text has no blanks around it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    /// Nothing, or null.
    Empty,
    Text(Cow<'a, str>),
    Number(f64),
    Flag(bool),
    /// A list or an object of JSON: nothing that a report has.
    Nested,
}

/// A date and time as a report states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// On the market's wall clock.
    Local(DateTime),
    /// With an offset.
    Exact(Timestamp),
}

/// What a cell should have been.
pub(super) type Expected = &'static str;

/// ERCOT's nodal market began in 2010; a year outside is a misread cell, and would leave the range
/// in which instants can be added to.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2100;

/// The latest hour ending: the extra hour of autumn, in reports that number it so.
pub(super) const EXTRA_HOUR: u8 = 25;

impl<'a> Cell<'a> {
    /// Takes text; blanks around it do not count.
    pub(super) fn of_text(text: Cow<'a, str>) -> Self {
        let trimmed = match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        };
        if trimmed.is_empty() { Cell::Empty } else { Cell::Text(trimmed) }
    }

    /// Writes the cell for a message.
    pub(super) fn shown(&self) -> String {
        match self {
            Cell::Empty => "nothing".to_owned(),
            Cell::Text(text) => format!("{:?}", shortened(text)),
            Cell::Number(number) => number.to_string(),
            Cell::Flag(flag) => flag.to_string(),
            Cell::Nested => "a list or an object".to_owned(),
        }
    }

    /// Reads a number; an empty cell has none.
    pub(super) fn number(&self) -> Result<Option<f64>, Expected> {
        let number = match self {
            Cell::Empty => return Ok(None),
            Cell::Number(number) => *number,
            Cell::Text(text) => text.parse().map_err(|_| "a number")?,
            Cell::Flag(_) | Cell::Nested => return Err("a number"),
        };
        if number.is_finite() { Ok(Some(number)) } else { Err("a finite number") }
    }

    /// Reads a name.
    pub(super) fn name(&self) -> Result<&str, Expected> {
        match self {
            Cell::Text(text) => Ok(text),
            Cell::Empty | Cell::Number(_) | Cell::Flag(_) | Cell::Nested => Err("a name"),
        }
    }

    /// Reads yes or no in any of ERCOT's spellings; an empty cell says neither.
    pub(super) fn flag(&self) -> Result<Option<bool>, Expected> {
        match self {
            Cell::Empty => Ok(None),
            Cell::Flag(flag) => Ok(Some(*flag)),
            Cell::Text(text) if is_any(text, &["Y", "YES", "T", "TRUE", "1"]) => Ok(Some(true)),
            Cell::Text(text) if is_any(text, &["N", "NO", "F", "FALSE", "0"]) => Ok(Some(false)),
            Cell::Text(_) | Cell::Number(_) | Cell::Nested => Err("Y or N"),
        }
    }

    /// Reads a day: `11/03/2024` or `2024-11-03`, with or without a time of midnight.
    pub(super) fn date(&self) -> Result<Date, Expected> {
        const EXPECTED: Expected = "a day, e.g. 11/03/2024 or 2024-11-03";
        let Cell::Text(text) = self else { return Err(EXPECTED) };
        let day = text.strip_suffix("T00:00:00").unwrap_or(text);
        day_of(day).ok_or(EXPECTED)
    }

    /// Reads an hour ending, 1 to 25: `1`, `01`, `1:00`, `01:00`, `24:00`, 1 or 1.0.
    pub(super) fn hour_ending(&self) -> Result<u8, Expected> {
        const EXPECTED: Expected = "an hour ending, 1 to 24 (25 on the day with an extra hour)";
        let whole = match self {
            Cell::Text(text) => {
                let hour = text.strip_suffix(":00:00").or_else(|| text.strip_suffix(":00"));
                digits(hour.unwrap_or(text)).ok_or(EXPECTED)?
            }
            Cell::Number(number) => whole(*number).ok_or(EXPECTED)?,
            Cell::Empty | Cell::Flag(_) | Cell::Nested => return Err(EXPECTED),
        };
        let hour = u8::try_from(whole).ok().filter(|hour| (1..=EXTRA_HOUR).contains(hour));
        hour.ok_or(EXPECTED)
    }

    /// Reads which quarter of an hour, 1 to 4.
    pub(super) fn quarter(&self) -> Result<u8, Expected> {
        const EXPECTED: Expected = "an interval of the hour, 1 to 4";
        let whole = match self {
            Cell::Text(text) => digits(text),
            Cell::Number(number) => whole(*number),
            Cell::Empty | Cell::Flag(_) | Cell::Nested => None,
        };
        let quarter = whole.and_then(|whole| u8::try_from(whole).ok());
        quarter.filter(|quarter| (1..=4).contains(quarter)).ok_or(EXPECTED)
    }

    /// Reads a date and time: `11/03/2024 01:00:13` or `2024-11-03T01:00:13`, without seconds, or
    /// with an offset.
    pub(super) fn moment(&self) -> Result<Moment, Expected> {
        const EXPECTED: Expected =
            "a date and time, e.g. 11/03/2024 01:00:13 or 2024-11-03T01:00:13";
        let Cell::Text(text) = self else { return Err(EXPECTED) };
        moment_of(text).ok_or(EXPECTED)
    }
}

fn is_any(text: &str, spellings: &[&str]) -> bool {
    spellings.iter().any(|spelling| text.eq_ignore_ascii_case(spelling))
}

fn day_of(text: &str) -> Option<Date> {
    let date = if let Some((month, rest)) = text.split_once('/') {
        let (day, year) = rest.split_once('/')?;
        date_of(year, month, day)?
    } else {
        let (year, rest) = text.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        date_of(year, month, day)?
    };
    YEARS.contains(&date.year()).then_some(date)
}

fn date_of(year: &str, month: &str, day: &str) -> Option<Date> {
    let year = i16::try_from(digits(year)?).ok()?;
    Date::new(year, small(month)?, small(day)?).ok()
}

fn moment_of(text: &str) -> Option<Moment> {
    let (day, time) = text.split_once([' ', 'T'])?;
    let day = day_of(day)?;
    if time.ends_with('Z') || time.contains(['+', '-']) {
        return text.parse().ok().map(Moment::Exact);
    }
    let (hour, rest) = time.split_once(':')?;
    let (minute, second) = rest.split_once(':').unwrap_or((rest, "0"));
    // ERCOT's fractions are milliseconds of the posting; a second is precise enough.
    let second = second.split_once('.').map_or(second, |(whole, _)| whole);
    let time = jiff::civil::Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    Some(Moment::Local(day.to_datetime(time)))
}

fn small(text: &str) -> Option<i8> {
    i8::try_from(digits(text)?).ok()
}

/// Reads a number of digits only: no sign, no blanks.
fn digits(text: &str) -> Option<u32> {
    let are_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if are_digits { text.parse().ok() } else { None }
}

fn whole(number: f64) -> Option<u32> {
    let is_whole = (0.0..=1000.0).contains(&number) && number.fract() == 0.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number from 0 to 1000"
    )]
    let whole = number as u32;
    is_whole.then_some(whole)
}

/// What is quoted of a cell or a name in a message.
const SHOWN_CHARS_MAX: usize = 60;

/// Shortens what a file says, so that a message stays readable.
pub(super) fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell<'_> {
        Cell::of_text(Cow::Borrowed(text))
    }

    #[test]
    fn every_spelling_of_the_flag_is_read() {
        for yes in ["Y", "y", "true", "TRUE", "Y    ", "T", "1"] {
            assert_eq!(text(yes).flag(), Ok(Some(true)), "{yes:?}");
        }
        for no in ["N", "n", "false", "False", "N    ", "0"] {
            assert_eq!(text(no).flag(), Ok(Some(false)), "{no:?}");
        }
        assert_eq!(Cell::Flag(true).flag(), Ok(Some(true)));
        assert_eq!(text("   ").flag(), Ok(None));
        assert_eq!(text("maybe").flag(), Err("Y or N"));
        assert_eq!(Cell::Number(1.0).flag(), Err("Y or N"));
    }

    #[test]
    fn every_spelling_of_the_hour_ending_is_read() {
        for (spelling, hour) in [
            ("1", 1),
            ("01", 1),
            ("1:00", 1),
            ("01:00", 1),
            ("01:00:00", 1),
            ("24", 24),
            ("24:00", 24),
            ("25", 25),
        ] {
            assert_eq!(text(spelling).hour_ending(), Ok(hour), "{spelling:?}");
        }
        assert_eq!(Cell::Number(24.0).hour_ending(), Ok(24));
        for wrong in ["0", "00:00", "26", "1:30", "-1", "+1", "", "one", "1.5"] {
            assert!(text(wrong).hour_ending().is_err(), "{wrong:?}");
        }
        for wrong in [0.0, 1.5, -1.0, 26.0, 1e300, f64::NAN] {
            assert!(Cell::Number(wrong).hour_ending().is_err(), "{wrong}");
        }
    }

    #[test]
    fn days_and_moments_are_read_in_both_orders() {
        let day = jiff::civil::date(2024, 11, 3);
        for spelling in ["11/03/2024", "11/3/2024", "2024-11-03", "2024-11-03T00:00:00"] {
            assert_eq!(text(spelling).date(), Ok(day), "{spelling:?}");
        }
        for wrong in
            ["13/03/2024", "2024-02-30", "03.11.2024", "1/1/24", "1/1/1999", "1/1/2101", ""]
        {
            assert!(text(wrong).date().is_err(), "{wrong:?}");
        }
        let local = |second| Ok(Moment::Local(day.at(1, 0, second, 0)));
        assert_eq!(text("11/03/2024 01:00:13").moment(), local(13));
        assert_eq!(text("2024-11-03T01:00:13").moment(), local(13));
        assert_eq!(text("2024-11-03 01:00:13.954").moment(), local(13));
        assert_eq!(text("11/03/2024 01:00").moment(), local(0));
        let exact = "2024-11-03T07:00:13Z".parse().unwrap();
        assert_eq!(text("2024-11-03T01:00:13-06:00").moment(), Ok(Moment::Exact(exact)));
        assert_eq!(text("2024-11-03T07:00:13Z").moment(), Ok(Moment::Exact(exact)));
        for wrong in ["2024-11-03", "11/03/2024 24:00:00", "11/03/2024 01", "x 01:00"] {
            assert!(text(wrong).moment().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_number_is_finite_or_nothing() {
        assert_eq!(text(" 30.57").number(), Ok(Some(30.57)));
        assert_eq!(text("-251").number(), Ok(Some(-251.0)));
        assert_eq!(Cell::Empty.number(), Ok(None));
        for wrong in ["NaN", "inf", "1,000", "-", "$3", "1e999"] {
            assert!(text(wrong).number().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_message_quotes_no_more_than_can_be_read() {
        assert_eq!(text(&"é".repeat(100)).shown().chars().count(), SHOWN_CHARS_MAX + 3);
        assert_eq!(Cell::Empty.shown(), "nothing");
    }
}
