//! What goes wrong on the way through the Public API changes nothing of what arrives, or is named.

use jiff::{SignedDuration, Timestamp};
use market::observation::{Series, SeriesKey};
use market::reports::Report;
use serde_json::{Value, json};

use super::served::{CLOCK, Served, Truth, Wish};

fn rule(fault: &str, route: &str, more: &str) -> String {
    format!("[[rule]]\nfault = \"{fault}\"\nroute = \"{route}\"\n{more}\n\n")
}

/// Fetches with faults that change nothing of what arrives.
fn arrives_whole(faults: &str) -> Served {
    let served = Served::with_faults(faults);
    let outcome = served.fetch(0);
    assert_eq!(outcome["gaps"], json!([]), "{faults}");
    served.holds_the_truth();
    served
}

fn statuses(served: &Served, route: &str) -> Vec<u64> {
    served.requests(route).iter().map(|it| it["status"].as_u64().unwrap()).collect()
}

#[test]
fn a_server_that_wants_a_second_gets_it() {
    for fault in ["throttle", "bandwidth"] {
        let first = "nth = 1\nretry_after_seconds = 1";
        let served = arrives_whole(
            &(rule(fault, "rows", first)
                + &rule(fault, "archive_list", first)
                + &rule(fault, "archive_download", first)),
        );
        for route in ["rows", "archive_list", "archive_download"] {
            let refused = statuses(&served, route).iter().filter(|status| **status == 429).count();
            assert_eq!(refused, 1, "{fault} on {route}");
        }
    }
}

#[test]
fn bytes_that_trickle_arrive_in_the_end() {
    let slowly = "bytes = 4000\npause_milliseconds = 1";
    arrives_whole(
        &(rule("slow_loris", "rows", slowly)
            + &rule("slow_loris", "archive_list", slowly)
            + &rule("slow_loris", "archive_download", slowly)),
    );
}

#[test]
fn an_answer_that_never_ends_is_given_up_and_asked_for_again() {
    let never = "nth = 1\nbytes = 10\npause_milliseconds = 86400000";
    let served = Served::with_faults(
        &(rule("slow_loris", "archive_list", never)
            + &rule("slow_loris", "archive_download", never)),
    );
    // More than this machine needs for any other answer.
    served.set("ercot_request_timeout = \"4s\"");
    assert_eq!(served.fetch(0)["gaps"], json!([]));
    served.holds_the_truth();
    assert!(2 <= statuses(&served, "archive_list").len());
}

#[test]
fn a_refusal_for_no_reason_on_lists_is_asked_again() {
    arrives_whole(&rule("bad_request", "archive_list", "nth = [1, 2, 3]"));
}

#[test]
fn a_login_that_fails_is_tried_again() {
    for fault in ["server_error", "reset", "html"] {
        arrives_whole(&rule(fault, "token", "nth = 1"));
    }
}

#[test]
fn rows_that_come_twice_count_once_and_what_a_header_says_does_not_matter() {
    for fault in ["duplicated_rows", "wrong_content_type"] {
        let served =
            arrives_whole(&(rule(fault, "rows", "") + &rule(fault, "archive_download", "")));
        let asked = served.requests("rows").len() + served.requests("archive_download").len();
        // Prices of two kinds and load, and the vintages together.
        assert_eq!(asked, 3 + 1, "{fault}: everything is usable at once");
    }
}

#[test]
fn a_posting_that_was_late_was_published_late() {
    let served = Served::with_faults(
        "[[rule]]\nfault = \"late\"\ndelay_minutes = 20\nreport = \"NP3-565-CD\"\n\
         from = \"2026-03-08T06:00\"\nuntil = \"2026-03-08T07:00\"\n",
    );
    assert_eq!(served.fetch(0)["gaps"], json!([]));
    let published = |key: &SeriesKey, at: Timestamp| {
        let is_late = at == "2026-03-08T11:30:00Z".parse().unwrap();
        let is_hit = key.series == Series::LoadForecast && is_late;
        Some(if is_hit { at + SignedDuration::from_mins(20) } else { at })
    };
    served.holds(&Wish::spring(), &Truth { published, ..Truth::at(CLOCK) });
}

#[test]
fn a_report_that_is_not_there_yet_is_named_and_fetched_when_it_is() {
    // Posted at 05:50 on the day after; 28 hours later it is still to come.
    let served = Served::with_faults(
        "[[rule]]\nfault = \"late\"\ndelay_minutes = 1680\nreport = \"NP6-345-CD\"\n",
    );
    let gaps = &served.fetch(4)["gaps"];
    let expected = json!([{
        "key": { "series": "load_actual", "place": "ERCOT" },
        "from": "2026-03-08T06:00:00Z",
        "to": "2026-03-09T05:00:00Z",
        "intervals": 23,
    }]);
    assert_eq!(*gaps, expected);
    served.now_goes_wrong(&json!([]));
    assert_eq!(served.fetch(0)["gaps"], json!([]));
    served.holds_the_truth();
}

