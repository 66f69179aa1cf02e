//! What a webhook's server answers, and what follows.

use std::net::TcpListener;

use jiff::SignedDuration;
use orchestration::{FailureClass, StageFailure};

use super::http_stub::HttpStub;
use super::{slack, tell};
use crate::notifications::sample;

fn check(answer: (&'static str, &'static str, &'static str), class: FailureClass, said: &str) {
    let stub = HttpStub::answering(&[answer]);
    let error = tell(slack(&stub.origin()), &sample::deadline_missed()).unwrap_err();
    let failure = StageFailure::from(error);
    assert_eq!(failure.class, class, "{failure}");
    assert_eq!(failure.message, format!("slack at {}: {said}", stub.origin()));
    assert_eq!(stub.asked().len(), 1, "one delivery is one request");
}

#[test]
fn what_passes_by_itself_is_told_apart_from_what_a_person_has_to_mend() {
    let json = "Content-Type: application/json\r\n";
    check(("503 Busy", "", "try later"), FailureClass::Connection, "HTTP 503: try later");
    check(("408 Slow", "", ""), FailureClass::Connection, "HTTP 408");
    let limited = "too many messages (HTTP 429: rate_limited)";
    check(("429 Slow Down", "", "rate_limited"), FailureClass::RateLimit, limited);
    let advice = "make a new webhook there and set its address";
    check(
        ("404 Not Found", "", "no_service"),
        FailureClass::Authentication,
        &format!("HTTP 404: no_service; {advice}"),
    );
    check(
        ("403 Forbidden", json, r#"{"message":"invalid_token"}"#),
        FailureClass::Authentication,
        &format!("HTTP 403: invalid_token; {advice}"),
    );
    check(
        ("400 Bad Request", "", "invalid_blocks"),
        FailureClass::BadData,
        "HTTP 400: invalid_blocks; it does not take this format; is the address of another kind \
         of webhook?",
    );
    check(
        ("302 Found", "Location: https://login.example/\r\n", ""),
        FailureClass::BadData,
        "HTTP 302; set the address it redirects to, which is not followed",
    );
}

#[test]
fn an_address_that_the_server_repeats_is_not_shown() {
    let said = "HTTP 404: Cannot POST ***; make a new webhook there and set its address";
    check(("404 Not Found", "", "Cannot POST {path}"), FailureClass::Authentication, said);
}

#[test]
fn a_server_says_how_long_to_wait_in_seconds_or_by_a_date() {
    let wait = |answer| {
        let stub = HttpStub::answering(&[answer]);
        let error = tell(slack(&stub.origin()), &sample::deadline_missed()).unwrap_err();
        StageFailure::from(error).wait
    };
    let seconds = |count| Some(SignedDuration::from_secs(count));
    assert_eq!(wait(("429 Slow Down", "Retry-After: 30\r\n", "")), seconds(30));
    let date = "Retry-After: Sat, 07 Mar 2026 15:47:00 GMT\r\n";
    assert_eq!(wait(("503 Busy", date, "")), seconds(120));
    assert_eq!(wait(("503 Busy", "", "")), None);
}

#[test]
fn a_server_that_is_not_there_is_worth_another_attempt() {
    // The port is free again as soon as nobody listens.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let failure = tell(slack(&origin), &sample::deadline_missed()).map_err(StageFailure::from);
    let failure = failure.unwrap_err();
    assert_eq!(failure.class, FailureClass::Connection);
    let expected = format!("slack at {origin}: no connection (Connection refused");
    assert!(failure.message.starts_with(&expected), "{failure}");
}

#[test]
fn a_receiver_is_told_which_messages_are_the_same() {
    let stub = HttpStub::answering(&[("200 OK", "", "ok")]);
    tell(slack(&stub.origin()), &sample::deadline_missed()).unwrap();
    let request = &stub.asked()[0];
    assert!(request.starts_with("POST /services/T0DESK/s3cr3tw0rd HTTP/1.1\r\n"), "{request}");
    for header in [
        "content-type: application/json",
        "idempotency-key: \"deadline_missed 2026-03-07\"",
        "user-agent: spikecast/",
    ] {
        assert!(request.contains(&format!("\r\n{header}")), "{request}");
    }
}
