//! `spikecast notify` as a person sees it, against web and mail servers on this machine. Whatever
//! happens, no address, user or password is shown.

use serde_json::Value;

use crate::http_stub::HttpStub;
use crate::program::Program;
use crate::smtp_stub::SmtpStub;

const SECRETS: [&str; 3] = ["s3cr3tw0rd", "T0DESK", "ana-of-the-desk"];

/// The path of a webhook.
const PATH: &str = "/services/T0DESK/s3cr3tw0rd";

/// A desk with a file of settings.
struct Desk(Program);

impl Desk {
    fn with(settings: &str) -> Self {
        let program = Program::new();
        std::fs::write(program.path("spikecast.toml"), settings).unwrap();
        Self(program)
    }

    /// Runs the program; returns what it printed on both outputs, which holds no secret.
    fn run(&self, arguments: &[&str], exit_code: i32) -> (String, String) {
        let (out, err) = self.0.run(arguments, exit_code);
        for secret in SECRETS {
            assert!(!out.contains(secret) && !err.contains(secret), "{out}{err}");
        }
        (out, err)
    }
}

fn mail(port: u16) -> String {
    format!(
        "smtp_url = \"smtp://ana-of-the-desk:s3cr3tw0rd@127.0.0.1:{port}\"\n\
         email_from = \"spikecast <spikecast@desk.example>\"\n\
         email_to = [\"Bo <bo@desk.example>\", \"cy@desk.example\"]\n"
    )
}

#[test]
fn a_test_goes_once_through_every_channel() {
    let web = HttpStub::answering(&[("200 OK", "", "ok")]);
    let post = SmtpStub::refusing("", "");
    let url = format!("{}{PATH}", web.origin());
    let desk = Desk::with(&format!(
        "webhook_url = \"{url}\"\nslack_url = \"{url}\"\nteams_url = \"{url}\"\n{}",
        mail(post.port())
    ));
    let (out, err) = desk.run(&["notify", "test"], 0);
    let (web_at, mail_at) = (web.origin(), format!("smtp://127.0.0.1:{}", post.port()));
    assert_eq!(
        out,
        format!(
            "webhook at {web_at}: delivered\n\
             slack at {web_at}: delivered\n\
             teams at {web_at}: delivered\n\
             email bo@desk.example at {mail_at}: delivered\n\
             email cy@desk.example at {mail_at}: delivered\n"
        )
    );
    assert_eq!(err, "");
    let bodies: Vec<Value> = web
        .asked()
        .iter()
        .map(|request| serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap())
        .collect();
    assert_eq!(bodies.len(), 3);
    assert_eq!((&bodies[0]["version"], &bodies[0]["kind"]), (&1.into(), &"test".into()));
    assert_eq!(bodies[1]["blocks"][0]["text"]["text"], "Test of spikecast's notices");
    assert_eq!(bodies[2]["attachments"][0]["content"]["type"], "AdaptiveCard");
    let mails = post.mails();
    assert_eq!(mails.len(), 2);
    assert!(mails[0].starts_with("MAIL FROM:<spikecast@desk.example>\nRCPT TO:<bo@desk.example>"));
    assert!(mails[1].contains("\nSubject: [spikecast] Test of spikecast's notices\n"), "{mails:?}");
}

#[test]
fn without_a_channel_a_test_says_which_settings_to_set() {
    let desk = Desk::with("");
    let (out, err) = desk.run(&["notify", "test"], 2);
    assert_eq!(out, "");
    assert_eq!(
        err,
        "error: no channel is configured; set webhook_url, slack_url or teams_url, or smtp_url \
         with email_from and email_to (docs/notifications.md)\n"
    );
}

#[test]
fn what_was_not_delivered_says_why_and_what_to_do() {
    let check = |answer: (&'static str, &'static str, &'static str), exit_code, said: &str| {
        let web = HttpStub::answering(&[answer]);
        let desk = Desk::with(&format!("slack_url = \"{}{PATH}\"\n", web.origin()));
        let (out, err) = desk.run(&["notify", "test"], exit_code);
        assert_eq!(out, format!("not delivered: slack at {}: {said}\n", web.origin()));
        assert_eq!(err, "");
        assert_eq!(web.asked().len(), 1, "a test is one attempt");
        let (json, _) = desk.run(&["notify", "test", "--json"], exit_code);
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["channels"][0]["delivered"], false);
        assert_eq!(json["exit_code"], exit_code);
    };
    let advice = "make a new webhook there and set its address";
    check(("500 Oops", "", "{path} broke"), 4, "HTTP 500: *** broke");
    check(("401 Unauthorized", "", "who?"), 2, &format!("HTTP 401: who?; {advice}"));
    check(("404 Not Found", "", "no {path}"), 2, &format!("HTTP 404: no ***; {advice}"));
}

#[test]
fn a_server_that_is_not_there_is_named_without_its_secret() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let desk =
        Desk::with(&format!("teams_url = \"http://127.0.0.1:{gone}{PATH}\"\n{}", mail(gone)));
    let (out, _) = desk.run(&["notify", "test"], 4);
    let lines: Vec<&str> = out.lines().collect();
    let refused = "Connection refused (os error 111)";
    assert_eq!(
        lines,
        [
            format!(
                "not delivered: teams at http://127.0.0.1:{gone}: no connection ({refused}); is \
                 it up, and the way open?"
            ),
            format!(
                "not delivered: email bo@desk.example at smtp://127.0.0.1:{gone}: no conversation \
                 ({refused}); is it up, and the way open?"
            ),
            format!(
                "not delivered: email cy@desk.example at smtp://127.0.0.1:{gone}: no conversation \
                 ({refused}); is it up, and the way open?"
            ),
        ]
    );
}

