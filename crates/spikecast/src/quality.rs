//! Whether a forecast rests on everything it should rest on.

use std::fmt;

/// The quality of a forecast; the word travels with everything derived from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quality {
    /// All inputs, the current model.
    Fresh,
    /// Something was replaced, for these reasons.
    Degraded(Vec<String>),
}

impl Quality {
    /// Returns the quality that goes with a list of reasons.
    #[must_use]
    pub fn because(reasons: &[String]) -> Self {
        if reasons.is_empty() { Self::Fresh } else { Self::Degraded(told_once(reasons)) }
    }
}

/// Returns what many items of a stage say alike as one reason, `list[3]: …` as `list (9 times): …`.
#[must_use]
pub fn told_once(reasons: &[String]) -> Vec<String> {
    let mut told: Vec<(&str, &str, usize)> = Vec::new();
    for reason in reasons {
        let (stage, why) = reason.split_once(": ").unwrap_or(("", reason));
        let stage = stage.split_once('[').map_or(stage, |(stage, _)| stage);
        match told.iter_mut().find(|(of, said, _)| (*of, *said) == (stage, why)) {
            Some((_, _, times)) => *times += 1,
            None => told.push((stage, why, 1)),
        }
    }
    let text = |(stage, why, times): (&str, &str, usize)| match (stage, times) {
        ("", _) => why.to_owned(),
        (stage, 1) => format!("{stage}: {why}"),
        (stage, times) => format!("{stage} ({times} times): {why}"),
    };
    told.into_iter().map(text).collect()
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fresh => f.write_str("fresh"),
            Self::Degraded(reasons) => write!(f, "degraded: {}", reasons.join("; ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_items_say_alike_is_told_once() {
        let reasons = ["list[0]: no", "list[1]: no", "train: late", "list[2]: yes", "old prices"];
        let told = told_once(&reasons.map(str::to_owned));
        assert_eq!(told, ["list (2 times): no", "train: late", "list: yes", "old prices"]);
    }

    #[test]
    fn the_text_names_every_reason() {
        let quality = |reasons: &[&str]| {
            let reasons: Vec<String> = reasons.iter().map(|&reason| reason.to_owned()).collect();
            Quality::because(&reasons).to_string()
        };
        assert_eq!(quality(&[]), "fresh");
        assert_eq!(quality(&["no model", "old prices"]), "degraded: no model; old prices");
    }
}
