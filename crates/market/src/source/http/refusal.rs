//! What a server says instead of an answer: its status and its error body, of which ERCOT has
//! three shapes, the token endpoint one and Open-Meteo one. Pure.

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::access::Reply;

/// What is shown of what a server says.
const SAID_LENGTH_MAX: usize = 200;

/// Where the different errors have their text for people, the most telling first.
const TEXT_FIELDS: [&str; 5] = ["error_description", "message", "error_message", "reason", "error"];

/// A reply that is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source) struct Refusal {
    pub(in crate::source) kind: Kind,
    /// The status and the server's words, on one line.
    pub(in crate::source) said: String,
}

/// What follows from a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum Kind {
    /// Too many requests, or too many bytes.
    TooMuch(Allowance),
    /// 401: the token is not, or no longer, good.
    Token,
    /// The account, its key or our address is refused: a person must look.
    Account,
    /// 404, 410.
    Absent,
    /// 400: ERCOT says so at random under load, so it is worth another attempt.
    BadRequest,
    /// 408 and 5xx.
    Server,
    /// Anything else, redirects to other addresses among it.
    Unexpected,
}

/// When a spent allowance is filled up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum Allowance {
    /// The server said how long to wait.
    After(SignedDuration),
    /// Requests of a minute; our own budget knows when ours are a minute old.
    OfTheMinute,
    /// Bytes, or requests, of an hour: with the next full hour.
    OfTheHour,
    /// Requests of a UTC day.
    OfTheDay,
}

impl Refusal {
    /// Reads a reply; `None` when it is an answer.
    pub(in crate::source) fn of(reply: &Reply, now: Timestamp) -> Option<Self> {
        if reply.status == 200 {
            return None;
        }
        let text = text_of(&reply.body);
        let word = text.to_lowercase();
        let kind = match reply.status {
            429 => Kind::TooMuch(allowance(reply, &word, now)),
            403 if word.contains("quota") => Kind::TooMuch(allowance(reply, &word, now)),
            401 if word.contains("subscription key") => Kind::Account,
            401 => Kind::Token,
            403 | 407 | 451 => Kind::Account,
            404 | 410 => Kind::Absent,
            400 => Kind::BadRequest,
            408 | 500..=599 => Kind::Server,
            _ => Kind::Unexpected,
        };
        let said = match text.is_empty() {
            true => format!("HTTP {}", reply.status),
            false => format!("HTTP {}: {text}", reply.status),
        };
        Some(Self { kind, said })
    }
}

impl Allowance {
    /// Returns how long to wait; `None` when our own budget knows.
    pub(super) fn wait(self, now: Timestamp) -> Option<SignedDuration> {
        match self {
            Allowance::After(wait) => Some(wait),
            Allowance::OfTheMinute => None,
            Allowance::OfTheHour => Some(until_the_next(3_600, now)),
            Allowance::OfTheDay => Some(until_the_next(86_400, now)),
        }
    }
}

/// Returns the time until the next multiple of so many seconds. Full hours are the same in UTC
/// and in Texas.
fn until_the_next(seconds: i64, now: Timestamp) -> SignedDuration {
    let passed = SignedDuration::new(now.as_second().rem_euclid(seconds), now.subsec_nanosecond());
    SignedDuration::from_secs(seconds) - passed
}

fn allowance(reply: &Reply, word: &str, now: Timestamp) -> Allowance {
    if let Some(wait) = reply.retry_after.as_deref().and_then(|text| retry_after(text, now)) {
        return Allowance::After(wait);
    }
    let of_bytes = reply.body.windows(9).any(|part| part.eq_ignore_ascii_case(b"bandwidth"));
    if word.contains("daily") {
        Allowance::OfTheDay
    } else if of_bytes || word.contains("hourly") || word.contains("quota") {
        Allowance::OfTheHour
    } else {
        Allowance::OfTheMinute
    }
}

/// Reads a `Retry-After` header: seconds or a date, as it allows both.
#[must_use]
pub fn retry_after(text: &str, now: Timestamp) -> Option<SignedDuration> {
    if let Ok(seconds) = text.trim().parse::<u32>() {
        return Some(SignedDuration::from_secs(i64::from(seconds)));
    }
    let until = DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Some((until - now).max(SignedDuration::ZERO))
}

/// Returns what a body says to people, on one line: a field of its JSON, the title of its HTML,
/// or its beginning.
#[must_use]
pub fn text_of(body: &[u8]) -> String {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    if let Some(fields) = json.as_ref().and_then(Value::as_object) {
        let texts = TEXT_FIELDS.iter().filter_map(|name| fields.get(*name)?.as_str());
        return one_line(texts.take(1).collect::<String>().as_str());
    }
    let text = String::from_utf8_lossy(body);
    let title = text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    one_line(title.map_or(&*text, |(title, _)| title))
}

