//! The API's row store: rows of every posting, chosen by filters, sorted and cut into pages.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime, Time};
use market::time::OperatingDay;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::documents::{Change, DAYS_MAX, Postings, is_within};
use super::layouts::Layout;
use super::products::name_and_limit;
use super::route::Query;
use super::table::{Cell, Column, Kind, Row};

/// Rows on a page, if the request does not say.
const PAGE_SIZE: usize = 1_000;
/// Rows on a page at the most.
const PAGE_SIZE_MAX: usize = 1_000_000;
/// No query chooses more rows.
const ROWS_MAX: usize = 2_000_000;
/// What the API says about every report.
const DOWNLOAD_LIMIT: u32 = 2_000_000;

/// Which page of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Paging {
    page: usize,
    size: usize,
}

impl Paging {
    pub(super) fn read(query: &Query, size: usize, size_max: usize) -> Result<Self, Refusal> {
        let number = |name: &str, default: usize, max: usize| match query.get(name) {
            None => Ok(default),
            Some(text) => {
                let number = text.parse().ok().filter(|number| (1..=max).contains(number));
                let wrong = || format!("{name}: expected 1 to {max}, found {text:?}");
                number.ok_or_else(|| Refusal::BadRequest(wrong()))
            }
        };
        Ok(Self { page: number("page", 1, usize::MAX)?, size: number("size", size, size_max)? })
    }

    /// Returns the page of a list.
    pub(super) fn of<T>(self, all: &[T]) -> &[T] {
        let from = (self.page - 1).saturating_mul(self.size).min(all.len());
        let to = from.saturating_add(self.size).min(all.len());
        &all[from..to]
    }

    /// Describes the page, as every list of the API does.
    pub(super) fn meta(self, total: usize, query: &Query, sorted_by: &str) -> Value {
        let is_paging = |name: &str| matches!(name, "page" | "size" | "sort" | "dir");
        let parameters = query.pairs.iter().filter(|(name, _)| !is_paging(name));
        let parameters: BTreeMap<&str, &str> = parameters
            .filter(|(name, _)| name != SUBSCRIPTION_PARAMETER)
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        json!({
            "totalRecords": total,
            "pageSize": self.size,
            "totalPages": total.div_ceil(self.size),
            "currentPage": self.page,
            "query": {
                "parameterCount": parameters.len(),
                "parameters": parameters,
                "sortedBy": sorted_by,
            },
        })
    }
}

/// The subscription key may come as a parameter; nothing may repeat it.
pub(super) const SUBSCRIPTION_PARAMETER: &str = "subscription-key";

/// A condition on one column.
#[derive(Clone, Debug)]
struct Filter {
    column: usize,
    from: Option<Cell>,
    to: Option<Cell>,
}

/// What a request wants to know.
#[derive(Clone, Debug)]
struct Wish {
    filters: Vec<Filter>,
    paging: Paging,
    /// By which column, and whether the largest come first.
    sort: Option<(usize, bool)>,
}

/// Answers with a page of rows.
pub(super) fn answer(
    postings: Postings<'_>,
    layout: &'static Layout,
    query: &Query,
    change: Change<'_>,
) -> Result<Answer, Refusal> {
    let wish = Wish::read(layout.columns(), query)?;
    let mut rows = wish.rows(postings, layout)?;
    change.rows(&mut rows);
    if let Some((column, is_descending)) = wish.sort {
        rows.sort_by(|a, b| {
            let order = ordered(&a[column], &b[column]);
            if is_descending { order.reverse() } else { order }
        });
    }
    let columns = layout.columns();
    let direction = |is_descending| if is_descending { "DESC" } else { "ASC" };
    let sorted_by = wish.sort.map_or_else(
        || format!("{}: DESC", columns[0].json),
        |(column, is_descending)| format!("{}: {}", columns[column].json, direction(is_descending)),
    );
    let write = |row: &Row| -> Value {
        columns.iter().zip(row).map(|(column, cell)| column.write_json(cell)).collect()
    };
    let facts = layout.report.facts();
    let body = json!({
        "_meta": wish.paging.meta(rows.len(), query, &sorted_by),
        "report": {
            "reportName": facts.endpoint,
            "reportDisplayName": name_and_limit(layout.report).0,
            "reportId": facts.report_type_id.to_string(),
            "reportEMIL": facts.emil_id,
            "downloadLimit": DOWNLOAD_LIMIT,
        },
        "fields": fields(columns, change),
        "data": wish.paging.of(&rows).iter().map(write).collect::<Vec<Value>>(),
        "_links": null,
    });
    Ok(Answer::json(200, &body))
}

