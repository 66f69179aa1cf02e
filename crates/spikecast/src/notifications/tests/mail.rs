//! What a mail looks like on its way, and what a mail server's refusals lead to.

use orchestration::{FailureClass, StageFailure};

use super::smtp_stub::SmtpStub;
use super::{SECRET, tell};
use crate::notifications::mail_server::Encryption;
use crate::notifications::{Channel, MailAccount, MailServer, sample};

fn mailbox(stub: &SmtpStub, login: &str) -> Channel {
    let server = MailServer::new(&format!("smtp://{login}127.0.0.1:{}", stub.port()));
    mailbox_at(server.unwrap())
}

fn mailbox_at(server: MailServer) -> Channel {
    Channel::Mail(MailAccount {
        server,
        from: "spikecast <spikecast@desk.example>".parse().unwrap(),
        to: "Ana <ana@desk.example>".parse().unwrap(),
    })
}

#[test]
fn a_mail_is_plain_text_with_a_subject_that_says_it_all() {
    let stub = SmtpStub::refusing("", "");
    tell(mailbox(&stub, ""), &sample::spike_likely()).unwrap();
    let mails = stub.mails();
    let [mail] = mails.as_slice() else { panic!("one mail, found {mails:?}") };
    let (envelope, mail) = mail.split_once("From: ").unwrap();
    assert_eq!(envelope, "MAIL FROM:<spikecast@desk.example>\nRCPT TO:<ana@desk.example>\n");
    for line in [
        "spikecast <spikecast@desk.example>",
        "To: Ana <ana@desk.example>",
        "Subject: [spikecast] HB_WEST above $200 on Sun 8 Mar: 45 % in HE 19",
        "Date: Sat, 07 Mar 2026 15:45:00 +0000",
        "Auto-Submitted: auto-generated",
        "HE 19: 45 %",
    ] {
        assert!(mail.lines().any(|found| found == line), "{line:?} is missing in:\n{mail}");
    }
    let id =
        |mail: &str| mail.lines().find(|line| line.starts_with("Message-ID: ")).map(str::to_owned);
    tell(mailbox(&stub, ""), &sample::spike_likely()).unwrap();
    assert!(id(mail).is_some());
    assert_eq!(id(&stub.mails()[1]), id(mail), "the same notice is the same mail");
}

#[test]
fn a_refused_mail_is_tried_again_only_if_the_server_says_that_it_may_help() {
    let check = |command, reply, class: FailureClass, said: &str| {
        let stub = SmtpStub::refusing(command, reply);
        let channel = mailbox(&stub, &format!("desk:{SECRET}@"));
        let name = channel.to_string();
        assert_eq!(name, format!("email ana@desk.example at smtp://127.0.0.1:{}", stub.port()));
        let failure = StageFailure::from(tell(channel, &sample::deadline_missed()).unwrap_err());
        assert_eq!(failure.class, class, "{failure}");
        assert_eq!(failure.message, format!("{name}: {said}"));
        assert!(stub.mails().is_empty());
    };
    check(
        "RCPT",
        "451 4.7.1 greylisted, try again later",
        FailureClass::Connection,
        "SMTP 451: 4.7.1 greylisted, try again later",
    );
    check(
        "RCPT",
        "550 5.1.1 no such user",
        FailureClass::BadData,
        "SMTP 550: 5.1.1 no such user; check email_from and email_to, and whether it relays for you",
    );
    check(
        "AUTH",
        "535 5.7.8 not you: {line}",
        FailureClass::Authentication,
        "SMTP 535: 5.7.8 not you: AUTH PLAIN ***; check user and password of smtp_url",
    );
    check("EHLO", "421 closing", FailureClass::Connection, "SMTP 421: closing");
}

#[test]
fn a_password_is_not_told_to_a_server_that_does_not_encrypt() {
    let check = |encryption, class: FailureClass, said: &str| {
        // It would take the password, and the mail.
        let stub = SmtpStub::refusing("", "");
        let address = format!("smtp://desk:{SECRET}@127.0.0.1:{}", stub.port());
        let server = MailServer::new(&address).unwrap().with(encryption);
        let error = tell(mailbox_at(server), &sample::deadline_missed()).unwrap_err();
        let failure = StageFailure::from(error);
        assert_eq!(failure.class, class, "{failure}");
        assert!(failure.message.contains(said), "{failure}");
        assert!(stub.mails().is_empty());
    };
    let no_starttls = "STARTTLS is not supported on this server; check scheme and port of smtp_url";
    check(Encryption::Required, FailureClass::BadData, no_starttls);
    check(Encryption::Always, FailureClass::Connection, "no conversation (");
}
