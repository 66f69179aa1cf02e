//! NP6-86: shadow prices of binding transmission constraints, by SCED run.

use super::layout::{Layout, Rows, TimeColumns, names};

/// `SCEDTimeStamp,RepeatedHourFlag,ConstraintID,ConstraintName,ContingencyName,ShadowPrice,…`.
pub(super) fn layouts() -> Vec<Layout> {
    let rows = Rows::Constraints { value: names(&["shadowPrice"]) };
    vec![Layout::new(TimeColumns::ScedRun, rows).knowing(&[
        "constraintid",
        "maxshadowprice",
        "limit",
        "value",
        "violatedmw",
        "fromstation",
        "tostation",
        "fromstationkv",
        "tostationkv",
        "cctstatus",
    ])]
}