#[test]
fn a_mail_server_that_refuses_the_password_does_not_get_it_shown() {
    let post = SmtpStub::refusing("AUTH", "535 5.7.8 bad credentials in {line}");
    let desk = Desk::with(&mail(post.port()));
    let (out, _) = desk.run(&["notify", "test"], 2);
    let line = format!(
        "not delivered: email bo@desk.example at smtp://127.0.0.1:{}: SMTP 535: 5.7.8 bad \
         credentials in AUTH PLAIN ***; check user and password of smtp_url",
        post.port()
    );
    assert_eq!(out.lines().next(), Some(line.as_str()));
}

#[test]
fn one_bad_recipient_keeps_nobody_else_from_being_told() {
    let post = SmtpStub::refusing("RCPT TO:<bo@", "550 5.1.1 no such user");
    let desk = Desk::with(&mail(post.port()));
    let (out, _) = desk.run(&["notify", "test"], 2);
    assert!(out.contains("email cy@desk.example at smtp"), "{out}");
    assert!(out.contains("SMTP 550: 5.1.1 no such user; check email_from and email_to"), "{out}");
    assert_eq!(post.mails().len(), 1);
}

#[test]
fn settings_are_shown_without_their_secrets() {
    let desk = Desk::with(&format!(
        "slack_url = \"https://hooks.slack.com{PATH}\"\n\
         notify = [\"deadline_missed\", \"spike_likely\"]\n\
         watch = [\"HB_WEST > 200 @ 30%\", \"* > 1000 @ 2.5%\"]\n{}",
        mail(2525)
    ));
    let (out, _) = desk.run(&["notify", "show"], 0);
    assert_eq!(
        out,
        "channel                place\n\
         slack                  https://hooks.slack.com\n\
         email bo@desk.example  smtp://127.0.0.1:2525\n\
         email cy@desk.example  smtp://127.0.0.1:2525\n\
         \n\
         told: deadline_missed, spike_likely\n\
         watched: HB_WEST > 200 @ 30%, * > 1000 @ 2.5%\n"
    );
    let (json, _) = desk.run(&["notify", "show", "--json"], 0);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["channels"][0]["place"], "https://hooks.slack.com");
    let (config, _) = desk.run(&["config", "show"], 0);
    for line in [
        "slack_url = \"***\"",
        "smtp_url = \"***\"",
        "email_from = \"spikecast <spikecast@desk.example>\"",
        "email_to = [\"Bo <bo@desk.example>\", \"cy@desk.example\"]",
        "notify = [\"deadline_missed\", \"spike_likely\"]",
        "watch = [\"HB_WEST > 200 @ 30%\", \"* > 1000 @ 2.5%\"]",
    ] {
        assert!(config.lines().any(|shown| shown.starts_with(line)), "{line} in:\n{config}");
    }
    let (out, _) = Desk::with("").run(&["notify", "show"], 0);
    assert!(out.starts_with("no channel is configured; set webhook_url"), "{out}");
    assert!(out.ends_with("watched: nothing\n"), "{out}");
}

#[test]
fn a_wrong_setting_is_named_with_what_would_be_right() {
    let check = |settings: &str, expected: &str| {
        let (_, err) = Desk::with(settings).run(&["config", "check"], 2);
        assert_eq!(err, format!("error: spikecast.toml: {expected}\n"));
    };
    check(
        "slack_url = \"hooks.slack.com/services/T0DESK/s3cr3tw0rd\"",
        "slack_url: expected an address that starts with https:// (or http://) and a host, found \
         \"***\"",
    );
    check(
        "smtp_url = \"smtps://ana-of-the-desk:s3cr3tw0rd@desk.example\"",
        "smtp_url: expected also email_from and email_to, found \"***\"",
    );
    check(
        "smtp_url = \"desk.example:s3cr3tw0rd\"\nemail_from = \"a@b.c\"\nemail_to = \"a@b.c\"",
        "smtp_url: expected smtps://USER:PASSWORD@HOST:465 or smtp://HOST:25, with characters \
         such as @ and / in the password percent-encoded (%40, %2F), found \"***\"",
    );
    check(
        "smtp_url = \"smtp://localhost\"\nemail_from = \"a@b.c\"\nemail_to = \"a@b.c, nobody\"",
        "email_to: expected an e-mail address, e.g. Desk <desk@example.com>, found \"nobody\"",
    );
    check(
        "notify = [\"deadline_missed\", \"everything\"]",
        "notify: expected some of forecast_ready, deadline_at_risk, deadline_missed, \
         forecast_degraded, spike_likely, data_late, model_replaced, model_refused, skill_degraded, \
         found \"everything\"",
    );
    check(
        "watch = [\"HB_WEST > 200 @ 30%\", \"HB_WEST 200\"]",
        "watch: expected POINT > PRICE @ PERCENT%, e.g. HB_WEST > 200 @ 30%, with * for every \
         point, found \"HB_WEST 200\"",
    );
    check(
        "watch = [\"* > 250 @ 30%\"]",
        "watch: expected one of the thresholds: 50, 100, 200, 500, 1000, found \"* > 250 @ 30%\"",
    );
    check(
        "settlement_points = [\"HB_NORTH\"]\nwatch = [\"HB_WEST > 200 @ 30%\"]",
        "watch: expected one of the settlement points: HB_NORTH, found \"HB_WEST > 200 @ 30%\"",
    );
}
