//! Signing in: an id token is good for an hour, and a new one is fetched a little before, or after
//! it was refused.
//!
//! A token that was accepted before and is refused now has expired or was revoked: the next
//! attempt may succeed. One that was never accepted will not get better by itself.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::source::SourceError;
use crate::source::credentials::{Credentials, Secret};
use crate::source::http::{BaseUrl, HttpAccess, Kind, Method, Refusal, Request, Service, Size};

/// ERCOT's application, the same for everyone.
const CLIENT_ID: &str = "fec253ea-0d06-4272-a5e6-b478baeecd70";
const SCOPE: &str = "openid fec253ea-0d06-4272-a5e6-b478baeecd70 offline_access";

/// How long a token is good, unless the reply says less.
const LIFETIME: SignedDuration = SignedDuration::from_mins(60);

/// A token and what comes with it: some 5 kB.
const SIZE: Size = Size { expected: 8 * 1024, max: 64 * 1024 };

/// Credentials that were refused are not tried again for so long: a few tries too many lock an
/// account.
const REFUSAL_STANDS: SignedDuration = SignedDuration::from_mins(15);

/// What the endpoint says when the fault is not ours.
const PASSING_ERRORS: [&str; 2] = ["temporarily_unavailable", "server_error"];

const ADVICE: &str =
    "check the user name and password of the account at https://apiexplorer.ercot.com";

/// A token in use.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) value: Secret,
    number: u64,
    asked_at: Timestamp,
    renew_at: Timestamp,
    accepted: bool,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Token>,
    /// How many there were.
    number: u64,
    /// When the credentials were refused, and why.
    refused: Option<(Timestamp, String)>,
}

/// Fetches tokens and keeps the newest.
#[derive(Debug)]
pub(super) struct Tokens {
    endpoint: BaseUrl,
    credentials: Credentials,
    service: Service,
    state: Mutex<State>,
}

impl Tokens {
    pub(super) fn new(endpoint: BaseUrl, credentials: Credentials, access: &HttpAccess) -> Self {
        let secrets = credentials.secrets();
        let service = Service::new("ERCOT sign-in", access, ADVICE, secrets);
        Self { endpoint, credentials, service, state: Mutex::default() }
    }

    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Returns a token that is good now; fetches one, once, if there is none. Whoever comes
    /// meanwhile waits for it rather than sign in a second time.
    pub(super) fn current(&self) -> Result<Token, SourceError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.service.access().now();
        // A clock that was set back makes a token's age unknown.
        let usable = state.token.as_ref().filter(|t| t.asked_at <= now && now < t.renew_at);
        if let Some(token) = usable {
            return Ok(token.clone());
        }
        state.token = None;
        if let Some((at, reason)) = &state.refused
            && (*at..*at + REFUSAL_STANDS).contains(&now)
        {
            return Err(self.service.not_let_in(reason.clone()));
        }
        let fetched = self.fetch();
        state.refused = match &fetched {
            Err(SourceError::Authentication { reason, .. }) => Some((now, reason.clone())),
            _ => None,
        };
        let (value, lifetime) = fetched?;
        state.number += 1;
        let token = Token {
            value,
            number: state.number,
            asked_at: now,
            renew_at: now + lifetime * 11 / 12,
            accepted: false,
        };
        state.token = Some(token.clone());
        Ok(token)
    }

    /// Notes that ERCOT took a token.
    pub(super) fn accepted(&self, token: &Token) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(current) = state.token.as_mut().filter(|t| t.number == token.number) {
            current.accepted = true;
        }
    }

    /// Drops a token that ERCOT refused; a newer one stays. Tells whether ERCOT took it before.
    pub(super) fn refused(&self, token: &Token) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &state.token {
            Some(current) if current.number == token.number => {
                let accepted = current.accepted;
                state.token = None;
                accepted
            }
            // Somebody else saw it refused first, and the next attempt has another one.
            Some(_) | None => true,
        }
    }

    fn fetch(&self) -> Result<(Secret, SignedDuration), SourceError> {
        let Credentials { username, password, .. } = &self.credentials;
        let form = [
            ("grant_type", "password"),
            ("username", username.expose()),
            ("password", password.expose()),
            ("response_type", "id_token"),
            ("scope", SCOPE),
            ("client_id", CLIENT_ID),
        ];
        let request = Request {
            method: Method::PostForm(&form),
            url: self.endpoint.at(&[], &[]),
            headers: Vec::new(),
            size: SIZE,
        };
        let reply = self.service.reply_to(&request)?;
        let json: Option<Value> = serde_json::from_slice(&reply.body).ok();
        let text = |name: &str| json.as_ref()?.get(name)?.as_str();
        if let Some(mut refusal) = Refusal::of(&reply, self.service.access().now()) {
            let passing = text("error").is_some_and(|error| PASSING_ERRORS.contains(&error));
            // OAuth answers wrong credentials, and nothing else of ours, with 400.
            if refusal.kind == Kind::BadRequest && !passing {
                refusal.kind = Kind::Account;
            }
            return Err(self.service.refused(&refusal));
        }
        let token = text("id_token").map(Secret::new).filter(|token| token.header("").is_some());
        let Some(token) = token else {
            // What came instead may hold half a token, so it is not shown.
            return Err(self.service.unusable("no id_token in the reply".to_owned()));
        };
        Ok((token, json.as_ref().map_or(LIFETIME, lifetime)))
    }
}

/// Returns how long a token is good, which is stated as a number or as its text.
fn lifetime(reply: &Value) -> SignedDuration {
    let stated = reply.get("id_token_expires_in").or_else(|| reply.get("expires_in"));
    let seconds = stated.and_then(|value| match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    });
    let positive = seconds.filter(|seconds| 0 < *seconds);
    positive.map_or(LIFETIME, SignedDuration::from_secs).min(LIFETIME)
}
