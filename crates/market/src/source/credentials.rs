//! Secrets that cannot be printed: `Debug` shows stars, there is no `Display`, and what a server
//! echoes is blackened before it is shown.

use std::fmt;

use reqwest::header::HeaderValue;
use thiserror::Error;

/// Shorter words are not blackened in what a server says: they would blacken innocent text.
const REDACTED_LENGTH_MIN: usize = 4;

/// How the JSON object that every id token starts with begins, in base 64.
const TOKEN_START: &str = "eyJ";

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Gives the text away, for the request that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the text as the value of a header; `None` if it cannot be one.
    pub(super) fn header(&self, prefix: &str) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("{prefix}{}", self.0)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Blackens the secret in a text, plain or as it stands in a URL or form.
    #[must_use]
    pub fn blacken(&self, text: &str) -> String {
        if self.0.len() < REDACTED_LENGTH_MIN {
            return text.to_owned();
        }
        let encoded = form_encoded(&self.0);
        text.replace(&self.0, "***").replace(&encoded, "***")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Blackens what looks like a token, which starts with `eyJ`: one that we were just given, or were
/// to be given, is on nobody's list yet.
pub(super) fn blacken_tokens(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(TOKEN_START) {
        let (before, token) = rest.split_at(start);
        let is_of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let end = token.find(|c| !is_of_token(c)).unwrap_or(token.len());
        shown.push_str(before);
        shown.push_str("***");
        rest = &token[end..];
    }
    shown + rest
}

fn form_encoded(text: &str) -> String {
    let mut url = reqwest::Url::parse("http://localhost/").expect("it is a URL");
    url.query_pairs_mut().append_pair("", text);
    url.query().unwrap_or_default().trim_start_matches('=').to_owned()
}

/// Why credentials cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "ERCOT credentials: the {0} is empty or holds characters that cannot be sent; set it again, without line breaks"
)]
pub struct CredentialsError(&'static str);

/// An account of ERCOT's Public API.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The account's e-mail address; it names a person, so it is not printed either.
    pub(super) username: Secret,
    pub(super) password: Secret,
    /// The subscription's primary or secondary key.
    pub(super) subscription_key: Secret,
}

impl Credentials {
    /// Accepts what can be sent at all; only ERCOT knows whether it is right.
    pub fn new(
        username: &str,
        password: &str,
        subscription_key: &str,
    ) -> Result<Self, CredentialsError> {
        for (name, text) in [("user name", username), ("password", password)] {
            if text.trim().is_empty() || text.chars().any(char::is_control) {
                return Err(CredentialsError(name));
            }
        }
        let subscription_key = Secret::new(subscription_key.trim());
        if subscription_key.expose().is_empty() || subscription_key.header("").is_none() {
            return Err(CredentialsError("subscription key"));
        }
        Ok(Self {
            username: Secret::new(username),
            password: Secret::new(password),
            subscription_key,
        })
    }

    /// Returns everything that must not be shown.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        vec![self.username.clone(), self.password.clone(), self.subscription_key.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_it_is_printed() {
        let credentials = Credentials::new("ana@desk.example", "pa ss&1", "key-0123").unwrap();
        let printed = format!("{credentials:?} {credentials:#?}");
        for secret in ["ana", "pa ss", "key-0123"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }

    #[test]
    fn what_a_server_echoes_is_blackened_in_every_spelling() {
        let secret = Secret::new("pa ss&1");
        let echoed = "no user with pa ss&1 at /token?password=pa+ss%261&x=1";
        assert_eq!(secret.blacken(echoed), "no user with *** at /token?password=***&x=1");
        assert_eq!(Secret::new("a").blacken("a cat"), "a cat");
        let token = "{\"id_token\":\"eyJhbG.J9-x_Q\"} and eyJ";
        assert_eq!(blacken_tokens(token), "{\"id_token\":\"***\"} and ***");
    }

    #[test]
    fn what_cannot_be_sent_is_refused_without_being_shown() {
        let refused = |user, password, key| Credentials::new(user, password, key).unwrap_err();
        assert_eq!(refused(" ", "p", "k"), CredentialsError("user name"));
        assert_eq!(refused("u", "secret\n", "k"), CredentialsError("password"));
        assert_eq!(refused("u", "p", "k\u{7f}ey"), CredentialsError("subscription key"));
        let message = refused("u", "secret\n", "k").to_string();
        assert!(!message.contains("secret"), "{message}");
        // A key that was copied with the line's end is still the key.
        let credentials = Credentials::new("u", "p", "key-0123\n").unwrap();
        assert_eq!(credentials.subscription_key.expose(), "key-0123");
    }
}
