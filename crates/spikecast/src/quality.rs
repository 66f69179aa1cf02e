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
        if reasons.is_empty() { Self::Fresh } else { Self::Degraded(reasons.to_vec()) }
    }
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
    fn the_text_names_every_reason() {
        let quality = |reasons: &[&str]| {
            let reasons: Vec<String> = reasons.iter().map(|&reason| reason.to_owned()).collect();
            Quality::because(&reasons).to_string()
        };
        assert_eq!(quality(&[]), "fresh");
        assert_eq!(quality(&["no model", "old prices"]), "degraded: no model; old prices");
    }
}
