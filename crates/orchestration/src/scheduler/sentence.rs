//! Reads intervals and one-off times: `every 2 days at 01:00 from 2026-01-27`,
//! `every 15 minutes from 2026-01-27T00:00`, `once at 2026-01-27T06:00`.

use std::num::NonZeroU16;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};

use super::interval::{Interval, IntervalUnit};
use super::rule::{OneOff, ScheduleRule};
use super::words::{Word, pointer, words};

/// Longer intervals are mistakes: 10,000 months are eight centuries.
const EVERY_MAX: u16 = 10_000;

/// Why a text is neither an interval nor a one-off time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("schedule {text:?}, character {position}: expected {expected}, found {found}")]
pub struct SentenceError {
    /// The whole text.
    pub text: String,
    /// The first offending character: 1 for the first of the text.
    pub position: usize,
    /// What could stand there.
    pub expected: &'static str,
    /// What does.
    pub found: String,
}

impl SentenceError {
    /// Returns the text and, below it, a caret under the offending character.
    pub fn pointer(&self) -> String {
        pointer(&self.text, self.position)
    }
}

/// Tells whether a text is meant as a sentence, not as a cron expression.
pub(super) fn is_sentence(text: &str) -> bool {
    words(text).first().is_some_and(|word| ["every", "once"].contains(&word.text))
}

pub(super) fn parse(text: &str) -> Result<ScheduleRule, SentenceError> {
    let mut reader = Reader { text, words: words(text).into_iter(), end: text.chars().count() + 1 };
    let first = reader.next("every or once")?;
    let rule = match first.text {
        "every" => ScheduleRule::Interval(reader.interval()?),
        "once" => ScheduleRule::Once(reader.one_off()?),
        _ => return Err(reader.fault(first, "every or once")),
    };
    match reader.words.next() {
        None => Ok(rule),
        Some(word) => Err(reader.fault(word, "nothing more")),
    }
}

struct Reader<'t> {
    text: &'t str,
    words: std::vec::IntoIter<Word<'t>>,
    end: usize,
}

impl<'t> Reader<'t> {
    fn interval(&mut self) -> Result<Interval, SentenceError> {
        let (every, unit) = self.count_and_unit()?;
        let first = if unit.is_elapsed() {
            let expected = "from and the first time, such as from 2026-01-27T00:00";
            self.word("from", expected)?;
            let word = self.next("a date and time such as 2026-01-27T00:00")?;
            self.date_time(word)?
        } else {
            self.word("at", "at and a time of day, such as at 01:00")?;
            let word = self.next("a time of day such as 01:00")?;
            let time = parse_time(word.text)
                .ok_or_else(|| self.fault(word, "a time of day such as 01:00"))?;
            self.word("from", "from and the first date, such as from 2026-01-27")?;
            let expected = "a date such as 2026-01-27";
            let word = self.next(expected)?;
            parse_date(word.text).ok_or_else(|| self.fault(word, expected))?.to_datetime(time)
        };
        Ok(Interval::new(every, unit, first))
    }

    /// Reads `2 days`, or `day` for one.
    fn count_and_unit(&mut self) -> Result<(NonZeroU16, IntervalUnit), SentenceError> {
        let expected = "a number from 1 to 10000 or minute, hour, day, week or month";
        let word = self.next(expected)?;
        let singular =
            |word: Word<'_>| IntervalUnit::ALL.into_iter().find(|unit| unit.as_str() == word.text);
        if let Some(unit) = singular(word) {
            return Ok((NonZeroU16::MIN, unit));
        }
        let is_number = word.text.bytes().all(|byte| byte.is_ascii_digit());
        let every = word.text.parse().ok().filter(|every: &NonZeroU16| every.get() <= EVERY_MAX);
        let every = every.filter(|_| is_number).ok_or_else(|| self.fault(word, expected))?;
        let expected = "minutes, hours, days, weeks or months";
        let word = self.next(expected)?;
        let text = word.text.strip_suffix('s').unwrap_or(word.text);
        let unit = singular(Word { text, ..word }).ok_or_else(|| self.fault(word, expected))?;
        Ok((every, unit))
    }

    fn one_off(&mut self) -> Result<OneOff, SentenceError> {
        let expected = "at and a date and time, such as at 2026-01-27T06:00";
        self.word("at", expected)?;
        let word = self.next("a date and time such as 2026-01-27T06:00")?;
        match word.text.parse::<Timestamp>() {
            Ok(at) => Ok(OneOff::Instant(at)),
            Err(_) => Ok(OneOff::Local(self.date_time(word)?)),
        }
    }

    fn date_time(&self, word: Word<'_>) -> Result<DateTime, SentenceError> {
        let parts = word.split_once('T');
        let parsed = match parts {
            (date, Some(time)) => parse_date(date.text).zip(parse_time(time.text)),
            (_, None) => None,
        };
        let (date, time) =
            parsed.ok_or_else(|| self.fault(word, "a date and time such as 2026-01-27T00:00"))?;
        Ok(date.to_datetime(time))
    }

    fn next(&mut self, expected: &'static str) -> Result<Word<'t>, SentenceError> {
        let end = Word { text: "", position: self.end };
        self.words.next().ok_or_else(|| self.fault(end, expected))
    }

    fn word(&mut self, wanted: &str, expected: &'static str) -> Result<(), SentenceError> {
        let word = self.next(expected)?;
        if word.text == wanted { Ok(()) } else { Err(self.fault(word, expected)) }
    }

    fn fault(&self, word: Word<'_>, expected: &'static str) -> SentenceError {
        let (text, position) = (self.text.to_owned(), word.position);
        SentenceError { text, position, expected, found: word.shown() }
    }
}

/// Reads `01:00` or `01:00:30`.
pub(super) fn parse_time(text: &str) -> Option<Time> {
    Time::strptime("%H:%M", text).or_else(|_| Time::strptime("%H:%M:%S", text)).ok()
}

/// Reads `2026-01-27`.
fn parse_date(text: &str) -> Option<Date> {
    const WIDTH: usize = "2026-01-27".len();
    // Years of two digits or with a sign would be read, too.
    Date::strptime("%Y-%m-%d", text).ok().filter(|_| text.len() == WIDTH)
}
