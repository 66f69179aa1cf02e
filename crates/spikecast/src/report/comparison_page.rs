//! The page of compared backtests: a chart over all thresholds, a table for each.

use askama::Template;

use super::colour;
use super::comparison_view::{ComparedRow, ComparisonPage, RowStanding};
use super::dot_chart::{self, Dot, DotGroup, Emphasis};
use super::format::{self, filters};

#[derive(Template)]
#[template(path = "comparison.html")]
struct Layout<'a> {
    page: &'a ComparisonPage,
    colours: String,
    chart: String,
}

impl ComparisonPage {
    /// Returns the page as one self-contained HTML file.
    pub fn to_html(&self) -> String {
        let colours = colour::definitions(self.thresholds.len());
        let layout = Layout { page: self, colours, chart: self.chart() };
        layout.render().expect("rendering to a string cannot fail")
    }

    fn chart(&self) -> String {
        let groups = self.thresholds.iter().enumerate().map(|(index, table)| DotGroup {
            label: format::dollars(table.threshold),
            class: format!("t{index}"),
            dots: table.rows.iter().map(dot).collect(),
        });
        dot_chart::draw("Log-loss skill by threshold and scenario", &groups.collect::<Vec<_>>())
    }
}

fn dot(row: &ComparedRow) -> Dot {
    let (label, emphasis) = match row.standing {
        RowStanding::Issued => (row.scenario.clone(), Emphasis::Main),
        RowStanding::Beside => (format!("{}, {}", row.scenario, row.model), Emphasis::Quiet),
    };
    Dot { label, emphasis, estimate: row.log_loss_skill }
}

#[cfg(test)]
mod tests {
    use super::super::backtest_view::Setting;
    use super::super::comparison_view::{ScenarioView, ThresholdTable};
    use super::super::forecast_view::Estimate;
    use super::super::sample;
    use super::*;

    fn page() -> ComparisonPage {
        let row = |scenario: &str, model: &str, standing, skill| ComparedRow {
            scenario: scenario.to_owned(),
            model: model.to_owned(),
            standing,
            hours: 2_160,
            exceedances: 120,
            log_loss: 0.1234,
            log_loss_skill: Some(Estimate {
                value: skill,
                lower: skill - 0.02,
                upper: skill + 0.02,
            }),
            brier: 0.0321,
            brier_skill: None,
        };
        let rows = vec![
            row("usual", "issued", RowStanding::Issued, 0.15),
            row("<b>seldom", "issued", RowStanding::Issued, 0.11),
            row("<b>seldom", "logistic regression", RowStanding::Beside, 0.09),
        ];
        ComparisonPage {
            title: "Backtests compared".to_owned(),
            scenarios: vec![ScenarioView {
                name: "usual".to_owned(),
                report: "usual/report.html".to_owned(),
                settings: vec![Setting { name: "Trained every".into(), value: "2 days".into() }],
            }],
            thresholds: vec![ThresholdTable { threshold: 100.0, rows }],
            skill_interval: 0.9,
            notes: vec!["A note.".to_owned()],
        }
    }

    #[test]
    fn every_scenario_and_score_is_on_the_page() {
        let html = page().to_html();
        for text in ["usual/report.html", "2 days", "$100", "0.1234", "0.0321", "2,160", "A note."]
        {
            assert!(html.contains(text), "{text} is missing");
        }
        assert_eq!(html.matches("class=\"pooled\"").count(), 2, "what is issued stands out");
        assert!(!html.contains("<b>") && !html.contains("NaN"));
        sample::assert_self_contained(&html.replace("href=\"usual/report.html\"", ""));
    }
}
