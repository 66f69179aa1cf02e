//! Every kind of fault does what it says, over a real socket, to whom it should and no one else.

use std::collections::BTreeSet;
use std::io::Read;
use std::net::{Shutdown, TcpStream};

use serde_json::{Value, json};

use super::{Served, column, unpacked};

const MORNING: &str = "2026-07-14T09:30";
const DAY: &str = "/np4-190-cd/dam_stlmnt_pnt_prices?deliveryDateFrom=2026-07-14&\
     deliveryDateTo=2026-07-14&settlementPoint=HB_NORTH";

fn with(rule: &str) -> Served {
    Served::with_faults(MORNING, &format!("[[rule]]\n{rule}")).signed_in()
}

/// Asks twice for rows: the first request is hit, the second is not.
fn first_of_two(rule: &str) -> Value {
    let served = with(&format!("route = \"rows\"\nnth = 1\n{rule}"));
    let hit = served.api(DAY).unwrap();
    let status = hit.status;
    assert_eq!(served.json(DAY)["_meta"]["totalRecords"], 24, "the second one is not hit");
    let log = served.requests();
    let faults: Vec<&Value> = log.iter().map(|entry| &entry["fault"]).collect();
    assert!(rule.contains(faults[1].as_str().unwrap()) && faults[2].is_null(), "{faults:?}");
    json!({ "status": status, "type": hit.content_type, "body": String::from_utf8(hit.body).unwrap() })
}

#[test]
fn a_refusal_is_written_as_ercot_writes_it() {
    let check = |rule: &str, status: u16, expected: &str| {
        let reply = first_of_two(rule);
        assert_eq!(reply["status"], status, "{rule}");
        let body = reply["body"].as_str().unwrap();
        assert!(body.contains(expected), "{rule}: {body}");
    };
    check("fault = \"throttle\"", 429, "\"error_key\":\"throttled\"");
    check("fault = \"bandwidth\"", 429, "\"error\":\"BandwidthQuotaExceeded\"");
    check("fault = \"expired_token\"", 401, "Access token is missing or invalid");
    check("fault = \"bad_request\"", 400, "\"status\":\"BAD_REQUEST\"");
    for status in [500, 502, 503] {
        let rule = format!("fault = \"server_error\"\nstatus = {status}");
        check(&rule, status, "Server Error");
    }
}

#[test]
fn a_web_page_comes_instead_of_data() {
    let reply = first_of_two("fault = \"html\"");
    assert_eq!((&reply["status"], &reply["type"]), (&json!(200), &json!("text/html")));
    assert!(reply["body"].as_str().unwrap().starts_with("<html>"));
}

#[test]
fn an_empty_answer_has_fields_and_no_rows() {
    let reply = first_of_two("fault = \"empty\"");
    let page: Value = serde_json::from_str(reply["body"].as_str().unwrap()).unwrap();
    assert_eq!((&reply["status"], &page["_meta"]["totalRecords"]), (&json!(200), &json!(0)));
    assert_eq!(page["fields"].as_array().unwrap().len(), 5);
    let served = with("fault = \"empty\"\nreport = \"NP4-190-CD\"");
    assert!(served.mis(12_331).is_empty());
    assert_eq!(served.json("/archive/np4-190-cd")["_meta"]["totalRecords"], 0);
    assert!(!served.mis(12_300).is_empty(), "other reports are as ever");
}

#[test]
fn a_column_is_renamed_in_rows_and_files() {
    let served = with(
        "fault = \"renamed_column\"\ncolumn = \"settlementPointPrice\"\nrenamed_to = \"Price\"",
    );
    let page = served.json(DAY);
    assert_eq!(column(&page, "Price").len(), 24);
    let document = served.mis(12_331).remove(0);
    let text = served.mis_file(&document).unwrap().csv();
    let header = text.lines().next().unwrap();
    assert_eq!(header, "DeliveryDate,HourEnding,SettlementPoint,Price,DSTFlag");
}

#[test]
fn rows_come_twice() {
    let served = with("fault = \"duplicated_rows\"");
    let page = served.json(DAY);
    let rows: Vec<String> = page["data"].as_array().unwrap().iter().map(Value::to_string).collect();
    let different: BTreeSet<&String> = rows.iter().collect();
    assert_eq!((rows.len(), different.len()), (24 + 12, 24));
    let document = served.mis(12_331).remove(0);
    let text = served.mis_file(&document).unwrap().csv();
    let lines: Vec<&str> = text.lines().skip(1).collect();
    let different = lines.iter().collect::<BTreeSet<_>>().len();
    assert_eq!(lines.len(), different + different / 2);
}

#[test]
fn a_zip_file_is_truncated_or_corrupted() {
    let spoilt = |fault: &str| {
        let served = with(&format!("fault = \"{fault}\"\nroute = \"mis_download\"\nnth = 1"));
        let document = served.mis(12_331).remove(0);
        let [hit, whole] = [(); 2].map(|()| served.mis_file(&document).unwrap());
        assert_eq!((hit.status, hit.content_type.as_str()), (200, "application/zip"));
        assert!(unpacked(&whole.body).is_ok(), "the second one is not hit");
        (hit.body, whole.body)
    };
    let (hit, whole) = spoilt("truncated_zip");
    assert_eq!(hit, whole[..whole.len() / 2]);
    let (hit, whole) = spoilt("corrupted_zip");
    assert_eq!(hit.len(), whole.len());
    let error = unpacked(&hit).unwrap_err();
    assert!(!error.is_empty(), "its checksum or its data is wrong");
}

