//! What a table gives back, and what it says about files that cannot be used.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

const START: ColumnSpec = ColumnSpec::required("hour_start_utc", ColumnKind::Instant);
const PRICE: ColumnSpec =
    ColumnSpec::nullable("price_usd_mwh", ColumnKind::Number { min: -1_000.0, max: 10_000.0 });
const POINT: ColumnSpec = ColumnSpec::required("settlement_point", ColumnKind::Text);
const RUNS: ColumnSpec = ColumnSpec::optional("runs", ColumnKind::Integer);
const REPAIRED: ColumnSpec = ColumnSpec::optional("repaired", ColumnKind::Flag);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Keeps the folder alive as long as the path is used.
fn file(name: &str, content: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    (folder, path)
}

fn csv_message(content: &str, specs: &[ColumnSpec]) -> String {
    let (folder, path) = file("prices.csv", content);
    let error = Table::read(&path, specs).unwrap_err().to_string();
    error.replace(&format!("{}/", folder.path().display()), "")
}

fn write_example(path: &Path) {
    let starts = ["2024-03-10T07:00:00Z", "2024-03-10T08:00:00Z", "2024-03-10T09:00:00Z"];
    let point: Arc<str> = "HB_HUBAVG".into();
    write_parquet(
        path,
        &[
            ("hour_start_utc", ColumnData::Instants(starts.map(at).to_vec())),
            ("price_usd_mwh", ColumnData::NullableNumbers(vec![Some(-31.5), None, Some(20.25)])),
            ("settlement_point", ColumnData::Texts(vec![point.clone(), point, "HB_WEST".into()])),
            ("runs", ColumnData::Integers(vec![12, 13, 11])),
            ("repaired", ColumnData::Flags(vec![false, true, false])),
            ("operating_day", ColumnData::Days(vec![jiff::civil::date(2024, 3, 10); 3])),
        ],
        &[("written_for".to_owned(), "a test".to_owned())],
    )
    .unwrap();
}

fn check_example(table: &Table) {
    assert_eq!(table.rows(), 3);
    assert_eq!(table.instants("hour_start_utc")[2], Some(at("2024-03-10T09:00:00Z")));
    assert_eq!(table.numbers("price_usd_mwh"), [Some(-31.5), None, Some(20.25)]);
    let points = table.texts("settlement_point");
    assert_eq!((points.get(1), points.get(2)), (Some("HB_HUBAVG"), Some("HB_WEST")));
    assert_eq!(points.distinct().len(), 2);
    assert_eq!(table.integers("runs"), [Some(12), Some(13), Some(11)]);
    assert_eq!(table.flags("repaired"), [Some(false), Some(true), Some(false)]);
}

const EXAMPLE: [ColumnSpec; 5] = [START, PRICE, POINT, RUNS, REPAIRED];

#[test]
fn parquet_gives_back_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/prices.parquet");
    write_example(&path);
    check_example(&Table::read(&path, &EXAMPLE).unwrap());
    assert_eq!(read_metadata(&path).unwrap()["written_for"], "a test");
}

#[test]
fn the_same_table_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["a.parquet", "b.parquet"].map(|name| folder.path().join(name));
    for path in &paths {
        write_example(path);
    }
    assert_eq!(fs::read(&paths[0]).unwrap(), fs::read(&paths[1]).unwrap());
}

#[test]
fn csv_gives_the_same_table_whatever_the_spelling_of_instants() {
    let (_folder, path) = file(
        "prices.CSV",
        "\u{feff}settlement_point, hour_start_utc ,price_usd_mwh,runs,repaired,notes\r\n\
         HB_HUBAVG,2024-03-10 07:00:00+00:00,-31.5,12,False,x\r\n\
         \"HB_HUBAVG\",2024-03-10T08:00:00Z,,13,true,\"a\nb\"\r\n\
         HB_WEST,2024-03-10T03:00:00-06:00,20.25,11,False,\r\n",
    );
    check_example(&Table::read(&path, &EXAMPLE).unwrap());
}

#[test]
fn an_absent_optional_column_is_empty_and_not_a_number_is_an_empty_cell() {
    let (_folder, path) =
        file("prices.csv", "hour_start_utc,price_usd_mwh\n2024-11-03T06:00:00Z,NaN\n");
    let table = Table::read(&path, &[START, PRICE, RUNS]).unwrap();
    assert_eq!(table.numbers("price_usd_mwh"), [None]);
    assert_eq!(table.integers("runs"), [None]);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.parquet");
    write_parquet(&path, &[("price_usd_mwh", ColumnData::Numbers(vec![f64::NAN, 1.0]))], &[])
        .unwrap();
    let table = Table::read(&path, &[PRICE, RUNS]).unwrap();
    assert_eq!(table.numbers("price_usd_mwh"), [None, Some(1.0)]);
    assert_eq!(table.integers("runs"), [None, None]);
}