#[test]
fn an_hour_of_prices_that_was_never_posted_is_named() {
    let served = Served::with_faults(
        "[[rule]]\nfault = \"missing\"\nreport = \"NP6-788-CD\"\n\
         from = \"2026-03-08T10:00\"\nuntil = \"2026-03-08T11:00\"\n",
    );
    let gaps = &served.fetch(4)["gaps"];
    // A price is posted five minutes after its SCED run: those of 09:55 to 10:55.
    let expected = json!([{
        "key": { "series": "rt_lmp", "place": "HB_NORTH" },
        "from": "2026-03-08T14:55:00Z",
        "to": "2026-03-08T15:55:00Z",
        "intervals": 12,
    }]);
    assert_eq!(*gaps, expected);
    let published = |key: &SeriesKey, at: Timestamp| {
        let hour: [Timestamp; 2] =
            ["2026-03-08T15:00:00Z", "2026-03-08T16:00:00Z"].map(|at| at.parse().unwrap());
        let is_missing = key.series == Series::RealTimeLmp && hour[0] <= at && at < hour[1];
        (!is_missing).then_some(at)
    };
    served.holds(&Wish::spring(), &Truth { published, ..Truth::at(CLOCK) });
}

/// Fetches day-ahead prices while a column is renamed.
fn renamed(column: &str, route: &str, wish: &Wish, exit_code: i32) -> (Served, Value) {
    let names = format!("column = \"{column}\"\nrenamed_to = \"Novelty\"");
    let served = Served::with_faults(&rule("renamed_column", route, &names));
    let outcome = served.fetch_wish(wish, exit_code);
    (served, outcome)
}

#[test]
fn rows_with_a_renamed_column_come_from_the_archive_instead() {
    let wish = Wish::of("dam_spp", "2026-03-08T00:00", "2026-03-09T00:00");
    let (served, outcome) = renamed("settlementPointPrice", "rows", &wish, 4);
    assert_eq!(outcome["gaps"], json!([]));
    served.holds(&wish, &Truth::at(CLOCK));
    // A person is told what ERCOT changed.
    let failures = outcome["failures"].to_string();
    assert!(failures.contains("lacks the columns settlementpointprice"), "{failures}");
    assert!(failures.contains("Novelty"), "{failures}");
}

#[test]
fn files_with_a_renamed_column_are_put_aside_and_the_gap_is_named() {
    let names = "column = \"settlementPointPrice\"\nrenamed_to = \"Novelty\"";
    let faults =
        rule("renamed_column", "rows", names) + &rule("renamed_column", "archive_download", names);
    let served = Served::with_faults(&faults);
    let wish = Wish::of("dam_spp", "2026-03-08T00:00", "2026-03-09T00:00");
    let outcome = served.fetch_wish(&wish, 4);
    assert_eq!(outcome["gaps"][0]["intervals"], 23, "{outcome}");
    let put_aside = outcome["quarantined"].to_string();
    assert!(put_aside.contains("lacks the columns settlementpointprice"), "{put_aside}");
    assert_eq!(served.archived(&wish.keys()[0], &wish), [], "no value is guessed");
    let (from, to) = (wish.span().0 - SignedDuration::from_hours(48), wish.span().1);
    let postings = served.archive().postings(Report::DayAheadSpp, (from, to)).unwrap();
    assert!(!postings.is_empty(), "their bytes are kept");
}

#[test]
fn without_the_flag_of_the_repeated_hour_no_price_gets_the_wrong_hour() {
    let wish = Wish::of("dam_spp", "2025-11-02T00:00", "2025-11-03T00:00");
    let (served, outcome) = renamed("DSTFlag", "rows", &wish, 0);
    // The rows of both runs of the hour are refused; the archive still has the flag.
    assert_eq!((&outcome["complaints"], &outcome["gaps"]), (&json!(2), &json!([])));
    served.holds(&wish, &Truth::at("2025-11-10T00:00"));
}

#[test]
fn what_goes_wrong_while_a_gap_is_mended_is_tried_again_too() {
    let rows = rule("empty", "rows", "report = \"NP4-190-CD\"");
    let wish = Wish::of("dam_spp", "2026-03-08T00:00", "2026-03-09T00:00");
    for (fault, more) in [
        ("server_error", ""),
        ("bad_request", ""),
        ("reset", ""),
        ("html", ""),
        ("throttle", "\nretry_after_seconds = 1"),
    ] {
        let first = format!("nth = 1\nreport = \"NP4-190-CD\"{more}");
        let list = rule(fault, "archive_list", &first);
        let served =
            Served::with_faults(&(rows.clone() + &list + &rule(fault, "archive_download", &first)));
        assert_eq!(served.fetch_wish(&wish, 0)["gaps"], json!([]), "{fault}");
        served.holds(&wish, &Truth::at(CLOCK));
    }
}
