//! A notice in plain words, with the numbers that matter: the same for every channel.
//!
//! Pure. Times are market-local, hours are ERCOT's hours ending, probabilities are in percent.
//! How a channel marks words up is decided in `payload`.

use forecast::horizon::LEAD_DAYS;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use market::time::{MarketHour, OperatingDay, display};

use super::peaks;
use super::{ForecastReady, LikelyHour, Notice, SpikeLikely, ThresholdScore};
use crate::report::format;

/// What a person reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The subject of a mail, the heading of a card.
    pub title: String,
    /// One or two sentences.
    pub sentence: String,
    /// Names and values, the most telling first.
    pub facts: Vec<(String, String)>,
}

impl Message {
    /// Puts a notice into words.
    #[must_use]
    pub fn of(notice: &Notice) -> Self {
        match notice {
            Notice::ForecastReady(forecast) => forecast_ready(forecast),
            Notice::DeadlineAtRisk { issue_day, deadline, reason } => Self {
                title: format!("Morning forecast of {} is at risk", day(*issue_day)),
                sentence: format!(
                    "It is due at {} and may not be there in time: {reason}.",
                    display(*deadline)
                ),
                facts: vec![fact("Deadline", display(*deadline))],
            },
            Notice::DeadlineMissed { issue_day, deadline } => Self {
                title: format!("Morning forecast of {} was missed", day(*issue_day)),
                sentence: format!(
                    "There was no forecast at {}. Bid without it; `spikecast runs list` shows \
                     what it waits for.",
                    display(*deadline)
                ),
                facts: vec![fact("Deadline", display(*deadline))],
            },
            Notice::ForecastDegraded { issue_time, reasons } => Self {
                title: "Forecast is degraded".to_owned(),
                sentence: format!(
                    "The forecast issued {} does not rest on everything it should.",
                    display(*issue_time)
                ),
                facts: reasons.iter().map(|reason| fact("Reason", reason)).collect(),
            },
            Notice::SpikeLikely(spike) => spike_likely(spike),
            Notice::DataLate { source, what, newest, expected } => {
                data_late((source, what), *newest, *expected)
            }
            Notice::ModelReplaced { version, previous, scores } => Self {
                title: "A new model speaks".to_owned(),
                sentence: match previous {
                    Some(previous) => format!("Model {version} replaces {previous}."),
                    None => format!("Model {version} is the first."),
                },
                facts: score_facts(scores),
            },
            Notice::ModelRefused { version, reason } => Self {
                title: "A new model does not speak".to_owned(),
                sentence: format!("Model {version} was refused, the former one goes on speaking."),
                facts: vec![fact("Reason", reason)],
            },
            Notice::SkillDegraded { until, days, scores } => skill_degraded(*until, *days, scores),
            Notice::Test { sent_at } => Self {
                title: "Test of spikecast's notices".to_owned(),
                sentence: format!(
                    "This channel works. Somebody ran `spikecast notify test` at {}.",
                    display(*sent_at)
                ),
                facts: Vec::new(),
            },
        }
    }

    /// Returns title and sentence as one text.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}. {}", self.title, self.sentence)
    }
}

fn forecast_ready(forecast: &ForecastReady) -> Message {
    let issue_day = OperatingDay::of(forecast.issue_time);
    let last = issue_day.plus_days(i32::from(LEAD_DAYS)).date();
    let first = issue_day.plus_days(1).date();
    let mut facts = peaks::facts(&forecast.peaks);
    facts.extend([
        fact("Issued", display(forecast.issue_time)),
        fact("Quality", &forecast.quality),
        fact("Model", &forecast.model_version),
        fact("Page", &forecast.report),
    ]);
    Message {
        title: format!("Forecast is ready: {} to {}", day(first), day(last)),
        sentence: format!("{}.", plain(&forecast.headline)),
        facts,
    }
}

