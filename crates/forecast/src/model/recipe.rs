//! How a model was made: every constant and setting of a fit by name.
//!
//! Names and values instead of a struct, so that the recipe of a model from another version of the
//! program can still be read and compared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The constants and settings of a fit. Two models with equal recipes differ by their data only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Recipe(BTreeMap<String, Value>);

impl Recipe {
    /// Collects constants by name.
    #[must_use]
    pub fn of(constants: &[(&str, Value)]) -> Self {
        Self(constants.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    /// Returns names and values in the order of names.
    pub fn constants(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Returns the names whose value differs from that of another recipe, or which only one has.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let names = self.0.keys().chain(other.0.keys());
        let differing = names.filter(|name| self.0.get(*name) != other.0.get(*name));
        let differing: std::collections::BTreeSet<&String> = differing.collect();
        differing.into_iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_difference_is_a_changed_a_new_or_a_missing_constant() {
        let former = Recipe::of(&[("a", json!(1)), ("b", json!(2)), ("c", json!([1.5, 2.0]))]);
        let latter = Recipe::of(&[("b", json!(3)), ("c", json!([1.5, 2.0])), ("d", json!(0))]);
        assert_eq!(former.differences(&latter), ["a", "b", "d"]);
        assert_eq!(former.differences(&former.clone()), [""; 0]);
    }
}
