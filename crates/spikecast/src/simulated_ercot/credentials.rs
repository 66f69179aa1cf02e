//! Who may ask: the token endpoint of Azure AD B2C as ERCOT uses it, and the checks of its gateway.
//!
//! The account is invented and the same for everyone, because there is nothing to protect.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::json;
use twox_hash::XxHash64;

use super::answer::{Answer, Refusal};
use super::route::Query;

/// The account that the simulated ERCOT knows.
pub const USERNAME: &str = "desk@example.com";
/// Its password.
pub const PASSWORD: &str = "simulated";
/// The key of its subscription to the Public API.
pub const SUBSCRIPTION_KEY: &str = "simulated-subscription-key";
/// The client id that ERCOT documents for everyone.
pub const CLIENT_ID: &str = "fec253ea-0d06-4272-a5e6-b478baeecd70";

/// A token is valid for so long.
pub(super) const TOKEN_LIFE: Duration = Duration::from_hours(1);

/// More valid tokens than any client asks for; the oldest are forgotten first.
const TOKENS_MAX: usize = 1_000;

/// The tokens that are given out.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    valid: VecDeque<(String, Duration)>,
    given: u64,
}

impl Tokens {
    /// Answers a request for a token.
    pub(super) fn grant(&mut self, form: &Query, now: Duration) -> Answer {
        let denied = |error: &str, description: &str| {
            Answer::json(400, &json!({ "error": error, "error_description": description }))
        };
        if form.get("grant_type") != Some("password") {
            let description = "AADB2C90086: The supplied grant_type is not supported.";
            return denied("unsupported_grant_type", description);
        }
        if form.get("client_id") != Some(CLIENT_ID) {
            let description = "AADB2C90007: The application associated with client id has no \
                               registered redirect URIs.";
            return denied("invalid_request", description);
        }
        let is_known = form.get("username") == Some(USERNAME);
        if !is_known || form.get("password") != Some(PASSWORD) {
            let description =
                "AADB2C90225: The username or password provided in the request are invalid.";
            return denied("access_denied", description);
        }
        self.given += 1;
        let digits = XxHash64::oneshot(self.given, b"simulated token");
        let token = format!("simulated-id-token-{digits:016x}");
        self.valid.push_back((token.clone(), now + TOKEN_LIFE));
        if TOKENS_MAX < self.valid.len() {
            self.valid.pop_front();
        }
        let seconds = TOKEN_LIFE.as_secs().to_string();
        let body = json!({
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": seconds,
            "id_token": token,
        });
        Answer::json(200, &body)
    }

    /// Checks a subscription key and a bearer token.
    pub(super) fn check(
        &self,
        subscription_key: Option<&str>,
        authorization: Option<&str>,
        now: Duration,
    ) -> Result<(), Refusal> {
        if subscription_key != Some(SUBSCRIPTION_KEY) {
            return Err(Refusal::NoSubscription);
        }
        let token = authorization.and_then(|header| header.strip_prefix("Bearer "));
        let is_valid =
            |token: &str| self.valid.iter().any(|(valid, until)| valid == token && now < *until);
        token.filter(|token| is_valid(token)).map(|_| ()).ok_or(Refusal::NoToken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(client_id: &str, password: &str) -> Query {
        Query::read(&format!(
            "grant_type=password&username=desk%40example.com&password={password}&client_id={client_id}"
        ))
    }

    #[test]
    fn a_token_is_valid_for_an_hour_with_the_subscription_key() {
        let mut tokens = Tokens::default();
        let start = Duration::from_mins(5);
        let answer = tokens.grant(&form(CLIENT_ID, PASSWORD), start);
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["expires_in"], "3600");
        let header = format!("Bearer {}", body["id_token"].as_str().unwrap());
        let check = |key, at| tokens.check(key, Some(&header), at);
        let key = Some(SUBSCRIPTION_KEY);
        assert!(check(key, start).is_ok());
        assert!(check(key, start + TOKEN_LIFE - Duration::from_secs(1)).is_ok());
        assert!(matches!(check(key, start + TOKEN_LIFE), Err(Refusal::NoToken)));
        assert!(matches!(check(Some("other"), start), Err(Refusal::NoSubscription)));
        assert!(matches!(tokens.check(key, Some("Bearer x"), start), Err(Refusal::NoToken)));
        assert!(matches!(tokens.check(key, None, start), Err(Refusal::NoToken)));
    }

    #[test]
    fn wrong_credentials_get_no_token() {
        let mut tokens = Tokens::default();
        for form in [form(CLIENT_ID, "wrong"), form("wrong", PASSWORD), Query::default()] {
            let answer = tokens.grant(&form, Duration::ZERO);
            assert_eq!(answer.status, 400);
            assert!(String::from_utf8(answer.body).unwrap().contains("error_description"));
        }
        assert!(tokens.valid.is_empty());
    }
}
