//! The Public API's client against canned replies, ERCOT's recorded ones among them.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use super::bulk::tests::zip_of;
use super::{ErcotApi, ErcotEndpoints, Filter, RowRequest};
use crate::reports::{Posting, Report};
use crate::source::SourceError;
use crate::source::credentials::Credentials;
use crate::source::http::stub::{Canned, Stub, TestClock, access, json, say};

const NOW: &str = "2026-11-24T15:00:00Z";
const PASSWORD: &str = "pa ss&word";
const KEY: &str = "0123456789abcdef";
const TOKEN: &str = "eyJhbGciOi.J9-first";
const UNAUTHORIZED: &str =
    r#"{"statusCode":401,"message":"Unauthorized. Access token is missing or invalid."}"#;

fn recorded(name: &str) -> Option<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/ercot/recorded");
    let path: &Path = &folder.join(name);
    if !path.exists() {
        eprintln!("skipped: there are no recorded responses at {}", folder.display());
        return None;
    }
    Some(std::fs::read(path).unwrap())
}

fn token(text: &str) -> Canned {
    json(&format!(r#"{{"id_token":"{text}","token_type":"Bearer","expires_in":"3600"}}"#))
}

fn unauthorized() -> Canned {
    say("401 Unauthorized", "application/json", UNAUTHORIZED.as_bytes())
}

/// A client, and the server that it believes to be ERCOT.
struct Scene {
    clock: TestClock,
    stub: Stub,
    api: ErcotApi,
}

fn scene(answers: Vec<Canned>) -> Scene {
    let clock = TestClock::at(NOW);
    let stub = Stub::saying(answers);
    let base = stub.address();
    let endpoints = ErcotEndpoints::new(
        &format!("{base}/api/public-reports"),
        &format!("{base}/tenant/oauth2/v2.0/token"),
        &base,
    );
    let credentials = Credentials::new("ana@desk.example", PASSWORD, KEY).unwrap();
    let api = ErcotApi::new(&endpoints.unwrap(), credentials, &access(&clock));
    Scene { clock, stub, api }
}

fn posting(id: &str) -> Posting {
    let posted_at = "2026-01-02T10:27:02Z".parse().unwrap();
    Posting { report: Report::Spp, id: id.to_owned(), name: String::new(), posted_at }
}

#[test]
fn one_sign_in_serves_until_55_minutes_have_passed() {
    let page = || json(r#"{"_meta":{"totalRecords":0},"fields":[],"data":[]}"#);
    let scene =
        scene(vec![token(TOKEN), page(), page(), token("second"), page(), token("third"), page()]);
    let request = RowRequest::new(Report::Lmp)
        .with(Filter::Is { field: "settlementPoint", text: "HB_HUBAVG".to_owned() });
    scene.api.page(&request).unwrap();
    scene.clock.set("2026-11-24T15:54:59Z");
    scene.api.page(&request).unwrap();
    scene.clock.set("2026-11-24T15:55:00Z");
    scene.api.page(&request).unwrap();
    // Nobody knows how old a token is after the clock was set back.
    scene.clock.set("2026-11-24T15:54:00Z");
    scene.api.page(&request).unwrap();

    let sign_in = "POST /tenant/oauth2/v2.0/token";
    let rows = "GET /api/public-reports/np6-788-cd/lmp_node_zone_hub?settlementPoint=HB_HUBAVG&page=1&size=100000";
    assert_eq!(scene.stub.lines(), [sign_in, rows, rows, sign_in, rows, sign_in, rows]);
    let asked = scene.stub.asked();
    let form = "grant_type=password&username=ana%40desk.example&password=pa+ss%26word&response_type=id_token&scope=openid+fec253ea-0d06-4272-a5e6-b478baeecd70+offline_access&client_id=fec253ea-0d06-4272-a5e6-b478baeecd70";
    assert!(asked[0].ends_with(form), "{}", asked[0]);
    let has =
        |request: &str, line: &str| request.lines().any(|found| found.eq_ignore_ascii_case(line));
    assert!(has(&asked[1], &format!("authorization: Bearer {TOKEN}")), "{}", asked[1]);
    assert!(has(&asked[1], &format!("ocp-apim-subscription-key: {KEY}")), "{}", asked[1]);
    assert!(has(&asked[4], "authorization: Bearer second"), "{}", asked[4]);
}

#[test]
fn two_threads_sign_in_once() {
    let scene = scene(vec![token(TOKEN), json("{\"bundles\":[]}"), json("{\"bundles\":[]}")]);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| scene.api.bundles(Report::Spp).unwrap());
        }
    });
    let sign_ins = scene.stub.lines().iter().filter(|line| line.starts_with("POST")).count();
    assert_eq!((sign_ins, scene.stub.asked().len()), (1, 3));
}

