//! The morning page: lays out a [`ForecastPage`] and draws its charts.
//!
//! The words around the charts are in the template `forecast.html`; here is only what is computed.

use askama::Template;

use super::colour;
use super::dot_chart::{self, Dot, DotGroup, Emphasis};
use super::forecast_view::{ForecastPage, PointView, Quality, TrackRecord};
use super::format::{self, filters};
use super::meteogram::Panels;
use super::scale::Axis;
use super::strip;

#[derive(Template)]
#[template(path = "forecast.html")]
struct Layout<'a> {
    page: &'a ForecastPage,
    headline: String,
    reference: f64,
    colours: String,
    class_labels: &'static [&'static str],
    days: Vec<&'a str>,
    overview: Vec<OverviewRow<'a>>,
    clock: String,
    points: Vec<PointSection<'a>>,
    skill_chart: String,
}

/// One settlement point in the overview.
struct OverviewRow<'a> {
    settlement_point: &'a str,
    strips: Vec<DayPicture>,
}

/// One settlement point in detail.
struct PointSection<'a> {
    settlement_point: &'a str,
    view: &'a PointView,
    panels: Vec<DayPicture>,
}

/// A picture of one day under its name.
struct DayPicture {
    day: String,
    picture: String,
}

impl ForecastPage {
    /// Returns the page as one self-contained HTML file.
    pub fn to_html(&self) -> String {
        let days = self.points.first().map_or_else(Vec::new, |point| {
            point.days.iter().map(|day| day.label.as_str()).collect()
        });
        let layout = Layout {
            page: self,
            headline: self.headline(),
            reference: self.reference(),
            colours: colour::definitions(self.thresholds.len()),
            class_labels: colour::class_labels(),
            days,
            overview: self.points.iter().map(|point| self.overview_row(point)).collect(),
            clock: strip::draw_clock(),
            points: self.points.iter().map(|point| self.point_section(point)).collect(),
            skill_chart: self.skill_chart(),
        };
        layout.render().expect("rendering to a string cannot fail")
    }

    fn overview_row<'a>(&self, point: &'a PointView) -> OverviewRow<'a> {
        let settlement_point = point.settlement_point.as_str();
        let strips = point.days.iter().map(|day| DayPicture {
            day: day.label.clone(),
            picture: strip::draw(settlement_point, day, self.reference_threshold),
        });
        OverviewRow { settlement_point, strips: strips.collect() }
    }

    fn point_section<'a>(&self, point: &'a PointView) -> PointSection<'a> {
        let panels = Panels {
            settlement_point: &point.settlement_point,
            thresholds: &self.thresholds,
            reference_threshold: self.reference_threshold,
            // One axis for all days of a settlement point, so that days can be compared.
            axis: Axis::of_probability(point.highest(self.reference_threshold)),
        };
        let pictures = point.days.iter().map(|day| DayPicture {
            day: format!("{} · lead day {}", day.label, day.lead_day),
            picture: panels.day(day),
        });
        PointSection {
            settlement_point: &point.settlement_point,
            view: point,
            panels: pictures.collect(),
        }
    }

    fn skill_chart(&self) -> String {
        let groups: Vec<DotGroup> = self
            .skill
            .iter()
            .enumerate()
            .map(|(index, row)| DotGroup {
                label: format::dollars(row.threshold),
                class: format!("t{index}"),
                dots: vec![Dot {
                    label: String::new(),
                    emphasis: Emphasis::Main,
                    estimate: row.skill,
                }],
            })
            .collect();
        dot_chart::draw("Log-loss skill against climatology by threshold", &groups)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::super::svg::escape;
    use super::*;

    #[test]
    fn the_page_fetches_nothing() {
        let html = sample::forecast().to_html();
        sample::assert_self_contained(&html);
    }

    #[test]
    fn every_point_day_and_threshold_is_on_the_page() {
        let page = sample::forecast();
        let html = page.to_html();
        for point in &page.points {
            assert_eq!(html.matches("<h2 id=\"point-").count(), page.points.len());
            assert!(html.contains(&format!(">{}</h2>", point.settlement_point)));
        }
        for threshold in &page.thresholds {
            assert!(html.contains(&format!("above {}<", format::dollars(*threshold))));
        }
        let days: usize = page.points.iter().map(|point| point.days.len()).sum();
        assert_eq!(html.matches("<figure><h4>").count(), days);
        assert_eq!(html.matches("class=\"strip\"").count(), days);
        assert_eq!(html.matches("class=\"hit\"").count(), days * 24);
        assert!(html.contains(&page.headline()));
        for term in &page.terms {
            assert!(html.contains(&escape(&term.meaning)));
        }
    }

    #[test]
    fn names_from_outside_stay_text() {
        let mut page = sample::forecast();
        page.points[0].settlement_point = "<b>&".to_owned();
        page.points[0].days[0].label = "\"><script>alert(1)</script>".to_owned();
        page.quality = Quality::Degraded { reasons: vec!["<i>late</i>".to_owned()] };
        let html = page.to_html();
        assert!(!html.contains("<b>") && !html.contains("<i>late"));
        assert_eq!(html.matches("<script").count(), 1, "only our own");
    }

    #[test]
    fn a_degraded_forecast_says_why() {
        let mut page = sample::forecast();
        assert!(!page.to_html().contains("badge degraded"));
        page.quality = Quality::Degraded { reasons: vec!["wind forecast is 26 h old".to_owned()] };
        let html = page.to_html();
        assert!(html.contains("badge degraded") && html.contains("wind forecast is 26 h old"));
    }

    #[test]
    fn a_track_record_is_a_table_or_a_sentence() {
        let mut page = sample::forecast();
        assert!(page.to_html().contains("Climatology</th>"));
        page.track_record = TrackRecord::NoneScored {
            sentence: "No issued forecast has met its prices yet.".into(),
        };
        let html = page.to_html();
        assert!(html.contains("No issued forecast has met its prices yet."));
        assert!(!html.contains("Climatology</th>"));
    }

    #[test]
    fn an_empty_forecast_is_still_a_page() {
        let page = ForecastPage { points: vec![], skill: vec![], ..sample::forecast() };
        assert!(page.to_html().contains("There is no forecast to show."));
    }

    #[test]
    #[ignore = "writes sample pages for looking at"]
    fn write_sample_pages() {
        sample::write("forecast.html", &sample::forecast().to_html());
        sample::write("forecast-degraded.html", &sample::forecast_degraded().to_html());
    }
}