fn spike_likely(spike: &SpikeLikely) -> Message {
    let SpikeLikely { settlement_point, hours, .. } = spike;
    let above = format!("above {}", dollars(spike.threshold));
    let day = day(spike.operating_day);
    let highest = hours.iter().max_by(|a, b| a.probability.total_cmp(&b.probability));
    let peak = highest.map_or_else(String::new, |hour| {
        format!(": {} in {}", percent(hour.probability), hour_ending(hour.target_start))
    });
    let count = match hours.len() {
        1 => "One hour reaches".to_owned(),
        count => format!("{count} hours reach"),
    };
    let hour = |hour: &LikelyHour| fact(hour_ending(hour.target_start), percent(hour.probability));
    let mut facts: Vec<(String, String)> = hours.iter().map(hour).collect();
    facts.push(fact("Issued", display(spike.issue_time)));
    Message {
        title: format!("{settlement_point} {above} on {day}{peak}"),
        sentence: format!(
            "{count} the watched {} for a 5-minute price {above}/MWh at {settlement_point} on {day}.",
            percent(spike.tau)
        ),
        facts,
    }
}

fn data_late(
    (source, what): (&str, &str),
    newest: Option<Timestamp>,
    expected: Timestamp,
) -> Message {
    let (reach, behind) = match newest {
        Some(newest) => (format!("end at {}", display(newest)), span(expected - newest)),
        None => ("are not there at all".to_owned(), "unknown".to_owned()),
    };
    Message {
        title: format!("Late data of {source}: {what}"),
        sentence: format!(
            "The {what} of {source} {reach} and should reach {} by now.",
            display(expected)
        ),
        facts: vec![
            fact("Newest", newest.map_or_else(|| "none".to_owned(), display)),
            fact("Expected", display(expected)),
            fact("Behind", behind),
        ],
    }
}

fn skill_degraded(until: Date, days: u32, scores: &[ThresholdScore]) -> Message {
    let worse = scores.iter().filter(|score| score.climatology_log_loss <= score.log_loss);
    let worse: Vec<String> = worse.map(|score| dollars(score.threshold)).collect();
    let found = if worse.is_empty() {
        "were less skilful than forecasts used to be".to_owned()
    } else {
        format!("were no better than climatology above {}", worse.join(" and "))
    };
    Message {
        title: "Forecasts have lost skill".to_owned(),
        sentence: format!("The forecasts of the {days} days up to {} {found}.", day(until)),
        facts: score_facts(scores),
    }
}

fn score_facts(scores: &[ThresholdScore]) -> Vec<(String, String)> {
    let words = |score: &ThresholdScore| {
        let name = format!("Above {}", dollars(score.threshold));
        let value = format!(
            "skill {}, log-loss {} (climatology {}), {} of {} hours",
            plain(&format::signed_percent(score.skill())),
            format::score(score.log_loss),
            format::score(score.climatology_log_loss),
            format::count(score.exceedances),
            format::count(score.hours)
        );
        (name, value)
    };
    scores.iter().map(words).collect()
}

fn fact(name: impl Into<String>, value: impl Into<String>) -> (String, String) {
    (name.into(), value.into())
}

/// Returns a probability in percent.
pub(super) fn percent(share: f64) -> String {
    plain(&format::percent(share))
}

/// Returns a threshold.
pub(super) fn dollars(price: f64) -> String {
    format::dollars(price)
}

/// Mail readers and logs show a narrow space as a box; pages need it, messages do not.
fn plain(text: &str) -> String {
    text.replace('\u{202f}', " ")
}

/// Returns a day as people say it, e.g. `Sun 8 Mar`.
pub(super) fn day(date: Date) -> String {
    date.strftime("%a %-d %b").to_string()
}

/// Returns an hour by ERCOT's label, e.g. `HE 19`.
pub(super) fn hour_ending(start: Timestamp) -> String {
    let hour = MarketHour::starting(start);
    let repeated = if hour.repeated { " (repeated hour)" } else { "" };
    format!("HE {}{repeated}", hour.hour_ending)
}

