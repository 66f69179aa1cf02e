//! Hands a mail to its server, once, and reads what the server makes of it.
//!
//! A mail has one recipient: servers refuse a mail as a whole if they do not know one of its
//! recipients, and somebody who left the company must not keep a missed deadline from the others.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{SmtpTransport, Transport};
use twox_hash::XxHash64;

use super::mail_server::Encryption;
use super::payload::mail_text;
use super::{DeliveryError, MailServer, Message};

/// A server that is silent for so long within a dialogue is down or blocks us.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What servers answer when they do not let us in (RFC 4954).
const LOGIN_CODES: [u16; 4] = [530, 534, 535, 538];

/// Who writes to whom, by which server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailAccount {
    /// Where mail is handed in.
    pub server: MailServer,
    /// Whose mail it is.
    pub from: Mailbox,
    /// Who gets it.
    pub to: Mailbox,
}

impl MailAccount {
    /// Sends a message once. The key makes the mail's own id, so that a mail that was sent again
    /// because the answer got lost is known for the same one.
    pub(super) fn send(
        &self,
        (message, key): (&Message, &str),
        channel: &str,
        now: Timestamp,
    ) -> Result<(), DeliveryError> {
        let refused = |said: String| DeliveryError::Refused {
            channel: channel.to_owned(),
            said: self.server.blacken(&said),
            advice: "check email_from and email_to",
        };
        let mail = self.mail((message, key), now).map_err(|error| refused(error.to_string()))?;
        let transport = self.transport().map_err(|error| self.failure(channel, &error))?;
        match transport.send(&mail) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.failure(channel, &error)),
        }
    }

    fn mail(
        &self,
        (message, key): (&Message, &str),
        now: Timestamp,
    ) -> Result<lettre::Message, lettre::error::Error> {
        let id = XxHash64::oneshot(0, key.as_bytes());
        let domain = self.from.email.domain();
        // No clock that a certificate is accepted by shows a year before 1970.
        let since_epoch = Duration::from_secs(now.as_second().unsigned_abs());
        // Holiday notices are not to be written to a program (RFC 3834).
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        lettre::Message::builder()
            .from(self.from.clone())
            .to(self.to.clone())
            .subject(format!("[spikecast] {}", message.title))
            .date(SystemTime::UNIX_EPOCH + since_epoch)
            .message_id(Some(format!("<spikecast-{id:016x}@{domain}>")))
            .header(ContentType::TEXT_PLAIN)
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .body(mail_text(message))
    }

    fn transport(&self) -> Result<SmtpTransport, lettre::transport::smtp::Error> {
        let server = &self.server;
        let parameters = || TlsParameters::new(server.host().to_owned());
        let tls = match server.encryption() {
            Encryption::Always => Tls::Wrapper(parameters()?),
            Encryption::Required => Tls::Required(parameters()?),
            Encryption::IfOffered => Tls::Opportunistic(parameters()?),
            Encryption::Never => Tls::None,
        };
        // Servers distrust a client without a domain; the sender's is one that they can look up.
        let hello = ClientId::Domain(self.from.email.domain().to_owned());
        let mut builder = SmtpTransport::builder_dangerous(server.host())
            .port(server.port())
            .tls(tls)
            .hello_name(hello)
            .timeout(Some(TIMEOUT));
        if let Some(login) = server.login() {
            let (user, password) = (login.user.expose(), login.password.expose());
            builder = builder.credentials(Credentials::new(user.to_owned(), password.to_owned()));
        }
        Ok(builder.build())
    }

    fn failure(&self, channel: &str, error: &lettre::transport::smtp::Error) -> DeliveryError {
        let said = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        let said = one_line(&self.server.blacken(&said));
        let code = error.status().map(u16::from);
        let channel = channel.to_owned();
        let unavailable =
            |channel, reason| DeliveryError::Unavailable { channel, reason, wait: None };
        match code {
            Some(code) if LOGIN_CODES.contains(&code) => DeliveryError::NotLetIn {
                channel,
                said: format!("SMTP {code}: {said}"),
                advice: "check user and password of smtp_url",
            },
            Some(code) if error.is_permanent() => DeliveryError::Refused {
                channel,
                said: format!("SMTP {code}: {said}"),
                advice: "check email_from and email_to, and whether it relays for you",
            },
            Some(code) => unavailable(channel, format!("SMTP {code}: {said}")),
            None if error.is_client() => DeliveryError::Refused {
                channel,
                said,
                advice: "check scheme and port of smtp_url",
            },
            None if is_timeout(error) => {
                unavailable(channel, format!("no answer within {} s", TIMEOUT.as_secs()))
            }
            None => {
                let reason = format!("no conversation ({said}); is it up, and the way open?");
                unavailable(channel, reason)
            }
        }
    }
}

/// A read that took too long would block on some systems and is timed out on others.
fn is_timeout(error: &lettre::transport::smtp::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|io| matches!(io.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
