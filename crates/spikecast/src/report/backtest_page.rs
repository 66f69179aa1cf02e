//! The backtest page: lays out a [`BacktestPage`] and draws its charts.
//!
//! The words around the charts are in the template `backtest.html`; here is only what is computed.
//! Thresholds keep their colour through all charts of the page.

use askama::Template;

use super::backtest_view::{BacktestPage, BacktestSection, Lead, ScoreRow};
use super::colour;
use super::dot_chart::{self, Dot, DotGroup, Emphasis};
use super::figure::Figure;
use super::format::{self, filters};
use super::monthly;
use super::reliability;
use super::value_chart;
use super::verification_view::{AlertRow, ReferenceRow, Role};

#[derive(Template)]
#[template(path = "backtest.html")]
struct Layout<'a> {
    page: &'a BacktestPage,
    colours: String,
    sections: Vec<SectionLayout<'a>>,
}

/// One section with its charts drawn.
struct SectionLayout<'a> {
    view: &'a BacktestSection,
    score_groups: Vec<&'a [ScoreRow]>,
    leads: String,
    models: String,
    reliability: Vec<ThresholdPicture>,
    monthly: Vec<ThresholdPicture>,
    values: Vec<ThresholdPicture>,
    reference_groups: Vec<&'a [ReferenceRow]>,
    alert_groups: Vec<&'a [AlertRow]>,
}

/// A picture under its threshold.
struct ThresholdPicture {
    threshold: f64,
    picture: String,
    words: String,
}

impl BacktestPage {
    /// Returns the page as one self-contained HTML file.
    pub fn to_html(&self) -> String {
        let thresholds = self.thresholds();
        let layout = Layout {
            page: self,
            colours: colour::definitions(thresholds.len()),
            sections: self.sections.iter().map(|it| lay_out(it, &thresholds)).collect(),
        };
        layout.render().expect("rendering to a string cannot fail")
    }

    /// Returns the page's pictures as files of their own.
    #[must_use]
    pub fn figures(&self) -> Vec<Figure> {
        let thresholds = self.thresholds();
        let sections = self.sections.iter().map(|it| lay_out(it, &thresholds));
        sections.flat_map(|section| section.figures(thresholds.len())).collect()
    }

    /// Returns every threshold of the page, from low to high.
    fn thresholds(&self) -> Vec<f64> {
        let mut thresholds = Vec::new();
        for section in &self.sections {
            thresholds.extend(section.scores.iter().map(|row| row.threshold));
            thresholds.extend(section.reliability.iter().map(|curve| curve.threshold));
            thresholds.extend(section.monthly.iter().map(|monthly| monthly.threshold));
            for model in &section.models {
                thresholds.extend(model.skill.iter().map(|row| row.threshold));
            }
        }
        thresholds.sort_by(f64::total_cmp);
        thresholds.dedup_by(|one, other| same(*one, *other));
        thresholds
    }
}

fn lay_out<'a>(section: &'a BacktestSection, thresholds: &[f64]) -> SectionLayout<'a> {
    let class = |threshold: f64| class_of(thresholds, threshold);
    let reliability = section.reliability.iter().map(|curve| ThresholdPicture {
        threshold: curve.threshold,
        picture: reliability::draw(curve, &class(curve.threshold)),
        words: curve.terms.clone(),
    });
    let monthly = section.monthly.iter().map(|it| ThresholdPicture {
        threshold: it.threshold,
        picture: monthly::draw(it, &class(it.threshold)),
        words: String::new(),
    });
    let values = section.verification.values.iter().map(|it| ThresholdPicture {
        threshold: it.threshold,
        picture: value_chart::draw(it, &class(it.threshold)),
        words: String::new(),
    });
    let (references, alerts) = (&section.verification.references, &section.verification.alerts);
    SectionLayout {
        view: section,
        score_groups: section
            .scores
            .chunk_by(|one, other| same(one.threshold, other.threshold))
            .collect(),
        leads: leads_chart(section, thresholds),
        models: models_chart(section, thresholds),
        reliability: reliability.collect(),
        monthly: monthly.collect(),
        values: values.collect(),
        reference_groups: references
            .chunk_by(|one, other| same(one.threshold, other.threshold))
            .collect(),
        alert_groups: alerts
            .chunk_by(|one, other| {
                same(one.threshold, other.threshold) && same(one.budget, other.budget)
            })
            .collect(),
    }
}