#[test]
fn a_broken_line_is_named_with_row_line_and_column() {
    let specs = [START, PRICE];
    let header = "hour_start_utc,price_usd_mwh\n2024-08-19T14:00:00Z,20\n";
    let check = |line: &str, expected: &str| {
        assert_eq!(csv_message(&format!("{header}{line}\n"), &specs), expected);
    };
    check(
        "2024-08-19T15:00:00Z,twenty",
        "prices.csv, row 2 (line 3), column price_usd_mwh: expected a number, found \"twenty\"; \
         correct the cell",
    );
    check(
        "2024-08-19 15:00,20",
        "prices.csv, row 2 (line 3), column hour_start_utc: expected an instant, e.g. \
         2024-08-19T14:57:00Z, found \"2024-08-19 15:00\"; correct the cell",
    );
    check(
        "2024-08-19T15:00:00Z,1e9",
        "prices.csv, row 2 (line 3), column price_usd_mwh: expected a number from -1000 to 10000, \
         found \"1000000000\"; correct the cell",
    );
    check(
        "2024-08-19T15:00:00Z,inf",
        "prices.csv, row 2 (line 3), column price_usd_mwh: expected a number, found \"inf\"; \
         correct the cell",
    );
    check(
        "2024-08-19T15:00:00Z",
        "prices.csv, row 2 (line 3), column (all): expected 2 cells as in the header line, found \
         1 cells; correct the cell",
    );
    check(
        ",20",
        "prices.csv, row 2 (line 3), column hour_start_utc: expected instants in UTC, e.g. \
         2024-08-19T14:57:00Z, found \"\"; correct the cell",
    );
}

#[test]
fn a_missing_column_is_named_with_the_columns_that_are_there() {
    let message = csv_message("hour_start_utc,price_usd_mw\n", &[START, PRICE]);
    assert_eq!(
        message,
        "prices.csv: has no column \"price_usd_mwh\" (is it \"price_usd_mw\"?); it has \
         hour_start_utc, price_usd_mw; rename or add the column"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.parquet");
    write_parquet(&path, &[("Price_USD_MWh", ColumnData::Numbers(vec![1.0]))], &[]).unwrap();
    let error = Table::read(&path, &[PRICE]).unwrap_err();
    let TableError::MissingColumn { nearest, found, .. } = error else { panic!("{error}") };
    assert_eq!((nearest.as_deref(), &*found), (Some("Price_USD_MWh"), "Price_USD_MWh"));
}

#[test]
fn a_column_of_the_wrong_type_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.parquet");
    write_parquet(&path, &[("price_usd_mwh", ColumnData::Texts(vec!["20".into()]))], &[]).unwrap();
    let error = Table::read(&path, &[PRICE]).unwrap_err();
    assert!(matches!(error, TableError::WrongType { .. }), "{error}");
    assert!(error.to_string().contains("expected numbers, found BYTE_ARRAY"), "{error}");
}

#[test]
fn a_missing_file_says_what_is_expected() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["prices.csv", "prices.parquet"] {
        let error = Table::read(&folder.path().join(name), &[START, PRICE]).unwrap_err();
        assert!(matches!(error, TableError::Missing { .. }), "{error}");
        assert!(error.to_string().contains("hour_start_utc, price_usd_mwh"), "{error}");
    }
}

#[test]
fn a_truncated_file_says_to_get_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.parquet");
    write_example(&path);
    let whole = fs::read(&path).unwrap();
    for length in [0, 4, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let error = Table::read(&path, &EXAMPLE).unwrap_err();
        assert!(matches!(error, TableError::Damaged { .. }), "{length}: {error:?}");
        assert!(error.to_string().contains("download it again"), "{error}");
    }
}

#[test]
fn a_folder_in_the_place_of_a_file_is_not_readable() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["prices.parquet", "prices.csv"] {
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        let error = Table::read(&path, &[PRICE]).unwrap_err();
        assert!(matches!(error, TableError::NotReadable { .. }), "{error:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_changed_byte_never_panics(position in 0usize..10_000, bits in 1u8..=255) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prices.parquet");
        write_example(&path);
        let mut bytes = fs::read(&path).unwrap();
        let position = position % bytes.len();
        bytes[position] ^= bits;
        fs::write(&path, &bytes).unwrap();
        // Whether the change is noticed depends on where it is; a panic would be our fault.
        if let Ok(table) = Table::read(&path, &EXAMPLE) {
            prop_assert_eq!(table.instants("hour_start_utc").len(), table.rows());
        }
    }

    #[test]
    fn numbers_survive_parquet_to_the_last_bit(
        cells in prop::collection::vec(prop::option::of(-1_000.0f64..10_000.0), 0..400),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prices.parquet");
        let columns = [("price_usd_mwh", ColumnData::NullableNumbers(cells.clone()))];
        write_parquet(&path, &columns, &[]).unwrap();
        let table = Table::read(&path, &[PRICE]).unwrap();
        prop_assert_eq!(table.numbers("price_usd_mwh"), &cells[..]);
    }
}