#[test]
fn a_token_that_was_good_and_is_refused_is_replaced_at_the_next_attempt() {
    let scene = scene(vec![token(TOKEN), json("{}"), unauthorized(), token("second"), json("{}")]);
    let request = RowRequest::new(Report::Spp);
    scene.api.page(&request).unwrap();
    let error = scene.api.page(&request).unwrap_err();
    assert!(matches!(error, SourceError::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().ends_with("the next attempt signs in again"), "{error}");
    // One request is one attempt: nothing was sent in its place.
    assert_eq!(scene.stub.asked().len(), 3);
    scene.api.page(&request).unwrap();
    assert!(scene.stub.asked()[4].contains("Bearer second"));
}

#[test]
fn a_token_that_was_never_accepted_is_for_a_person() {
    let scene = scene(vec![token(TOKEN), unauthorized(), token("second"), unauthorized()]);
    for _ in 0..2 {
        let error = scene.api.products().unwrap_err();
        let SourceError::Authentication { reason, .. } = &error else { panic!("{error:?}") };
        assert!(reason.contains("check the subscription key"), "{reason}");
    }
}

#[test]
fn wrong_credentials_say_which_to_check() {
    let refused = r#"{"error":"access_denied","error_description":"AADB2C90225: The username or password provided in the request are invalid.\r\nCorrelation ID: 1"}"#;
    let scene = scene(vec![say("400 Bad Request", "application/json", refused.as_bytes())]);
    let error = scene.api.products().unwrap_err();
    assert_eq!(
        error.to_string(),
        "source ERCOT sign-in refuses the credentials: HTTP 400: AADB2C90225: The username or password provided in the request are invalid. Correlation ID: 1; check the user name and password of the account at https://apiexplorer.ercot.com"
    );
    assert!(matches!(error, SourceError::Authentication { .. }));
    assert_eq!(scene.stub.asked().len(), 1);
}

#[test]
fn refused_credentials_are_not_tried_again_and_again() {
    let refused = br#"{"error":"access_denied"}"#;
    let answer = || say("400 Bad Request", "application/json", refused);
    let scene = scene(vec![answer(), answer()]);
    let first = scene.api.products().unwrap_err().to_string();
    scene.clock.set("2026-11-24T15:14:59Z");
    assert_eq!(scene.api.products().unwrap_err().to_string(), first);
    assert_eq!(scene.stub.asked().len(), 1, "many refusals in a row lock an account");
    scene.clock.set("2026-11-24T15:15:00Z");
    scene.api.products().unwrap_err();
    assert_eq!(scene.stub.asked().len(), 2);
}

#[test]
fn a_sign_in_that_fails_by_itself_is_worth_another_attempt() {
    let passing = r#"{"error":"temporarily_unavailable"}"#;
    let check = |answer: Canned, expected: &str| {
        let error = scene(vec![answer]).api.products().unwrap_err();
        assert!(format!("{error:?}").starts_with(expected), "{error:?}");
    };
    check(say("400 Bad Request", "application/json", passing.as_bytes()), "Unavailable");
    check(say("503 Service Unavailable", "text/html", b"<title>503</title>"), "Unavailable");
    check(say("200 OK", "text/html", b"<title>Sorry</title>"), "Unusable");
    check(json(r#"{"id_token":"two\nlines"}"#), "Unusable");
}

#[test]
fn no_secret_is_in_any_error_or_printed_client() {
    let echo = format!(
        r#"{{"message":"ana@desk.example / {PASSWORD} / pa+ss%26word / {KEY} / {TOKEN} says hello"}}"#
    );
    let statuses = ["302 Found", "400 Bad Request", "401 Unauthorized", "403 Forbidden"];
    let later = ["404 Not Found", "418 Teapot", "429 Too Many Requests", "500 Oops"];
    let mut errors = Vec::new();
    for status in statuses.into_iter().chain(later) {
        let answer = || say(status, "application/json", echo.as_bytes());
        let signing_in = scene(vec![answer()]);
        errors.push(signing_in.api.products().unwrap_err());
        let asking = scene(vec![token(TOKEN), answer()]);
        errors.push(asking.api.download(&posting("7")).unwrap_err());
        let again = scene(vec![token(TOKEN), json("{}"), answer()]);
        again.api.page(&RowRequest::new(Report::Spp)).unwrap();
        errors.push(again.api.products().unwrap_err());
        errors.push(again.api.products().unwrap_err());
        let client = format!("{:?} {:#?}", again.api, asking.api);
        assert_secret_free(&client);
    }
    let page = format!("<html><title>{echo}</title>");
    for body in [page.as_bytes(), echo.as_bytes(), b"[1]"] {
        let say = || say("200 OK", "text/html", body);
        errors.push(scene(vec![token(TOKEN), say()]).api.products().unwrap_err());
        errors.push(scene(vec![token(TOKEN), say()]).api.download(&posting("7")).unwrap_err());
    }
    for broken in [Canned::Say(Vec::new()), Canned::Say(b"HTTP/1.1 200 OK\r\n".to_vec())] {
        errors.push(scene(vec![broken.clone()]).api.products().unwrap_err());
        errors.push(scene(vec![token(TOKEN), broken]).api.products().unwrap_err());
    }
    for error in errors {
        assert_secret_free(&format!("{error} {error:?} {error:#?}"));
    }
}

fn assert_secret_free(text: &str) {
    for secret in ["ana@", "ana%40", PASSWORD, "pa+ss%26word", KEY, TOKEN] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn a_token_that_looks_like_any_word_is_not_shown_either() {
    let echo = say("500 Oops", "application/json", br#"{"message":"Bearer opaque-1 is bad"}"#);
    let error = scene(vec![token("opaque-1"), echo]).api.products().unwrap_err().to_string();
    assert!(error.ends_with("HTTP 500: Bearer *** is bad"), "{error}");
}

#[test]
fn the_recorded_refusal_is_that_of_a_token() {
    let Some(body) = recorded("pubapi_error_401_missing_token.json") else { return };
    let scene =
        scene(vec![token(TOKEN), json("{}"), say("401 Unauthorized", "application/json", &body)]);
    scene.api.page(&RowRequest::new(Report::Spp)).unwrap();
    let error = scene.api.products().unwrap_err().to_string();
    let expected = "the token is no longer accepted (HTTP 401: Unauthorized. Access token is missing or invalid.); the next attempt signs in again";
    assert_eq!(error, format!("source ERCOT Public API is not available: {expected}"));
}

#[test]
fn the_recorded_products_are_those_of_the_catalogue() {
    let Some(body) = recorded("pubapi_root_products_listing_2026-01.json") else { return };
    let scene = scene(vec![token(TOKEN), say("200 OK", "application/hal+json", &body)]);
    let products = scene.api.products().unwrap();
    assert_eq!(scene.stub.lines()[1], "GET /api/public-reports");
    assert_eq!(products.len(), 77);
    let lmp = products.iter().find(|product| product.emil_id == "NP6-788-CD").unwrap();
    assert_eq!(lmp.frequency, "Event - Per SCED Run");
    assert_eq!(lmp.last_posted_at, Some("2026-01-03T00:25:16Z".parse().unwrap()));
    assert_eq!(lmp.first_run, Some(jiff::civil::date(2010, 11, 30)));
    assert_eq!((lmp.mis_days, lmp.download_limit), (Some(5), Some(1_000)));
    for report in Report::ALL {
        let facts = report.facts();
        let Some(endpoint) = facts.endpoint else { continue };
        let listed = products.iter().find(|product| product.emil_id == facts.emil_id);
        let Some(listed) = listed else { panic!("{} is not listed", facts.emil_id) };
        assert_eq!(listed.report_type_id, Some(facts.report_type_id), "{}", facts.emil_id);
        assert!(listed.endpoints.iter().any(|name| name == endpoint), "{listed:?}");
    }
}

#[test]
fn a_recorded_page_passes_unchanged() {
    let Some(body) = recorded("pubapi_np3-233-cd_hourly_res_outage_cap_TRIMMED.json") else {
        return;
    };
    let scene = scene(vec![token(TOKEN), say("200 OK", "application/json", &body)]);
    let request = RowRequest::new(Report::Outages).with(Filter::Between {
        field: "postedDatetime",
        from: "2026-09-25T14:47:26Z".parse().unwrap(),
        to: "2026-09-25T15:00:00Z".parse().unwrap(),
    });
    assert_eq!(scene.api.page(&request).unwrap(), body);
    assert_eq!(
        scene.stub.lines()[1],
        "GET /api/public-reports/np3-233-cd/hourly_res_outage_cap?postedDatetimeFrom=2026-09-25T09%3A47%3A26&postedDatetimeTo=2026-09-25T10%3A00%3A00&page=1&size=100000"
    );
}

#[test]
fn rows_that_are_on_the_mis_only_are_missing_here_without_a_request() {
    let scene = scene(Vec::new());
    let error = scene.api.page(&RowRequest::new(Report::TemperatureForecast)).unwrap_err();
    assert!(matches!(error, SourceError::Missing { .. }), "{error:?}");
    assert!(scene.stub.asked().is_empty());
}

#[test]
fn an_archive_is_listed_in_the_order_of_time() {
    let archive = r#"{
        "_meta": {"totalRecords": 1203, "pageSize": 1000, "totalPages": 2, "currentPage": 2},
        "archives": [
            {"docId": 900, "friendlyName": "SPP_20241103_0130xhr", "postDatetime": "2024-11-03T01:32:10"},
            {"docId": 901, "friendlyName": "SPP_20241103_0130", "postDatetime": "2024-11-03T01:32:10"},
            {"docId": 902, "friendlyName": "SPP", "postDatetime": "soon"}
        ]
    }"#;
    let scene = scene(vec![token(TOKEN), json(archive), json("{\"bundles\":[]}"), json("{}")]);
    let range = ("2024-11-03T05:00:00Z".parse().unwrap(), "2024-11-04T05:59:59Z".parse().unwrap());
    let page = scene.api.archive(Report::Spp, range, 2).unwrap();
    assert_eq!(
        scene.stub.lines()[1],
        "GET /api/public-reports/archive/np6-905-cd?postDatetimeFrom=2024-11-03T00%3A00%3A00&postDatetimeTo=2024-11-03T23%3A59%3A59&size=1000&page=2"
    );
    let postings: Vec<_> =
        page.listing.postings.iter().map(|p| (&*p.id, p.posted_at.to_string())).collect();
    let expected = [("901", "2024-11-03T06:32:10Z"), ("900", "2024-11-03T07:32:10Z")];
    assert_eq!(postings, expected.map(|(id, at)| (id, at.to_owned())));
    assert_eq!(page.listing.complaints.len(), 1);
    assert_eq!(page.listing.complaints[0].line, 3);
    assert_eq!((page.paging.total_pages, page.paging.current_page), (2, 2));
    assert_eq!(scene.api.bundles(Report::Spp).unwrap().listing.postings, []);
    assert!(matches!(scene.api.bundles(Report::Spp), Err(SourceError::Unusable { .. })));
}

#[test]
fn files_are_downloaded_one_by_one_or_together() {
    let inner = zip_of(&[("spp.csv", b"a,b\n1,2\n")]);
    let outer = zip_of(&[("8.SPP.zip", &inner), ("-7.SPP.zip", b"other")]);
    let zipped = |bytes: &[u8]| say("200 OK", "application/zip", bytes);
    let scene = scene(vec![
        token(TOKEN),
        zipped(&inner),
        zipped(&outer),
        zipped(&outer),
        zipped(&inner[..inner.len() - 10]),
    ]);
    assert_eq!(scene.api.download(&posting("8")).unwrap(), inner);
    assert_eq!(scene.api.download_bundle(&posting("-7")).unwrap(), outer);
    let asked = ["-7", "8", "9"].map(posting);
    let downloads = scene.api.download_many(&asked).unwrap();
    assert_eq!(downloads.files[1], (posting("8"), inner.into()));
    assert_eq!(downloads.absent, [posting("9")]);
    assert_eq!(
        scene.stub.lines()[1..],
        [
            "GET /api/public-reports/archive/np6-905-cd?download=8",
            "GET /api/public-reports/bundle/np6-905-cd?download=-7",
            "POST /api/public-reports/archive/np6-905-cd/download",
        ]
    );
    assert!(scene.stub.asked()[3].ends_with(r#"{"docIds":[-7,8,9]}"#));
    let cut = scene.api.download(&posting("8")).unwrap_err();
    assert!(matches!(cut, SourceError::Unusable { .. }), "{cut:?}");
    assert!(scene.api.download_many(&[]).unwrap().files.is_empty());
}

#[test]
fn a_full_quota_stops_the_whole_process_until_the_hour_is_over() {
    let quota = r#"{"error":"BandwidthQuotaExceeded","message":"hourly bandwidth limit"}"#;
    let scene = scene(vec![
        token(TOKEN),
        say("429 Too Many Requests", "application/json", quota.as_bytes()),
        json("{\"bundles\":[]}"),
    ]);
    let wait = |outcome: Result<(), SourceError>| match outcome {
        Err(SourceError::RateLimited { wait, .. }) => wait,
        other => panic!("{other:?}"),
    };
    scene.clock.set("2026-11-24T15:10:00Z");
    let first = wait(scene.api.bundles(Report::Spp).map(|_| ()));
    assert_eq!(first, Some(SignedDuration::from_mins(50)));
    scene.clock.set("2026-11-24T15:40:00Z");
    let second = wait(scene.api.bundles(Report::Lmp).map(|_| ()));
    assert_eq!(second, Some(SignedDuration::from_mins(20)));
    assert_eq!(scene.stub.asked().len(), 2);
    scene.clock.set("2026-11-24T16:00:00Z");
    scene.api.bundles(Report::Spp).unwrap();
}
