//! Teams' webhook of the Workflows app: an Adaptive Card in an envelope. (The former connectors and
//! their message cards are retired.)

use serde_json::{Value, json};

use super::shorten::shortened;
use crate::notifications::{Message, Notice, Severity};

/// Teams takes 28 KB; facts and their lengths are bounded so that even escapes fit.
const FACTS_MAX: usize = 40;
const VALUE_CHARACTERS_MAX: usize = 400;
const SENTENCE_CHARACTERS_MAX: usize = 1_000;

/// Returns the body.
pub(in crate::notifications) fn teams(notice: &Notice) -> Value {
    let message = Message::of(notice);
    let colour = match notice.severity() {
        Severity::Info => "Default",
        Severity::Warning => "Warning",
        Severity::Critical => "Attention",
    };
    let mut body = vec![
        json!({
            "type": "TextBlock", "size": "Large", "weight": "Bolder", "wrap": true,
            "color": colour, "text": literal(&message.title, VALUE_CHARACTERS_MAX),
        }),
        json!({
            "type": "TextBlock", "wrap": true,
            "text": literal(&message.sentence, SENTENCE_CHARACTERS_MAX),
        }),
    ];
    if !message.facts.is_empty() {
        let facts: Vec<Value> = message.facts.iter().take(FACTS_MAX).map(fact).collect();
        body.push(json!({ "type": "FactSet", "facts": facts }));
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": { "width": "Full" },
                "body": body,
            },
        }],
    })
}

fn fact((name, value): &(String, String)) -> Value {
    json!({
        "title": shortened(name, VALUE_CHARACTERS_MAX),
        "value": literal(value, VALUE_CHARACTERS_MAX),
    })
}

/// Escapes what cards give a meaning: emphasis, and links in the words of a server. Underscores
/// within words, as in `HB_WEST`, have none.
fn literal(text: &str, characters_max: usize) -> String {
    let mut escaped = String::new();
    for character in shortened(text, characters_max).chars() {
        if matches!(character, '\\' | '*' | '[' | ']') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifications::sample;

    #[test]
    fn a_card_in_an_envelope_has_a_heading_a_sentence_and_facts() {
        let body = teams(&sample::spike_likely());
        assert_eq!(body["type"], "message");
        let attachment = &body["attachments"][0];
        assert_eq!(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
        let card = &attachment["content"];
        assert_eq!((&card["type"], &card["version"]), (&json!("AdaptiveCard"), &json!("1.4")));
        assert_eq!(
            card["body"],
            json!([
                {
                    "type": "TextBlock", "size": "Large", "weight": "Bolder", "wrap": true,
                    "color": "Warning",
                    "text": "HB_WEST above $200 on Sun 8 Mar: 45 % in HE 19",
                },
                {
                    "type": "TextBlock", "wrap": true,
                    "text": "2 hours reach the watched 30 % for a 5-minute price above $200/MWh \
                             at HB_WEST on Sun 8 Mar.",
                },
                {
                    "type": "FactSet",
                    "facts": [
                        { "title": "HE 18", "value": "31 %" },
                        { "title": "HE 19", "value": "45 %" },
                        { "title": "Issued", "value": "2026-03-07 06:00 CST" },
                    ],
                },
            ])
        );
    }

    #[test]
    fn a_notice_without_facts_has_no_empty_table() {
        let body = teams(&Notice::Test { sent_at: sample::at("2026-03-07T15:00Z") });
        let blocks = body["attachments"][0]["content"]["body"].as_array().unwrap();
        assert_eq!(blocks.len(), 2);
    }

    #[test]
    fn what_others_said_is_no_link_and_fits_into_what_teams_takes() {
        let notice = Notice::ForecastDegraded {
            issue_time: sample::at("2026-03-07T12:00Z"),
            reasons: vec!["[sign in](http://elsewhere)".repeat(500); 100],
        };
        let body = teams(&notice).to_string();
        assert!(body.contains(r"\\[sign in\\](http://elsewhere)"), "{body}");
        assert!(body.len() < 28 * 1_024, "{}", body.len());
    }
}
