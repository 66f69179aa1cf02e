//! The transport against a server that breaks in every way.

use std::net::TcpListener;
use std::time::Duration;

use jiff::SignedDuration;
use reqwest::Url;

use super::stub::{Canned, Stub, TestClock, access, access_within, json, said, say};
use super::{HttpAccess, Request, Service, Size};
use crate::source::SourceError;
use crate::source::budget::BudgetLimits;
use crate::source::credentials::Secret;

const NOW: &str = "2026-11-24T15:17:30Z";
const SIZE: Size = Size { expected: 100, max: 1_000 };

fn service(access: &HttpAccess) -> Service {
    Service::new("the test", access, "look at the account", vec![Secret::new("sesame-1")])
}

fn ask(service: &Service, stub: &Stub, path: &str) -> Result<bytes::Bytes, SourceError> {
    let url = Url::parse(&format!("{}{path}", stub.address())).unwrap();
    service.answer_to(&Request::get(url, SIZE))
}

fn outcome(answer: Canned) -> Result<bytes::Bytes, SourceError> {
    ask(&service(&access(&TestClock::at(NOW))), &Stub::saying(vec![answer]), "/rows?key=sesame-1")
}

fn raw(head: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{head}\r\n\r\n{body}").into()
}

#[test]
fn an_answer_is_returned_as_it_is() {
    assert_eq!(outcome(json("{\"a\":1}")).unwrap(), "{\"a\":1}");
}