#[test]
fn a_connection_is_reset_within_the_body() {
    let served = with("fault = \"reset\"\nroute = \"rows\"\nnth = 1\nafter_bytes = 1000");
    let broken = served.api(DAY).unwrap_err();
    assert!(broken.contains("ConnectionReset"), "{broken}");
    assert_eq!(served.api(DAY).unwrap().status, 200);
}

#[test]
fn bytes_trickle() {
    // With a day between the pieces only the first one comes.
    let rule =
        "fault = \"slow_loris\"\nbytes = 7\npause_milliseconds = 86400000\nroute = \"mis_list\"";
    let served = with(rule);
    let mut stream = TcpStream::connect(&served.address).unwrap();
    let list = "GET /misapp/servlets/IceDocListJsonWS?reportTypeId=12331";
    served.send(&mut stream, list, &[], "");
    let mut received = Vec::new();
    let mut buffer = [0; 4_096];
    let body = |received: &[u8]| {
        let head = received.windows(4).position(|window| window == b"\r\n\r\n");
        head.map_or(0, |head| received.len() - head - 4)
    };
    while body(&received) < 7 {
        let count = stream.read(&mut buffer).unwrap();
        assert!(0 < count, "the connection stays open");
        received.extend_from_slice(&buffer[..count]);
    }
    assert_eq!(body(&received), 7);
    // Others are served meanwhile, and who waits does not keep the server from stopping.
    assert_eq!(served.json(DAY)["_meta"]["totalRecords"], 24);
    stream.shutdown(Shutdown::Both).unwrap();
    let fast =
        with("fault = \"slow_loris\"\nbytes = 64\npause_milliseconds = 1\nroute = \"mis_list\"");
    assert!(!fast.mis(12_331).is_empty(), "in the end everything arrives");
}

#[test]
fn a_posting_is_late_everywhere() {
    let rule = "fault = \"late\"\ndelay_minutes = 30\nreport = \"NP6-345-CD\"\nfrom = \"2026-07-14T00:00\"";
    let early = Served::with_faults("2026-07-14T06:19", &format!("[[rule]]\n{rule}")).signed_in();
    let rows = "/np6-345-cd/act_sys_load_by_wzn?operatingDayFrom=2026-07-13";
    assert_eq!(early.json(rows)["_meta"]["totalRecords"], 0);
    assert_eq!(early.mis(13_101)[0]["PublishDate"], "2026-07-13T05:50:00-05:00");
    let later = Served::with_faults("2026-07-14T06:20", &format!("[[rule]]\n{rule}")).signed_in();
    assert_eq!(later.json(rows)["_meta"]["totalRecords"], 24);
    assert_eq!(later.mis(13_101)[0]["PublishDate"], "2026-07-14T06:20:00-05:00");
}

#[test]
fn a_posting_is_missing_everywhere() {
    let served = with(
        "fault = \"missing\"\nreport = \"NP6-345-CD\"\nfrom = \"2026-07-13T00:00\"\nuntil = \"2026-07-14T00:00\"",
    );
    // Posted on the 13th, about the 12th.
    let total = |day: &str| {
        let rows =
            format!("/np6-345-cd/act_sys_load_by_wzn?operatingDayFrom={day}&operatingDayTo={day}");
        served.json(&rows)["_meta"]["totalRecords"].clone()
    };
    assert_eq!(
        [total("2026-07-11"), total("2026-07-12"), total("2026-07-13")],
        [24, 0, 24].map(Value::from)
    );
    let posted: Vec<String> = served
        .mis(13_101)
        .iter()
        .map(|it| it["PublishDate"].as_str().unwrap()[..10].to_owned())
        .collect();
    assert!(
        !posted.contains(&"2026-07-13".to_owned()) && posted.contains(&"2026-07-14".to_owned())
    );
    let list = served.json("/archive/np6-345-cd?postDatetimeFrom=2026-07-13T00:00:00&postDatetimeTo=2026-07-13T23:00:00");
    assert_eq!(list["_meta"]["totalRecords"], 0);
}

#[test]
fn faults_can_be_changed_while_it_serves() {
    let served = Served::at(MORNING, &["--no-limits"]).signed_in();
    let plan = json!({ "rule": [{ "fault": "server_error", "report": "NP4-190-CD" }] }).to_string();
    let admin =
        |method: &str, body: &str| served.request(method, "/admin/faults", &[], body).unwrap();
    assert_eq!(admin("POST", &plan).json(), json!({ "rules": 1 }));
    assert_eq!(served.api(DAY).unwrap().status, 503);
    assert_eq!(served.api("/np6-788-cd").unwrap().status, 200);
    let wrong = admin("POST", "{\"rule\":[{\"fault\":\"sever_error\"}]}");
    assert_eq!(wrong.status, 400);
    assert!(wrong.json()["error"].as_str().unwrap().contains("did you mean \"server_error\"?"));
    assert_eq!(served.api(DAY).unwrap().status, 503, "a wrong plan changes nothing");
    assert_eq!(admin("DELETE", "").json(), json!({ "rules": 0 }));
    assert_eq!(served.api(DAY).unwrap().status, 200);
    let logged: Vec<String> = served.requests().iter().map(|it| it["status"].to_string()).collect();
    assert_eq!(logged, ["200", "503", "200", "503", "200"], "the administration is not logged");
}
