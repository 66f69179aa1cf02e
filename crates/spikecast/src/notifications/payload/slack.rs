//! Slack's incoming webhook: a text for the telephone's lock screen, blocks for the channel.

use serde_json::{Value, json};

use super::shorten::shortened;
use crate::notifications::{Message, Notice, Severity};

/// What Slack takes; a longer text has the whole message refused.
const HEADER_CHARACTERS_MAX: usize = 150;
const SENTENCE_CHARACTERS_MAX: usize = 3_000;
const FIELD_CHARACTERS_MAX: usize = 2_000;
const FIELDS_OF_A_SECTION_MAX: usize = 10;

/// Slack takes 50 blocks; nobody reads as many facts.
const FACTS_MAX: usize = 60;

/// An escaped character is five characters, so that so much of a text always fits.
const ESCAPED_LENGTH_MAX: usize = 5;

/// Returns the body.
pub(in crate::notifications) fn slack(notice: &Notice) -> Value {
    let message = Message::of(notice);
    let title = match notice.severity() {
        Severity::Info => message.title.clone(),
        Severity::Warning => format!("⚠ {}", message.title),
        Severity::Critical => format!("🔴 {}", message.title),
    };
    let mut blocks = vec![
        json!({
            "type": "header",
            "text": { "type": "plain_text", "text": shortened(&title, HEADER_CHARACTERS_MAX) },
        }),
        json!({
            "type": "section",
            "text": markup(&escaped(&message.sentence, SENTENCE_CHARACTERS_MAX)),
        }),
    ];
    let facts = &message.facts[..message.facts.len().min(FACTS_MAX)];
    for facts in facts.chunks(FIELDS_OF_A_SECTION_MAX) {
        let fields: Vec<Value> = facts.iter().map(field).collect();
        blocks.push(json!({ "type": "section", "fields": fields }));
    }
    json!({ "text": escaped(&message.text(), SENTENCE_CHARACTERS_MAX), "blocks": blocks })
}

fn field((name, value): &(String, String)) -> Value {
    let name = escaped(name, FIELD_CHARACTERS_MAX / 4);
    let value = escaped(value, FIELD_CHARACTERS_MAX / 2);
    markup(&format!("*{name}*\n{value}"))
}

fn markup(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text })
}

/// Escapes what Slack gives a meaning: `<!channel>` in the words of a server would wake everybody.
/// Cut before, because half an escape would be shown as it is.
fn escaped(text: &str, characters_max: usize) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let whole = escape(text);
    if whole.chars().count() <= characters_max {
        return whole;
    }
    escape(&shortened(text, characters_max / ESCAPED_LENGTH_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifications::sample;

    #[test]
    fn a_card_has_a_heading_a_sentence_and_fields() {
        let text = |text: &str| json!({ "type": "mrkdwn", "text": text });
        let sentence = "There was no forecast at 2026-03-07 09:45 CST. Bid without it; `spikecast \
                        runs list` shows what it waits for.";
        assert_eq!(
            slack(&sample::deadline_missed()),
            json!({
                "text": format!("Morning forecast of Sat 7 Mar was missed. {sentence}"),
                "blocks": [
                    {
                        "type": "header",
                        "text": {
                            "type": "plain_text",
                            "text": "🔴 Morning forecast of Sat 7 Mar was missed",
                        },
                    },
                    { "type": "section", "text": text(sentence) },
                    { "type": "section", "fields": [text("*Deadline*\n2026-03-07 09:45 CST")] },
                ],
            })
        );
    }

    #[test]
    fn what_others_said_wakes_nobody() {
        let notice = Notice::ForecastDegraded {
            issue_time: sample::at("2026-03-07T12:00Z"),
            reasons: vec!["fetch: <!channel> R&D > 5 %".to_owned()],
        };
        let body = slack(&notice).to_string();
        assert!(body.contains("fetch: &lt;!channel&gt; R&amp;D &gt; 5 %"), "{body}");
    }

    #[test]
    fn what_is_too_long_or_too_much_is_cut_so_that_slack_takes_the_rest() {
        let notice = Notice::ForecastDegraded {
            issue_time: sample::at("2026-03-07T12:00Z"),
            reasons: vec!["<".repeat(4_000); 100],
        };
        let body = slack(&notice);
        let blocks = body["blocks"].as_array().unwrap();
        assert_eq!(blocks.len(), 2 + FACTS_MAX / FIELDS_OF_A_SECTION_MAX);
        let field = blocks[2]["fields"][0]["text"].as_str().unwrap();
        assert!(field.chars().count() <= FIELD_CHARACTERS_MAX, "{}", field.len());
        assert!(field.ends_with("&lt;…"), "{field}");
    }
}