#[test]
fn every_failure_has_its_class() {
    let check = |answer: Canned, expected: &str| {
        let error = outcome(answer).unwrap_err();
        let class = format!("{error:?}");
        let class = class.split([' ', '(']).next().unwrap();
        assert_eq!(format!("{class}: {error}"), expected);
    };
    check(
        say("503 Service Unavailable", "text/plain", b"down"),
        "Unavailable: source the test is not available: HTTP 503: down",
    );
    check(
        say("403 Forbidden", "text/html", b"<title>sesame-1?</title>"),
        "Authentication: source the test refuses the credentials: HTTP 403: ***?; look at the account",
    );
    check(
        say("404 Not Found", "application/json", b"{\"message\":\"no such page\"}"),
        "Missing: source the test lacks what was asked for (HTTP 404: no such page)",
    );
    check(
        Canned::Say(raw("Content-Length: 50", "{\"data\":[")),
        "Unavailable: source the test is not available: the reply ended early, after 9 of 50 bytes (end of file before message length reached)",
    );
    check(
        Canned::Say(raw("Transfer-Encoding: chunked", "5\r\n{\"dat")),
        "Unavailable: source the test is not available: the reply ended early, after 5 bytes (unexpected EOF during chunk size line)",
    );
    check(
        Canned::Say(raw("Content-Encoding: gzip\r\nContent-Length: 4", "nope")),
        "Unavailable: source the test is not available: the reply ended early, after 0 bytes (Invalid gzip header)",
    );
    check(
        Canned::Say(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
        "Unavailable: source the test is not available: the connection to 127.0.0.1 broke before the answer (invalid HTTP version parsed)",
    );
    check(
        Canned::Say(Vec::new()),
        "Unavailable: source the test is not available: the connection to 127.0.0.1 broke before the answer (connection closed before message completed)",
    );
    check(
        say("200 OK", "application/json", &[b' '; 1_001]),
        "Unusable: source the test gave something unusable: a reply of more than 1000 bytes; ask for less",
    );
    // Nobody waits for what is announced to be too much.
    check(
        Canned::Hold(raw("Content-Length: 5000", "{")),
        "Unusable: source the test gave something unusable: a reply of more than 1000 bytes; ask for less",
    );
    let chunks = format!("{}0\r\n\r\n", format!("64\r\n{}\r\n", " ".repeat(100)).repeat(11));
    check(
        Canned::Say(raw("Transfer-Encoding: chunked", &chunks)),
        "Unusable: source the test gave something unusable: a reply of more than 1000 bytes; ask for less",
    );
}

#[test]
fn a_server_that_stops_talking_is_left_after_the_time_limit() {
    let clock = TestClock::at(NOW);
    let access = access_within(&clock, BudgetLimits::ERCOT, Duration::from_millis(300));
    let stub = Stub::saying(vec![
        Canned::Hold(Vec::new()),
        Canned::Hold(raw("Content-Length: 50", "{\"data\":[")),
        // It would be complete after two seconds.
        Canned::Trickle(raw("Content-Length: 49", "{\"data\":["), 40),
    ]);
    let service = service(&access);
    let mut reasons = Vec::new();
    for _ in 0..3 {
        match ask(&service, &stub, "/slow") {
            Err(SourceError::Unavailable { reason, .. }) => reasons.push(reason),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(reasons[0], "no answer from 127.0.0.1 within 0.3 s");
    assert_eq!(reasons[1], "the reply was not complete within 0.3 s: 9 of 50 bytes");
    assert!(reasons[2].starts_with("the reply was not complete within 0.3 s: "), "{reasons:?}");
}

#[test]
fn nobody_at_home_says_what_to_look_at() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let service = service(&access(&TestClock::at(NOW)));
    for url in [format!("http://127.0.0.1:{port}/?key=sesame-1"), "http://nowhere.invalid/".into()]
    {
        let error = service.answer_to(&Request::get(Url::parse(&url).unwrap(), SIZE)).unwrap_err();
        let SourceError::Unavailable { reason, .. } = &error else { panic!("{error:?}") };
        assert!(reason.starts_with("no connection to "), "{reason}");
        assert!(reason.ends_with("; is it up, and the way to it open?"), "{reason}");
        assert!(!reason.contains("sesame"), "{reason}");
    }
}

#[test]
fn redirects_stay_at_home_and_end() {
    let clock = TestClock::at(NOW);
    let service = service(&access(&clock));
    let to = |place: &str| said("302 Found", &format!("Location: {place}\r\n"), b"");

    let stub = Stub::saying(vec![to("/there"), json("{}")]);
    assert_eq!(ask(&service, &stub, "/here?key=sesame-1").unwrap(), "{}");
    assert!(!stub.asked()[1].contains("sesame"), "{:?}", stub.asked());

    let elsewhere = Stub::saying(vec![json("{}")]);
    let stub = Stub::saying(vec![to(&format!("{}/x?sesame-1", elsewhere.address()))]);
    let error = ask(&service, &stub, "/here").unwrap_err().to_string();
    assert!(error.contains("a redirect to another address (HTTP 302)"), "{error}");
    assert_eq!(elsewhere.asked(), Vec::<String>::new());

    let stub = Stub::saying(vec![to("/again"); 10]);
    let error = ask(&service, &stub, "/round").unwrap_err().to_string();
    assert!(error.ends_with("127.0.0.1 redirects more than 3 times"), "{error}");
    assert_eq!(stub.asked().len(), 4);
}

#[test]
fn an_empty_budget_sends_nothing_and_tells_how_long_to_wait() {
    let clock = TestClock::at(NOW);
    let limits = BudgetLimits { requests_per_minute: 2, bytes_per_hour: 1_000_000 };
    let service = service(&access_within(&clock, limits, Duration::from_secs(30)));
    let stub = Stub::saying(vec![json("{}"), json("{}"), json("{}")]);
    let wait = |outcome: Result<bytes::Bytes, SourceError>| match outcome {
        Ok(_) => None,
        Err(SourceError::RateLimited { wait, .. }) => wait.map(|wait| wait.as_secs()),
        Err(other) => panic!("{other:?}"),
    };
    assert_eq!(wait(ask(&service, &stub, "/1")), None);
    clock.set("2026-11-24T15:17:50Z");
    assert_eq!(wait(ask(&service, &stub, "/2")), None);
    assert_eq!(wait(ask(&service, &stub, "/3")), Some(40));
    assert_eq!(stub.asked().len(), 2);
    clock.set("2026-11-24T15:18:30Z");
    assert_eq!(wait(ask(&service, &stub, "/3")), None);
}

#[test]
fn what_was_too_much_silences_everyone_who_shares_the_budget() {
    let check = |body: &str, seconds: i64| {
        let clock = TestClock::at(NOW);
        let access = access(&clock);
        let (first, second) = (service(&access), service(&access));
        let stub =
            Stub::saying(vec![say("429 Too Many Requests", "application/json", body.as_bytes())]);
        for service in [first, second] {
            let error = ask(&service, &stub, "/").unwrap_err();
            let SourceError::RateLimited { wait, .. } = error else { panic!("{error:?}") };
            assert_eq!(wait, Some(SignedDuration::from_secs(seconds)), "{body}");
        }
        assert_eq!(stub.asked().len(), 1);
    };
    check(r#"{"error_key":"throttled","error_message":"slow down"}"#, 60);
    // It is 15:17:30; the bytes come back at 16:00.
    check(r#"{"error":"BandwidthQuotaExceeded","message":"hourly"}"#, 42 * 60 + 30);
}

#[test]
fn the_bytes_of_a_reply_are_charged_whether_it_was_complete_or_not() {
    let clock = TestClock::at(NOW);
    let limits = BudgetLimits { requests_per_minute: 100, bytes_per_hour: 1_000 };
    let service = service(&access_within(&clock, limits, Duration::from_secs(30)));
    let stub = Stub::saying(vec![
        json(&format!("{{{}", " ".repeat(499))),
        Canned::Say(raw("Content-Length: 950", &" ".repeat(450))),
        json("{}"),
    ]);
    ask(&service, &stub, "/").unwrap();
    assert!(matches!(ask(&service, &stub, "/"), Err(SourceError::Unavailable { .. })));
    // 950 of 1,000 are spent, and a reply of 100 is expected.
    assert!(matches!(ask(&service, &stub, "/"), Err(SourceError::RateLimited { .. })));
}

#[test]
fn what_is_no_json_or_no_zip_is_described() {
    let service = service(&access(&TestClock::at(NOW)));
    let json =
        |body: &'static [u8]| service.expect_json("the list", body.into()).unwrap_err().to_string();
    let zip =
        |body: &'static [u8]| service.expect_zip("the file", body.into()).unwrap_err().to_string();
    let prefix = "source the test gave something unusable: the";
    assert_eq!(
        json(b"<!DOCTYPE html><title>Maintenance sesame-1</title>"),
        format!("{prefix} list: expected JSON, found a page that says \"Maintenance ***\"")
    );
    assert_eq!(json(b""), format!("{prefix} list: expected JSON, found nothing"));
    assert_eq!(
        zip(b"{\"message\":\"gone\"}"),
        format!("{prefix} file: expected a zip file, found a text that says \"gone\"")
    );
    let cut = zip(b"PK\x03\x04 and then it ends");
    assert!(
        cut.starts_with(&format!("{prefix} file: expected a zip file, found a damaged")),
        "{cut}"
    );
}