impl SectionLayout<'_> {
    /// Returns the section's pictures as files of their own.
    fn figures(&self, thresholds: usize) -> Vec<Figure> {
        let section: String = self
            .view
            .name
            .chars()
            .map(|it| if it.is_ascii_alphanumeric() { it.to_ascii_lowercase() } else { '_' })
            .collect();
        let figure = |what: &str, picture: &str| {
            Figure::new(&format!("{section}-{what}"), picture, thresholds)
        };
        let mut figures = vec![figure("leads", &self.leads), figure("models", &self.models)];
        let kinds = [
            ("reliability", &self.reliability),
            ("monthly", &self.monthly),
            ("value", &self.values),
        ];
        for (what, pictures) in kinds {
            let name = |it: &ThresholdPicture| format!("{what}-{}", it.threshold);
            figures.extend(pictures.iter().map(|it| figure(&name(it), &it.picture)));
        }
        figures
    }
}

fn leads_chart(section: &BacktestSection, thresholds: &[f64]) -> String {
    let mut groups = Vec::new();
    for rows in section.scores.chunk_by(|one, other| same(one.threshold, other.threshold)) {
        let Some(first) = rows.first() else { continue };
        let dots = rows.iter().map(|row| Dot {
            label: row.lead.label(),
            emphasis: match row.lead {
                Lead::Pooled => Emphasis::Main,
                Lead::Day(_) => Emphasis::Quiet,
            },
            estimate: row.log_loss_skill,
        });
        groups.push(DotGroup {
            label: format::dollars(first.threshold),
            class: class_of(thresholds, first.threshold),
            dots: dots.collect(),
        });
    }
    dot_chart::draw(&format!("Log-loss skill by threshold and lead, {}", section.name), &groups)
}

fn models_chart(section: &BacktestSection, thresholds: &[f64]) -> String {
    let mut groups = Vec::new();
    for threshold in thresholds {
        let mut dots = Vec::new();
        for (index, model) in section.models.iter().enumerate() {
            let Some(row) = model.skill.iter().find(|row| same(row.threshold, *threshold)) else {
                continue;
            };
            let is_last = index + 1 == section.models.len();
            dots.push(Dot {
                label: model.name.clone(),
                // The last model is the one that is issued; the others led to it.
                emphasis: if is_last { Emphasis::Main } else { Emphasis::Quiet },
                estimate: row.skill,
            });
        }
        if !dots.is_empty() {
            groups.push(DotGroup {
                label: format::dollars(*threshold),
                class: class_of(thresholds, *threshold),
                dots,
            });
        }
    }
    dot_chart::draw(&format!("Log-loss skill by threshold and model, {}", section.name), &groups)
}

/// Returns the class of the style sheet that colours a threshold.
fn class_of(thresholds: &[f64], threshold: f64) -> String {
    let index = thresholds.iter().position(|it| same(*it, threshold)).unwrap_or(0);
    format!("t{index}")
}

/// Tells whether two thresholds are the same to a hundredth of a cent.
fn same(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-4
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::super::svg::escape;
    use super::*;

    #[test]
    fn the_page_fetches_nothing() {
        sample::assert_self_contained(&sample::backtest(2).to_html());
    }

    #[test]
    fn every_section_score_and_chart_is_on_the_page() {
        let page = sample::backtest(2);
        let html = page.to_html();
        assert_eq!(html.matches("class=\"results\"").count(), page.sections.len());
        let rows: usize = page.sections.iter().map(|section| section.scores.len()).sum();
        assert_eq!(html.matches("<td class=\"when\">lead day").count() * 4, rows * 3);
        assert_eq!(html.matches("<tr class=\"pooled\">").count() * 4, rows);
        for section in &page.sections {
            assert!(html.contains(&format!("<h2>{}</h2></summary>", section.name)));
        }
        for point in &page.settlement_points {
            assert!(html.contains(point));
        }
        for text in page.headlines.iter().chain(&page.notes) {
            assert!(html.contains(&escape(text)));
        }
        assert!(!html.contains("NaN"));
    }

    #[test]
    fn six_settlement_points_stay_below_a_megabyte_and_a_half() {
        let size = sample::backtest(6).to_html().len();
        assert!(size < 1_500_000, "{size} bytes");
    }

    #[test]
    fn names_from_outside_stay_text() {
        let mut page = sample::backtest(1);
        page.settlement_points[0] = "<b>&".to_owned();
        page.sections[0].name = "<b>&".to_owned();
        page.sections[0].models[0].name = "<b>&".to_owned();
        page.highest[0].when = "<b>&".to_owned();
        assert!(!page.to_html().contains("<b>"));
    }

    #[test]
    fn thresholds_keep_one_colour_each() {
        let thresholds = sample::backtest(2).thresholds();
        assert_eq!(thresholds.len(), sample::THRESHOLDS.len());
        assert_eq!(class_of(&thresholds, 200.0), "t2");
    }

    #[test]
    #[ignore = "writes sample pages for looking at"]
    fn write_sample_pages() {
        sample::write("backtest.html", &sample::backtest(6).to_html());
    }
}
