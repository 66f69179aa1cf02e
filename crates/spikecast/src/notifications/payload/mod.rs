//! A notice as the bodies that channels take: generic JSON, Slack's blocks, Teams' card, the text of
//! a mail. Pure; sending is done in `webhook` and `mail`.

mod generic;
mod mail_text;
mod shorten;
mod slack;
mod teams;

pub(super) use generic::generic;
pub(super) use mail_text::mail_text;
pub(super) use slack::slack;
pub(super) use teams::teams;
