//! Who is told what: settings whose addresses are secrets and are never shown.

use std::collections::BTreeSet;

use forecast::threshold::Thresholds;
use lettre::message::Mailbox;
use market::place::SettlementPoint;

use super::value::Value;
use super::{ConfigError, Layers, Origin};
use crate::notifications::{
    Channel, MailAccount, MailServer, NoticeKind, WatchRule, WebhookFormat, WebhookUrl,
};

/// Who is told what.
#[derive(Clone, Debug)]
pub struct NotificationSettings {
    /// Where notices go.
    pub channels: Vec<Channel>,
    /// Which notices.
    pub kinds: BTreeSet<NoticeKind>,
    /// Which prices are watched where.
    pub watch: Vec<WatchRule>,
}

const WEBHOOKS: [(&str, WebhookFormat); 3] = [
    ("webhook_url", WebhookFormat::Generic),
    ("slack_url", WebhookFormat::Slack),
    ("teams_url", WebhookFormat::Teams),
];

const MAIL: [&str; 3] = ["smtp_url", "email_from", "email_to"];

impl NotificationSettings {
    pub(super) fn from_layers(
        layers: &Layers,
        thresholds: &Thresholds,
        points: &[SettlementPoint],
    ) -> Result<Self, ConfigError> {
        let mut channels = Vec::new();
        for (key, format) in WEBHOOKS {
            if let Some(value) = layers.value(key)? {
                let url = WebhookUrl::new(&value.secret()?);
                let url = url.map_err(|error| value.wrong_secret(error.to_string()))?;
                channels.push(Channel::Webhook { format, url });
            }
        }
        channels.extend(mail_channels(layers)?);
        let kinds = match layers.value("notify")? {
            Some(value) => kinds(&value)?,
            None => NoticeKind::CHOICES.into(),
        };
        let mut watch = Vec::new();
        if let Some(value) = layers.value("watch")? {
            for text in value.list() {
                let rule = text.parse::<WatchRule>();
                watch.push(rule.map_err(|error| value.wrong_part(text, error.to_string()))?);
            }
            check_rules(&watch, &value, layers, (thresholds, points))?;
        }
        Ok(Self { channels, kinds, watch })
    }

    /// Returns every key with its value as TOML writes it; of addresses only that they are set.
    pub(super) fn entries(&self) -> Vec<(&'static str, String)> {
        let list = |texts: Vec<String>| {
            let quoted: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
            format!("[{}]", quoted.join(", "))
        };
        let mut entries = Vec::new();
        let mut mailboxes: Vec<String> = Vec::new();
        for channel in &self.channels {
            match channel {
                Channel::Webhook { format, .. } => {
                    let key = WEBHOOKS.iter().find(|(_, of)| of == format);
                    entries.extend(key.map(|(key, _)| (*key, "\"***\"".to_owned())));
                }
                Channel::Mail(account) => {
                    if mailboxes.is_empty() {
                        entries.push(("smtp_url", "\"***\"".to_owned()));
                        entries.push(("email_from", format!("{:?}", account.from.to_string())));
                    }
                    mailboxes.push(account.to.to_string());
                }
            }
        }
        if !mailboxes.is_empty() {
            entries.push(("email_to", list(mailboxes)));
        }
        let kinds = self.kinds.iter().map(ToString::to_string).collect();
        entries.push(("notify", list(kinds)));
        entries.push(("watch", list(self.watch.iter().map(ToString::to_string).collect())));
        entries
    }
}