fn fields(columns: &[Column], change: Change<'_>) -> Vec<Value> {
    let fields = columns.iter().enumerate().map(|(n, column)| {
        json!({
            "name": change.name(column.json),
            "label": label(change.name(column.json)),
            "cardinality": n + 1,
            "dataType": column.data_type(),
            "searchable": true,
            "sortable": true,
            "hasRange": column.has_range(),
        })
    });
    fields.collect()
}

/// Turns `settlementPoint` into `Settlement Point`.
fn label(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut label = String::new();
    for (n, letter) in letters.iter().enumerate() {
        let after_small = 0 < n && letters[n - 1].is_lowercase() && letter.is_uppercase();
        let before_small = letters.get(n + 1).is_some_and(|next| next.is_lowercase());
        let starts_word = 0 < n && letter.is_uppercase() && before_small;
        if after_small || starts_word {
            label.push(' ');
        }
        if n == 0 { label.extend(letter.to_uppercase()) } else { label.push(*letter) }
    }
    label
}

fn ordered(a: &Cell, b: &Cell) -> Ordering {
    match (is_within(a, None, Some(b)), is_within(b, None, Some(a))) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

impl Wish {
    fn read(columns: &[Column], query: &Query) -> Result<Self, Refusal> {
        let paging = Paging::read(query, PAGE_SIZE, PAGE_SIZE_MAX)?;
        let (mut filters, mut sort, mut is_descending) = (Vec::new(), None, false);
        let named = |name: &str| columns.iter().position(|column| column.json == name);
        for (name, value) in &query.pairs {
            match name.as_str() {
                "page" | "size" | SUBSCRIPTION_PARAMETER => {}
                "dir" => is_descending = value.eq_ignore_ascii_case("desc"),
                "sort" => {
                    let wrong = || Refusal::BadRequest(format!("sort: no field {value:?}"));
                    sort = Some(named(value).ok_or_else(wrong)?);
                }
                _ => filters.push(Filter::read(columns, name, value)?),
            }
        }
        Ok(Self { filters, paging, sort: sort.map(|column| (column, is_descending)) })
    }

    /// Returns the chosen rows, of the newest posting first.
    fn rows(&self, postings: Postings<'_>, layout: &'static Layout) -> Result<Vec<Row>, Refusal> {
        let (first, last) = self.days(postings, layout)?;
        let documents = postings.of_days(layout, first, last)?;
        let mut rows = Vec::new();
        for document in documents.iter().rev() {
            for row in postings.rows(document, Change::None)? {
                if self.filters.iter().all(|filter| filter.takes(&row)) {
                    rows.push(row);
                }
            }
            if ROWS_MAX < rows.len() {
                let message = format!("more than {ROWS_MAX} rows; narrow the query");
                return Err(Refusal::BadRequest(message));
            }
        }
        Ok(rows)
    }

    /// Returns the days of publication on which chosen rows can have been published.
    fn days(
        &self,
        postings: Postings<'_>,
        layout: &Layout,
    ) -> Result<(OperatingDay, OperatingDay), Refusal> {
        let since = layout.rows_since().map(OperatingDay::new);
        let mut first = since.unwrap_or(postings.world.first_day()).max(postings.world.first_day());
        let mut last = OperatingDay::of(postings.now);
        let (earliest, latest) = layout.published_days_after;
        let delays = i32::try_from(postings.faults.longest_delay().as_hours() / 24 + 1);
        let columns = layout.columns();
        // The first column that says what a row is about.
        let about = columns
            .iter()
            .position(|it| it.csv.is_some() && matches!(it.kind, Kind::Day | Kind::Instant));
        for filter in &self.filters {
            let days_before = match columns[filter.column].json {
                "postedDatetime" => (-delays.unwrap_or(1), 0),
                _ if Some(filter.column) == about => (earliest, latest),
                _ => continue,
            };
            if let Some(from) = filter.from.as_ref().and_then(day_of) {
                first = first.max(from.plus_days(days_before.0));
            }
            if let Some(to) = filter.to.as_ref().and_then(day_of) {
                last = last.min(to.plus_days(days_before.1));
            }
        }
        if first.plus_days(DAYS_MAX) < last {
            let message = format!("name a range of at most {DAYS_MAX} days");
            return Err(Refusal::BadRequest(message));
        }
        Ok((first, last))
    }
}

fn day_of(cell: &Cell) -> Option<OperatingDay> {
    match cell {
        Cell::Day(day) => Some(OperatingDay::new(*day)),
        Cell::Instant(instant) => Some(OperatingDay::new(instant.date())),
        _ => None,
    }
}

impl Filter {
    fn read(columns: &[Column], name: &str, value: &str) -> Result<Self, Refusal> {
        let named = |name: &str| columns.iter().position(|column| column.json == name);
        let ranged = |suffix: &str| {
            let column = name.strip_suffix(suffix).and_then(named);
            column.filter(|column| columns[*column].has_range())
        };
        let (column, is_from, is_to) = if let Some(column) = named(name) {
            (column, true, true)
        } else if let Some(column) = ranged("From") {
            (column, true, false)
        } else if let Some(column) = ranged("To") {
            (column, false, true)
        } else {
            return Err(Refusal::BadRequest(format!("{name}: no such parameter")));
        };
        let wrong = || Refusal::BadRequest(format!("{name}: unreadable value {value:?}"));
        let cell = cell(columns[column].kind, value).ok_or_else(wrong)?;
        let bound = |is_bound: bool| is_bound.then(|| cell.clone());
        Ok(Self { column, from: bound(is_from), to: bound(is_to) })
    }

    fn takes(&self, row: &Row) -> bool {
        is_within(&row[self.column], self.from.as_ref(), self.to.as_ref())
    }
}

/// Reads a parameter as a cell of a column's kind.
fn cell(kind: Kind, text: &str) -> Option<Cell> {
    match kind {
        Kind::Day => text.parse::<Date>().ok().map(Cell::Day),
        Kind::Instant => text.parse::<DateTime>().ok().map(Cell::Instant),
        Kind::Minutes => {
            format!("00:{text}").parse::<Time>().ok().map(|_| Cell::Text(text.to_owned()))
        }
        Kind::Hour(_) => {
            let hour = text.strip_suffix(":00").unwrap_or(text);
            hour.parse().ok().map(Cell::Hour)
        }
        Kind::Text => Some(Cell::Text(text.to_owned())),
        Kind::Flag => text.parse().ok().map(Cell::Flag),
        Kind::Whole => text.parse().ok().map(Cell::Whole),
        Kind::Number(_) => {
            text.parse().ok().filter(|number: &f64| number.is_finite()).map(Cell::Number)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_labels_as_ercot_writes_them() {
        let labels = ["settlementPoint", "DSTFlag", "LMP", "hourEnding"].map(label);
        assert_eq!(labels, ["Settlement Point", "DST Flag", "LMP", "Hour Ending"]);
    }

    #[test]
    fn a_page_beyond_the_last_is_empty() {
        let paging = |text: &str| Paging::read(&Query::read(text), 10, 100).unwrap();
        let all: Vec<u32> = (0..25).collect();
        assert_eq!(paging("").of(&all).len(), 10);
        assert_eq!(paging("page=3").of(&all), [20, 21, 22, 23, 24]);
        assert!(paging("page=4").of(&all).is_empty());
        assert!(paging("page=18446744073709551615").of(&all).is_empty());
        for wrong in ["page=0", "size=0", "size=101", "size=many"] {
            assert!(Paging::read(&Query::read(wrong), 10, 100).is_err(), "{wrong}");
        }
    }
}
