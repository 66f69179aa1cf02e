//! The text of a mail: plain, because it is read on telephones at six in the morning.

use crate::notifications::Message;

/// Returns the lines of the mail, each fact on one of its own.
pub(in crate::notifications) fn mail_text(message: &Message) -> String {
    let mut text = format!("{}\n", message.sentence);
    if !message.facts.is_empty() {
        text.push('\n');
    }
    for (name, value) in &message.facts {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push_str("\nspikecast\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifications::sample;

    #[test]
    fn a_mail_has_a_sentence_and_a_line_for_each_fact() {
        let text = mail_text(&Message::of(&sample::spike_likely()));
        assert_eq!(
            text,
            "2 hours reach the watched 30 % for a 5-minute price above $200/MWh at HB_WEST on \
             Sun 8 Mar.\n\nHE 18: 31 %\nHE 19: 45 %\nIssued: 2026-03-07 06:00 CST\n\nspikecast\n"
        );
    }
}
