//! NP4-722: ERCOT's own temperature forecast by weather zone, in degrees Fahrenheit.

use super::layout::{Layout, Rows, TimeColumns, ValueColumn};
use super::load::zones;
use crate::observation::{Series, SeriesKey};

/// `DeliveryDate,HourEnding,Coast,…,West,DSTFlag`.
pub(super) fn layouts() -> Vec<Layout> {
    let columns = zones().map(|(names, place)| {
        let key = SeriesKey { series: Series::TemperatureForecast, place };
        ValueColumn { names, is_required: true, key, total: None }
    });
    vec![Layout::new(TimeColumns::Hour, Rows::Columns(columns.to_vec())).in_fahrenheit()]
}