/// Some of the three keys are as good as none, and probably a mistake.
fn mail_channels(layers: &Layers) -> Result<Vec<Channel>, ConfigError> {
    let mut values = Vec::new();
    for key in MAIL {
        values.push((key, layers.value(key)?));
    }
    let (server, from, to) = match values.as_slice() {
        [(_, Some(server)), (_, Some(from)), (_, Some(to))] => (*server, *from, *to),
        _ => {
            let missing = values.iter().filter(|(_, value)| value.is_none());
            let missing: Vec<&str> = missing.map(|(key, _)| *key).collect();
            return match values.iter().find_map(|(_, value)| *value) {
                Some(value) => Err(value.wrong_secret(format!("also {}", missing.join(" and ")))),
                None => Ok(Vec::new()),
            };
        }
    };
    let mail_server = MailServer::new(&server.secret()?);
    let mail_server = mail_server.map_err(|error| server.wrong_secret(error.to_string()))?;
    let mailbox = |value: &Value<'_>, text: &str| {
        let expected = "an e-mail address, e.g. Desk <desk@example.com>";
        text.parse::<Mailbox>().map_err(|_| value.wrong_part(text, expected.to_owned()))
    };
    let sender = mailbox(&from, &from.text()?)?;
    let mut recipients: Vec<Mailbox> = Vec::new();
    for text in to.list() {
        let recipient = mailbox(&to, text)?;
        if recipients.iter().any(|known| known.email == recipient.email) {
            return Err(to.wrong_part(text, "each e-mail address once".to_owned()));
        }
        recipients.push(recipient);
    }
    if recipients.is_empty() {
        return Err(to.wrong("at least one e-mail address"));
    }
    let account = |to| MailAccount { server: mail_server.clone(), from: sender.clone(), to };
    Ok(recipients.into_iter().map(|to| Channel::Mail(account(to))).collect())
}

fn kinds(value: &Value<'_>) -> Result<BTreeSet<NoticeKind>, ConfigError> {
    let kind = |name: &str| {
        let choices = NoticeKind::CHOICES.map(NoticeKind::as_str).join(", ");
        NoticeKind::named(name).ok_or_else(|| value.wrong_part(name, format!("some of {choices}")))
    };
    value.list().into_iter().map(kind).collect()
}

/// A rule about what is not forecast would never tell anything. What a flag chooses is for one
/// command, and makes no lasting setting wrong.
fn check_rules(
    rules: &[WatchRule],
    value: &Value<'_>,
    layers: &Layers,
    (thresholds, points): (&Thresholds, &[SettlementPoint]),
) -> Result<(), ConfigError> {
    let is_lasting = |key: &str| layers.origin(key) != Some(&Origin::Flag);
    for rule in rules {
        if is_lasting("thresholds") && !thresholds.iter().any(|price| price == rule.threshold()) {
            let prices: Vec<String> = thresholds.prices().iter().map(ToString::to_string).collect();
            let expected = format!("one of the thresholds: {}", prices.join(", "));
            return Err(value.wrong_part(&rule.to_string(), expected));
        }
        let is_forecast = rule.point().is_none_or(|point| points.contains(point));
        if is_lasting("settlement_points") && !points.is_empty() && !is_forecast {
            let names: Vec<&str> = points.iter().map(SettlementPoint::name).collect();
            let expected = format!("one of the settlement points: {}", names.join(", "));
            return Err(value.wrong_part(&rule.to_string(), expected));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    #[test]
    fn what_a_flag_chooses_for_one_command_makes_no_rule_wrong() {
        let check = |file: &str, flags: &[(&'static str, &str)], expected: &str| {
            let mut layers = Layers::default();
            let file = format!("watch = \"HB_WEST > 200 @ 30%\"\n{file}");
            layers.add_toml(Path::new("spikecast.toml"), &file).unwrap();
            for (key, value) in [&[("data_dir", "/tmp/data")], flags].concat() {
                layers.add_flag(key, Some(value.to_owned()));
            }
            let found = match Config::from_layers(&layers) {
                Ok(_) => "fine".to_owned(),
                Err(error) => error.to_string(),
            };
            assert!(found.contains(expected), "{found}");
        };
        check("", &[("thresholds", "50,100")], "fine");
        check("thresholds = [50, 100]", &[], "expected one of the thresholds: 50, 100");
        check("", &[("settlement_points", "HB_NORTH")], "fine");
        let points = "settlement_points = [\"HB_NORTH\"]";
        check(points, &[], "expected one of the settlement points: HB_NORTH");
    }
}
