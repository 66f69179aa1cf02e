//! The columns of a table by name, however the name is spelled: capitals, blanks and underscores
//! do not count, so `HOUR_ENDING`, `Hour Ending` and `hourEnding` are one.

use std::collections::BTreeSet;

use super::cell::shortened;

/// The names under which a column is known, normalised.
pub(super) type Names = Vec<String>;

/// The widest of ERCOT's reports that are read here has 34.
pub(super) const COLUMNS_MAX: usize = 256;

/// Reduces a name to what counts.
pub(super) fn normalised(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// The columns of one table, as found.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    found: Vec<String>,
    normalised: Vec<String>,
}

impl Columns {
    /// Takes the names as the table has them.
    pub(super) fn new(names: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let found: Vec<String> =
            names.into_iter().take(COLUMNS_MAX + 1).map(|name| name.trim().to_owned()).collect();
        if COLUMNS_MAX < found.len() {
            return Err(format!("has more than {COLUMNS_MAX} columns, so it is no report"));
        }
        let normalised = found.iter().map(|name| normalised(name)).collect();
        Ok(Self { found, normalised })
    }

    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// Returns the name of a column as the table has it.
    pub(super) fn name(&self, index: usize) -> &str {
        &self.found[index]
    }

    /// Writes all names for a message.
    pub(super) fn shown(&self) -> String {
        const NAMES_SHOWN_MAX: usize = 40;
        let mut names: Vec<_> =
            self.found.iter().take(NAMES_SHOWN_MAX).map(|name| shortened(name)).collect();
        if NAMES_SHOWN_MAX < self.found.len() {
            names.push(format!("and {} more", self.found.len() - NAMES_SHOWN_MAX).into());
        }
        names.join(", ")
    }
}

/// Finds the columns that a layout needs, and remembers which were of use.
#[derive(Debug)]
pub(super) struct Binder<'a> {
    columns: &'a Columns,
    used: BTreeSet<usize>,
    missing: Vec<String>,
}

impl<'a> Binder<'a> {
    pub(super) fn new(columns: &'a Columns) -> Self {
        Self { columns, used: BTreeSet::new(), missing: Vec::new() }
    }

    /// Finds a column that may be absent. One that is there twice counts as absent: nobody can
    /// tell which of the two is meant.
    pub(super) fn optional(&mut self, names: &[String]) -> Option<usize> {
        let index = self.only(names).ok()?;
        self.used.insert(index);
        Some(index)
    }

    /// Finds a column without which nothing can be read; if it is absent, its index is of no use
    /// and [`Binder::missing`] names it.
    pub(super) fn required(&mut self, names: &[String]) -> usize {
        match self.only(names) {
            Ok(index) => {
                self.used.insert(index);
                index
            }
            Err(why) => {
                self.missing.push(format!("{}{why}", names.join(" or ")));
                usize::MAX
            }
        }
    }

    fn only(&self, names: &[String]) -> Result<usize, &'static str> {
        let mut found = (0..self.columns.len())
            .filter(|index| names.contains(&self.columns.normalised[*index]));
        match (found.next(), found.next()) {
            (Some(index), None) => Ok(index),
            (Some(_), Some(_)) => Err(" (there more than once)"),
            (None, _) => Err(""),
        }
    }

    /// Returns the required columns that are absent.
    pub(super) fn missing(&self) -> &[String] {
        &self.missing
    }

    /// Returns the columns that neither were of use nor are known.
    pub(super) fn unknown(&self, known: &[&str]) -> impl Iterator<Item = &'a str> {
        let is_unknown = |index: &usize| {
            let name = &self.columns.normalised[*index];
            !name.is_empty() && !self.used.contains(index) && !known.contains(&name.as_str())
        };
        let unknown: Vec<usize> = (0..self.columns.len()).filter(is_unknown).collect();
        unknown.into_iter().map(|index| self.columns.name(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &[&str]) -> Columns {
        Columns::new(names.iter().map(|name| (*name).to_owned())).unwrap()
    }

    #[test]
    fn spelling_does_not_count() {
        let columns = columns(&["DELIVERY_DATE", "Hour Ending", "DSTFlag    "]);
        let mut binder = Binder::new(&columns);
        assert_eq!(binder.required(&["deliverydate".to_owned()]), 0);
        assert_eq!(binder.required(&["hourending".to_owned()]), 1);
        assert_eq!(
            binder.optional(&["repeatedhourflag".to_owned(), "dstflag".to_owned()]),
            Some(2)
        );
        assert!(binder.missing().is_empty());
        assert_eq!(binder.unknown(&[]).count(), 0);
    }

    #[test]
    fn a_column_that_is_there_twice_is_not_guessed() {
        let columns = columns(&["LMP", "lmp", "New", ""]);
        let mut binder = Binder::new(&columns);
        binder.required(&["lmp".to_owned()]);
        assert_eq!(binder.missing(), ["lmp (there more than once)"]);
        assert_eq!(binder.unknown(&["lmp"]).collect::<Vec<_>>(), ["New"]);
    }

    #[test]
    fn a_table_of_endless_columns_is_none() {
        assert!(Columns::new((0..=COLUMNS_MAX).map(|n| n.to_string())).is_err());
    }
}
