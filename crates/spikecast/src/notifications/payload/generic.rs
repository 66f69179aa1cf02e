//! The generic webhook's JSON, for programs: the words for people and the notice itself.
//!
//! Its shape is documented in `docs/notifications.md`; what changes it in a way that a reader could
//! trip over changes [`VERSION`].

use serde_json::{Value, json};

use crate::notifications::{Message, Notice};

/// The version of the shape.
const VERSION: u32 = 1;

/// Returns the body.
pub(in crate::notifications) fn generic(notice: &Notice) -> Value {
    let message = Message::of(notice);
    let fact = |(name, value): &(String, String)| json!({ "name": name, "value": value });
    json!({
        "version": VERSION,
        "kind": notice.kind().as_str(),
        "key": notice.key(),
        "severity": notice.severity(),
        "title": message.title,
        "text": message.sentence,
        "facts": message.facts.iter().map(fact).collect::<Vec<_>>(),
        "notice": notice,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifications::sample;

    #[test]
    fn the_documented_example_is_what_is_posted() {
        let page = include_str!("../../../../../docs/notifications.md");
        let example = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next());
        let example: Value = serde_json::from_str(example.unwrap()).unwrap();
        assert_eq!(generic(&sample::spike_likely()), example);
    }
}
