//! Where mail is handed in: `smtps://user:password@host:465` or `smtp://host:25`, and how much of the
//! connection has to be encrypted.
//!
//! A password leaves the machine encrypted to a server whose certificate is right, or not at all.
//! Mail without a password is encrypted if the server offers that, as between mail servers.

use std::fmt;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use market::source::credentials::Secret;
use percent_encoding::percent_decode_str;
use reqwest::Url;
use thiserror::Error;

/// A mail server and who we are to it.
#[derive(Clone, PartialEq, Eq)]
pub struct MailServer {
    host: String,
    port: u16,
    encryption: Encryption,
    login: Option<Login>,
}

/// What is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    /// Everything, from the first byte (`smtps`).
    Always,
    /// Everything after STARTTLS, which the server has to offer: there is a password to keep.
    Required,
    /// Everything after STARTTLS if the server offers it.
    IfOffered,
    /// Nothing: the server is on this machine.
    Never,
}

/// An account at a mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: Secret,
    pub(super) password: Secret,
}

/// Why a text is no address of a mail server. Does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MailServerError {
    /// Another scheme, or no host.
    #[error(
        "smtps://USER:PASSWORD@HOST:465 or smtp://HOST:25, with characters such as @ and / in the \
         password percent-encoded (%40, %2F)"
    )]
    Shape,
    /// A user or a password alone.
    #[error("both a user and a password, or neither")]
    HalfALogin,
    /// More than the address of a server.
    #[error("nothing behind host and port")]
    TooMuch,
}

impl MailServer {
    /// Reads an address.
    pub fn new(text: &str) -> Result<Self, MailServerError> {
        let url = Url::parse(text.trim()).map_err(|_| MailServerError::Shape)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(MailServerError::Shape)?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            ("", Some(_)) | (_, None) => return Err(MailServerError::HalfALogin),
            (user, Some(password)) => Some(Login {
                user: Secret::new(decoded(user)),
                password: Secret::new(decoded(password)),
            }),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(MailServerError::TooMuch);
        }
        let (encryption, usual_port) = match (url.scheme(), &login) {
            ("smtps", _) => (Encryption::Always, 465),
            ("smtp", _) if is_this_machine(&host) => (Encryption::Never, 25),
            ("smtp", Some(_)) => (Encryption::Required, 587),
            ("smtp", None) => (Encryption::IfOffered, 25),
            _ => return Err(MailServerError::Shape),
        };
        Ok(Self { host, port: url.port().unwrap_or(usual_port), encryption, login })
    }

    /// Has a server on this machine treated as one elsewhere.
    #[cfg(test)]
    pub(super) fn with(mut self, encryption: Encryption) -> Self {
        self.encryption = encryption;
        self
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn encryption(&self) -> Encryption {
        self.encryption
    }

    pub(super) fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// Blackens in a text what of the account is not shown, also as it travels: in base 64.
    pub(super) fn blacken(&self, text: &str) -> String {
        let Some(Login { user, password }) = &self.login else { return text.to_owned() };
        let (user, password) = (user.expose(), password.expose());
        let both = format!("\0{user}\0{password}");
        let mut secrets: Vec<String> =
            [both.as_str(), user, password].map(|secret| STANDARD.encode(secret)).into();
        secrets.extend([user.to_owned(), password.to_owned()]);
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.iter().fold(text.to_owned(), |text, secret| Secret::new(secret).blacken(&text))
    }
}

/// Nothing that is sent there leaves the machine, and its certificate would be nobody's.
fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Shows scheme, host and port.
impl fmt::Display for MailServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.encryption {
            Encryption::Always => "smtps",
            Encryption::Required | Encryption::IfOffered | Encryption::Never => "smtp",
        };
        if self.host.contains(':') {
            return write!(formatter, "{scheme}://[{}]:{}", self.host, self.port);
        }
        write!(formatter, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for MailServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self} ({:?}, login {:?})", self.encryption, self.login)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_leaves_the_machine_encrypted_or_not_at_all() {
        let check = |text: &str, shown: &str, encryption: Encryption| {
            let server = MailServer::new(text).unwrap();
            assert_eq!((server.to_string().as_str(), server.encryption()), (shown, encryption));
        };
        let mail = "smtps://mail.desk.example:465";
        check("smtps://ana:pw@mail.desk.example:465", mail, Encryption::Always);
        check("smtps://mail.desk.example", mail, Encryption::Always);
        let submission = "smtp://mail.desk.example:587";
        check("smtp://ana:pw@mail.desk.example", submission, Encryption::Required);
        let relay = "smtp://mail.desk.example:25";
        check("smtp://mail.desk.example/", relay, Encryption::IfOffered);
        check("smtp://localhost", "smtp://localhost:25", Encryption::Never);
        check("smtp://ana:pw@127.0.0.1:2525", "smtp://127.0.0.1:2525", Encryption::Never);
        check("smtp://[::1]:2525", "smtp://[::1]:2525", Encryption::Never);
        check("smtps://[2001:db8::1]", "smtps://[2001:db8::1]:465", Encryption::Always);
    }

    #[test]
    fn what_is_no_mail_server_is_refused_without_being_shown() {
        let check = |text: &str, expected: MailServerError| {
            let error = MailServer::new(text).unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        };
        check("mail.desk.example", MailServerError::Shape);
        check("https://ana:hunter2@mail.desk.example", MailServerError::Shape);
        check("smtp:ana:hunter2", MailServerError::Shape);
        check("smtp://:hunter2@mail.desk.example", MailServerError::HalfALogin);
        check("smtp://ana@mail.desk.example", MailServerError::HalfALogin);
        check("smtps://mail.desk.example?password=hunter2", MailServerError::TooMuch);
    }

    #[test]
    fn neither_user_nor_password_is_shown_in_any_spelling() {
        let server = MailServer::new("smtps://ana%40desk:hun%2Fter2@mail.desk.example").unwrap();
        assert_eq!(server.login().unwrap().password.expose(), "hun/ter2");
        let shown = format!("{server:?} {server}");
        assert!(!shown.contains("ana") && !shown.contains("ter2"), "{shown}");
        let both = STANDARD.encode("\0ana@desk\0hun/ter2");
        let echoed = format!("no {both} nor {} for ana@desk", STANDARD.encode("hun/ter2"));
        assert_eq!(server.blacken(&echoed), "no *** nor *** for ***");
    }
}
