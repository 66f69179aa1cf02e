//! Uncertainty: how far ERCOT's load models lie apart about the target hour, and how far the wind
//! that can be relied on lies below the wind that is expected.
//!
//! Only forecasts of one posting are compared: a model that is no longer run must not speak beside
//! those that are.

use jiff::Timestamp;
use market::observation::{Known, KnownAt, KnownSeries, LoadModel, Series, SeriesKey};

use super::net_load::GIGAWATT;
use super::prices::mean_of;
use super::registry::ReadBy::Logistic;
use super::registry::{Family, Feature, FeatureGroup, Input};
use crate::horizon::TargetHour;

const MODELS: Family = Family { group: FeatureGroup::Uncertainty, inputs: &[Input::LoadModels] };
const IN_USE: Family =
    Family { group: FeatureGroup::Uncertainty, inputs: &[Input::LoadForecast, Input::LoadModels] };
const WIND: Family = Family {
    group: FeatureGroup::Uncertainty,
    inputs: &[Input::WindForecast, Input::WindPotential],
};

#[rustfmt::skip]
pub(super) const FEATURES: [Feature; 4] = [
    MODELS.feature(Logistic, "load_models_range", "GW", "highest less lowest of ERCOT's load models for the hour"),
    MODELS.feature(Logistic, "load_models_deviation", "GW", "standard deviation of ERCOT's load models for the hour"),
    IN_USE.feature(Logistic, "load_forecast_to_models", "GW", "load forecast in use less the median of ERCOT's load models"),
    WIND.feature(Logistic, "wind_forecast_to_potential", "GW", "wind forecast less the wind that is reached with a probability of 80 %"),
];

/// Fewer models say little about how far apart they lie.
const MODELS_MIN: usize = 3;

/// The forecasts that are compared.
pub(super) struct Uncertainty<'a> {
    load: KnownSeries<'a>,
    load_models: [KnownSeries<'a>; LoadModel::ALL.len()],
    wind: KnownSeries<'a>,
    wind_potential: KnownSeries<'a>,
}

impl<'a> Uncertainty<'a> {
    pub(super) fn of(view: &KnownAt<'a>) -> Self {
        let system = |series: Series| view.series(&SeriesKey::system(series));
        Self {
            load: system(Series::LoadForecast),
            load_models: LoadModel::ALL.map(|model| system(Series::LoadForecastBy(model))),
            wind: system(Series::WindForecast),
            wind_potential: system(Series::WindPotential),
        }
    }

    pub(super) fn write(&self, target: &TargetHour, row: &mut Vec<f64>) {
        let start = target.hour.start;
        let models = Models::at(&self.load_models, start);
        let load = of_posting(&self.load, start, models.published_at);
        let potential = self.wind_potential.known(start);
        let wind = of_posting(&self.wind, start, potential.map(|known| known.published_at));
        row.extend([
            models.range() / GIGAWATT,
            models.deviation() / GIGAWATT,
            (load - models.median()) / GIGAWATT,
            (wind - potential.map_or(f64::NAN, |known| known.value)) / GIGAWATT,
        ]);
    }
}

/// Returns the forecast of an hour if it is of that posting, else NaN.
fn of_posting(series: &KnownSeries<'_>, start: Timestamp, posted_at: Option<Timestamp>) -> f64 {
    let known = series.known(start).filter(|known| Some(known.published_at) == posted_at);
    known.map_or(f64::NAN, |known| known.value)
}

/// What the load models of the newest posting say of an hour, MW, ascending.
struct Models {
    published_at: Option<Timestamp>,
    values: Vec<f64>,
}