fn span(duration: SignedDuration) -> String {
    let minutes = duration.as_mins();
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifications::sample;

    fn words(notice: &Notice) -> String {
        let Message { title, sentence, facts } = Message::of(notice);
        let facts: String =
            facts.iter().map(|(name, value)| format!("\n{name} = {value}")).collect();
        format!("{title}\n{sentence}{facts}")
    }

    #[test]
    fn people_read_what_happened_and_the_numbers_that_matter() {
        let told: Vec<String> = sample::every_notice().iter().map(words).collect();
        let expected = [
            "Forecast is ready: Sun 8 Mar to Tue 10 Mar\n\
             Highest risk: Sun 8 Mar 18:00, 64 % above $100 at HB_WEST.\n\
             HB_WEST = above $100 64 % (Sun 8 Mar HE 19), above $1,000 2.1 % (Sun 8 Mar HE 20)\n\
             HB_NORTH = above $100 9.1 % (Mon 9 Mar HE 19), above $1,000 <0.1 % (Mon 9 Mar HE 19)\n\
             Issued = 2026-03-07 06:00 CST\n\
             Quality = fresh\n\
             Model = 20260307T070000Z-1f2e3d4c\n\
             Page = /var/lib/spikecast/report.html",
            "Morning forecast of Sat 7 Mar is at risk\n\
             It is due at 2026-03-07 09:45 CST and may not be there in time: fetch usually takes \
             4 minutes and has not begun.\n\
             Deadline = 2026-03-07 09:45 CST",
            "Morning forecast of Sat 7 Mar was missed\n\
             There was no forecast at 2026-03-07 09:45 CST. Bid without it; `spikecast runs list` \
             shows what it waits for.\n\
             Deadline = 2026-03-07 09:45 CST",
            "Forecast is degraded\n\
             The forecast issued 2026-03-07 06:00 CST does not rest on everything it should.\n\
             Reason = train: recovered by previous_model after timeout\n\
             Reason = load: newest of 2026-03-04 23:00 CST",
            "HB_WEST above $200 on Sun 8 Mar: 45 % in HE 19\n\
             2 hours reach the watched 30 % for a 5-minute price above $200/MWh at HB_WEST on \
             Sun 8 Mar.\n\
             HE 18 = 31 %\n\
             HE 19 = 45 %\n\
             Issued = 2026-03-07 06:00 CST",
            "Late data of ERCOT: real-time prices\n\
             The real-time prices of ERCOT end at 2026-03-07 05:40 CST and should reach \
             2026-03-07 08:55 CST by now.\n\
             Newest = 2026-03-07 05:40 CST\n\
             Expected = 2026-03-07 08:55 CST\n\
             Behind = 3 h 15 min",
            "A new model speaks\n\
             Model 20260307T070000Z-1f2e3d4c replaces 20260305T070000Z-5a6b7c8d.\n\
             Above $100 = skill +13.5 %, log-loss 0.0712 (climatology 0.0823), 31 of 2,160 hours\n\
             Above $1,000 = skill −3.0 %, log-loss 0.0102 (climatology 0.0099), 31 of 2,160 hours",
            "A new model does not speak\n\
             Model 20260307T070000Z-1f2e3d4c was refused, the former one goes on speaking.\n\
             Reason = the same recipe on newer data, worse than 1.0.0 on 12 weeks",
            "Forecasts have lost skill\n\
             The forecasts of the 30 days up to Fri 6 Mar were no better than climatology above \
             $1,000.\n\
             Above $100 = skill +13.5 %, log-loss 0.0712 (climatology 0.0823), 31 of 2,160 hours\n\
             Above $1,000 = skill −3.0 %, log-loss 0.0102 (climatology 0.0099), 31 of 2,160 hours",
            "Test of spikecast's notices\n\
             This channel works. Somebody ran `spikecast notify test` at 2026-03-07 09:00 CST.",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn hours_are_labelled_as_ercot_does_on_days_when_clocks_change() {
        let check = |start: &str, expected: &str| {
            assert_eq!(hour_ending(sample::at(start)), expected, "{start}");
        };
        check("2026-03-08T07:00Z", "HE 2");
        check("2026-03-08T08:00Z", "HE 4");
        check("2026-11-01T06:00Z", "HE 2");
        check("2026-11-01T07:00Z", "HE 2 (repeated hour)");
    }

    #[test]
    fn data_that_never_came_are_said_to_be_missing() {
        let notice = Notice::DataLate {
            source: "Open-Meteo".to_owned(),
            what: "temperatures".to_owned(),
            newest: None,
            expected: sample::at("2026-03-07T14:00Z"),
        };
        let message = Message::of(&notice);
        assert_eq!(
            message.sentence,
            "The temperatures of Open-Meteo are not there at all and should reach \
             2026-03-07 08:00 CST by now."
        );
        assert_eq!(message.facts[0].1, "none");
    }
}
