//! The parsers of ERCOT's reports and what they stand on, and nothing else of `market`: the build
//! with coverage takes a minute, not an hour for HTTP and Parquet.
//!
//! Run one target with `cargo fuzz run -s none TARGET fuzz/corpus/TARGET fuzz/seeds/TARGET` from
//! `crates/market`, with `RUSTC_BOOTSTRAP=1`. Seeds are made up; what a run finds stays out of
//! the repository.

#[path = "../../src/observation/mod.rs"]
pub mod observation;
#[path = "../../src/place.rs"]
pub mod place;
#[path = "../../src/reports/mod.rs"]
pub mod reports;
#[path = "../../src/time.rs"]
pub mod time;
#[path = "../../src/units.rs"]
pub mod units;

pub mod source;

use jiff::Timestamp;
pub use reports::Report;
use reports::{Contents, Posting, Wanted, parse, parse_page, parse_settlement_points};

/// Reads bytes as a posting and as a page of each report.
pub fn read(reports: &[Report], bytes: &[u8]) {
    for report in reports {
        if let Ok(contents) = parse(&posting(*report), bytes, &Wanted::default()) {
            check(&contents);
        }
        if let Ok(page) = parse_page(*report, None, bytes, &Wanted::default()) {
            check(&page.contents);
        }
    }
}

/// Reads bytes as a list of settlement points.
pub fn read_settlement_points(bytes: &[u8]) {
    if let Ok(points) = parse_settlement_points(bytes) {
        assert!(!points.is_empty(), "an empty list is an error");
    }
}

/// Reads bytes as a zip of prices.
pub fn read_zip(bytes: &[u8]) {
    read(&[Report::Lmp], bytes);
    read_settlement_points(bytes);
}

fn posting(report: Report) -> Posting {
    let posted_at = Timestamp::from_second(1_730_620_800).expect("within the range");
    Posting { report, id: "1".to_owned(), name: "xhr.csv".to_owned(), posted_at }
}

/// What holds of everything that was read.
fn check(contents: &Contents) {
    for observations in contents.observations.values() {
        assert!(!observations.is_empty(), "a series without observations is left out");
        for observation in observations {
            assert!(observation.value.is_finite(), "{observation:?}");
        }
    }
}