fn one_line(text: &str) -> String {
    let printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let words: String = printable.take(4 * SAID_LENGTH_MAX).collect();
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SAID_LENGTH_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const NOW: &str = "2026-11-24T15:17:30Z";

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, retry_after: None, body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    fn check(status: u16, body: &str, kind: Kind, said: &str) {
        let refusal = Refusal::of(&reply(status, body), NOW.parse().unwrap());
        assert_eq!(refusal, Some(Refusal { kind, said: said.to_owned() }), "{status} {body}");
    }

    #[test]
    fn both_kinds_of_too_much_are_told_apart() {
        check(
            429,
            r#"{"error_key":"throttled","error_message":"Too many requests"}"#,
            Kind::TooMuch(Allowance::OfTheMinute),
            "HTTP 429: Too many requests",
        );
        check(
            429,
            r#"{"error":"BandwidthQuotaExceeded","message":"You have exceeded the limit"}"#,
            Kind::TooMuch(Allowance::OfTheHour),
            "HTTP 429: You have exceeded the limit",
        );
        check(
            429,
            r#"{"error":true,"reason":"Daily API request limit exceeded."}"#,
            Kind::TooMuch(Allowance::OfTheDay),
            "HTTP 429: Daily API request limit exceeded.",
        );
        check(
            403,
            r#"{"statusCode":403,"message":"Out of call volume quota."}"#,
            Kind::TooMuch(Allowance::OfTheHour),
            "HTTP 403: Out of call volume quota.",
        );
        check(429, "", Kind::TooMuch(Allowance::OfTheMinute), "HTTP 429");
    }

    #[test]
    fn every_status_has_its_kind() {
        let token = r#"{"statusCode":401,"message":"Access token is missing or invalid."}"#;
        check(401, token, Kind::Token, "HTTP 401: Access token is missing or invalid.");
        let key =
            r#"{"statusCode":401,"message":"Access denied due to invalid subscription key."}"#;
        check(401, key, Kind::Account, "HTTP 401: Access denied due to invalid subscription key.");
        let page = "<html><head><title>Access\n Denied</title></head><body>…</body></html>";
        check(403, page, Kind::Account, "HTTP 403: Access Denied");
        let application = r#"{"timestamp":"2026-11-24T09:17:30","code":404,"status":"NOT_FOUND","message":"No such product","data":{}}"#;
        check(404, application, Kind::Absent, "HTTP 404: No such product");
        check(400, "{}", Kind::BadRequest, "HTTP 400");
        check(502, "Bad Gateway\r\n", Kind::Server, "HTTP 502: Bad Gateway");
        check(302, "", Kind::Unexpected, "HTTP 302");
        check(204, "", Kind::Unexpected, "HTTP 204");
        assert_eq!(Refusal::of(&reply(200, "[]"), NOW.parse().unwrap()), None);
    }

    #[test]
    fn the_servers_own_wait_counts() {
        let wait = |text: &str| {
            let reply = Reply { retry_after: Some(text.to_owned()), ..reply(429, "bandwidth") };
            let now = NOW.parse().unwrap();
            let Some(Refusal { kind: Kind::TooMuch(allowance), .. }) = Refusal::of(&reply, now)
            else {
                panic!("it is too much");
            };
            allowance.wait(now)
        };
        assert_eq!(wait("17"), Some(SignedDuration::from_secs(17)));
        assert_eq!(wait("Tue, 24 Nov 2026 15:20:00 GMT"), Some(SignedDuration::from_secs(150)));
        assert_eq!(wait("Tue, 24 Nov 2026 15:00:00 GMT"), Some(SignedDuration::ZERO));
        // Unreadable: by the rule for bytes, until 16:00.
        assert_eq!(wait("soon"), Some(SignedDuration::from_secs(42 * 60 + 30)));
    }

    #[test]
    fn an_allowance_comes_back_with_the_full_hour_or_day() {
        let wait = |allowance: Allowance, now: &str| allowance.wait(now.parse().unwrap());
        let hour = |now| wait(Allowance::OfTheHour, now).unwrap();
        assert_eq!(hour("2026-11-24T15:17:30Z"), SignedDuration::from_secs(42 * 60 + 30));
        assert_eq!(hour("2026-11-24T15:59:59.5Z"), SignedDuration::from_millis(500));
        assert_eq!(hour("2026-11-24T16:00:00Z"), SignedDuration::from_hours(1));
        let day = wait(Allowance::OfTheDay, "2026-11-24T15:17:30Z");
        assert_eq!(day, Some(SignedDuration::from_secs(8 * 3_600 + 42 * 60 + 30)));
        assert_eq!(wait(Allowance::OfTheMinute, NOW), None);
    }

    #[test]
    fn what_is_said_stays_on_one_short_line() {
        let long = format!("{{\"message\":\"{}\\n\\u0007end\"}}", "ä".repeat(300));
        let said = text_of(long.as_bytes());
        assert_eq!(said, format!("{}…", "ä".repeat(SAID_LENGTH_MAX)));
        assert_eq!(text_of(b"\xff\xfe a\nb"), "\u{fffd}\u{fffd} a b");
        assert_eq!(text_of(br#"{"message":{"deep":1},"error":7}"#), "");
    }
}