impl Models {
    fn at(models: &[KnownSeries<'_>], start: Timestamp) -> Self {
        let known: Vec<Known> = models.iter().filter_map(|model| model.known(start)).collect();
        let published_at = known.iter().map(|known| known.published_at).max();
        let newest = known.iter().filter(|known| Some(known.published_at) == published_at);
        let mut values: Vec<f64> = newest.map(|known| known.value).collect();
        if values.len() < MODELS_MIN {
            values.clear();
        }
        values.sort_unstable_by(f64::total_cmp);
        Self { published_at, values }
    }

    fn range(&self) -> f64 {
        match (self.values.first(), self.values.last()) {
            (Some(lowest), Some(highest)) => highest - lowest,
            _ => f64::NAN,
        }
    }

    fn deviation(&self) -> f64 {
        let mean = mean_of(&self.values);
        let squares: Vec<f64> = self.values.iter().map(|v| (v - mean) * (v - mean)).collect();
        mean_of(&squares).sqrt()
    }

    fn median(&self) -> f64 {
        let middle = self.values.len() / 2;
        match self.values.get(middle) {
            None => f64::NAN,
            Some(upper) if self.values.len() % 2 == 1 => *upper,
            Some(upper) => f64::midpoint(self.values[middle - 1], *upper),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use market::observation::{History, HistoryBuilder, Observation};
    use market::time::parse_local;

    use super::*;
    use crate::horizon::horizon;

    fn at(text: &str) -> Timestamp {
        parse_local(text).unwrap()
    }

    const ISSUED: &str = "2024-08-19T09:57";

    /// Forecasts of the first target day as `(series, published at, MW)`.
    fn history(forecasts: &[(Series, &str, f64)]) -> History {
        let mut builder = HistoryBuilder::default();
        for &(series, published_at, value) in forecasts {
            let observations = (0..24).map(|hour| Observation {
                interval_start: at("2024-08-20T00:00") + SignedDuration::from_hours(hour),
                published_at: at(published_at),
                value,
            });
            builder.add(&SeriesKey::system(series), observations);
        }
        builder.build()
    }

    fn described(forecasts: &[(Series, &str, f64)], hour: usize) -> [f64; FEATURES.len()] {
        let history = history(forecasts);
        let view = history.known_at(at(ISSUED));
        let mut row = Vec::new();
        Uncertainty::of(&view).write(&horizon(at(ISSUED))[hour], &mut row);
        row.try_into().unwrap()
    }

    fn is(value: f64, expected: f64) -> bool {
        (value - expected).abs() < 1e-12
    }

    const POSTED: &str = "2024-08-19T09:30";

    fn model(model: LoadModel, gigawatts: f64) -> (Series, &'static str, f64) {
        (Series::LoadForecastBy(model), POSTED, gigawatts * GIGAWATT)
    }

    #[test]
    fn the_spread_of_the_models_and_the_place_of_the_one_in_use() {
        let mut forecasts = vec![
            model(LoadModel::A3, 70.0),
            model(LoadModel::E, 74.0),
            model(LoadModel::M, 72.0),
            model(LoadModel::X, 76.0),
            (Series::LoadForecast, POSTED, 76_000.0),
        ];
        let [range, deviation, to_models, to_potential] = described(&forecasts, 3);
        assert!(is(range, 6.0) && is(deviation, 5.0_f64.sqrt()) && is(to_models, 3.0));
        assert!(to_potential.is_nan());
        // A fifth one, and the median is one of them.
        forecasts.push(model(LoadModel::E1, 75.0));
        assert!(is(described(&forecasts, 3)[2], 2.0));
        // Nothing is forecast of the second target day.
        assert!(described(&forecasts, 24).iter().all(|value| value.is_nan()));
    }

    #[test]
    fn a_model_of_an_older_posting_does_not_speak() {
        let mut forecasts = vec![
            model(LoadModel::A3, 70.0),
            model(LoadModel::E, 71.0),
            (Series::LoadForecastBy(LoadModel::M), "2024-08-18T09:30", 90_000.0),
            (Series::LoadForecast, "2024-08-18T09:30", 90_000.0),
        ];
        // Two models are too few.
        assert!(described(&forecasts, 3).iter().all(|value| value.is_nan()));
        forecasts.push(model(LoadModel::E1, 72.0));
        let [range, _, to_models, _] = described(&forecasts, 3);
        assert!(is(range, 2.0));
        assert!(to_models.is_nan());
    }

    #[test]
    fn a_posting_after_the_issue_time_is_not_seen() {
        let wind = |posted, forecast, potential| {
            [(Series::WindForecast, posted, forecast), (Series::WindPotential, posted, potential)]
        };
        let early = wind("2024-08-19T08:55", 12_000.0, 9_500.0);
        let late = wind("2024-08-19T09:58", 30_000.0, 1_000.0);
        assert!(is(described(&[early, late].concat(), 3)[3], 2.5));
        assert!(described(&late, 3)[3].is_nan());
    }
}
