//! Keeps texts within what a service takes: longer ones would be refused as a whole.

/// Returns at most so many characters of a text, the last of them an ellipsis if some are missing.
pub(super) fn shortened(text: &str, characters_max: usize) -> String {
    if text.chars().count() <= characters_max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(characters_max.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_too_long_loses_its_end() {
        assert_eq!(shortened("ünü", 3), "ünü");
        assert_eq!(shortened("ünün", 3), "ün…");
        assert_eq!(shortened("", 3), "");
    }
}
