//! NP4-160-SG: which settlement points there are. Not observations, so with a way in of its own.
//!
//! The posting is a zip of several lists that change their names: a column that names settlement
//! points is read wherever it is.

use std::collections::BTreeSet;

use super::columns::Binder;
use super::csv::CsvRows;
use super::layout::names;
use super::unpack::unpack;
use super::{Report, ReportError};
use crate::place::SettlementPoint;

/// Load zones, resource nodes and hubs. `Name` is the only column of the list of hubs and ties.
const COLUMNS: [&str; 5] =
    ["SETTLEMENT_LOAD_ZONE", "RESOURCE_NODE", "HUB", "SETTLEMENT_POINT", "NAME"];

/// There are about a thousand.
const POINTS_MAX: usize = 100_000;

/// Reads all settlement points, in alphabetical order.
pub fn parse_settlement_points(bytes: &[u8]) -> Result<Vec<SettlementPoint>, ReportError> {
    let report = Report::SettlementPoints;
    let refused = |reason| ReportError { report, file: report.emil_id().to_owned(), reason };
    let mut points = BTreeSet::new();
    let mut reason = None;
    unpack(report.emil_id(), bytes, |member| {
        if let Err(why) = member.bytes.and_then(|bytes| read(bytes, &mut points)) {
            reason.get_or_insert(why);
        }
    })
    .map_err(refused)?;
    if points.is_empty() {
        let reason = reason.unwrap_or_else(|| "has no column of settlement points".to_owned());
        return Err(refused(reason));
    }
    Ok(points.into_iter().collect())
}

fn read(bytes: &[u8], points: &mut BTreeSet<SettlementPoint>) -> Result<(), String> {
    let (columns, rows) = CsvRows::new(bytes)?;
    let mut binder = Binder::new(&columns);
    let indices: Vec<usize> =
        COLUMNS.iter().filter_map(|name| binder.optional(&names(&[name]))).collect();
    rows.for_each(|_, cells| {
        let cells = cells.unwrap_or_default();
        let named = indices.iter().filter_map(|index| cells.get(*index)?.name().ok());
        points.extend(named.filter_map(|name| SettlementPoint::new(name).ok()));
        points.len() < POINTS_MAX
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_found_in_every_list_once() {
        let list = "ELECTRICAL_BUS,NODE_NAME,SETTLEMENT_LOAD_ZONE,RESOURCE_NODE,HUB_BUS_NAME,HUB\n\
                    0001,0001,LZ_SOUTH,,,\n\
                    0002,0002,LZ_WEST,ALVIN_RN,WEST_BUS,HB_WEST\n\
                    0003,0003,LZ_SOUTH\n";
        let points = parse_settlement_points(list.as_bytes()).unwrap();
        let names: Vec<&str> = points.iter().map(SettlementPoint::name).collect();
        assert_eq!(names, ["ALVIN_RN", "HB_WEST", "LZ_SOUTH", "LZ_WEST"]);
    }

    #[test]
    fn what_lists_no_points_is_refused() {
        for bytes in [&b""[..], b"A,B\n1,2\n", b"PK\x03\x04 and nothing"] {
            assert!(parse_settlement_points(bytes).is_err(), "{bytes:?}");
        }
    }
}
