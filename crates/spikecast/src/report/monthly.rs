//! Skill month by month: bars up where the forecast beat climatology, down where it lost, with the
//! number of exceedances beneath, because a month without any says little.

use super::backtest_view::{MonthSkill, MonthlySkill};
use super::dot_chart::{SKILL_AXIS_FLOOR, tick_label};
use super::format;
use super::scale::{Axis, Scale, as_f64};
use super::svg::{Anchor, Area, Canvas, Place};

const WIDTH: f64 = 400.0;
const PLOT: Area = Area { x: 36.0, y: 12.0, width: 358.0, height: 130.0 };

/// More names than this do not fit side by side.
const NAMES_MAX: usize = 14;

/// Draws one threshold.
pub(super) fn draw(monthly: &MonthlySkill, class: &str) -> String {
    let threshold = format::dollars(monthly.threshold);
    let label = format!("Log-loss skill above {threshold} month by month");
    let mut canvas = Canvas::new(WIDTH, PLOT.bottom() + 46.0, &label);
    let axis = axis_for(&monthly.months);
    let scale = axis.onto(PLOT.bottom(), PLOT.y);
    for tick in &axis.ticks {
        let y = scale.at(*tick);
        let line = if tick.abs() < 1e-9 { "zero" } else { "grid" };
        canvas.line(Place::new(PLOT.x, y), Place::new(PLOT.right(), y), line);
        canvas.text(Place::new(PLOT.x - 6.0, y + 3.5), Anchor::End, "tick", &tick_label(*tick));
    }
    let slots = as_f64(u64::try_from(monthly.months.len().max(1)).unwrap_or(u64::MAX));
    let width = PLOT.width / slots;
    let every = monthly.months.len().div_ceil(NAMES_MAX).max(1);
    let mut slot = Area { x: PLOT.x, y: PLOT.y, width, height: PLOT.height };
    let mut year = "";
    for (index, month) in monthly.months.iter().enumerate() {
        draw_bar(&mut canvas, &scale, slot, (month, class));
        let middle = slot.x + slot.width / 2.0;
        if index.is_multiple_of(every) {
            let (name, its_year) = month.label.split_once(' ').unwrap_or((&month.label, ""));
            let name: String = name.chars().take(3).collect();
            canvas.text(Place::new(middle, PLOT.bottom() + 14.0), Anchor::Middle, "tick", &name);
            if its_year != year {
                let at = Place::new(middle, PLOT.bottom() + 42.0);
                canvas.text(at, Anchor::Middle, "tick", its_year);
                year = its_year;
            }
            let count = format::count(month.exceedances);
            let at = Place::new(middle, PLOT.bottom() + 28.0);
            canvas.text(at, Anchor::Middle, "tick faint", &count);
        }
        slot.x += width;
    }
    canvas.finish()
}

fn draw_bar(canvas: &mut Canvas, scale: &Scale, slot: Area, about: (&MonthSkill, &str)) {
    let (month, class) = about;
    let Some(skill) = month.skill else { return };
    let (zero, end) = (scale.at(0.0), scale.at(skill));
    let area = Area {
        x: slot.x + 0.15 * slot.width,
        y: zero.min(end),
        width: 0.7 * slot.width,
        height: (zero - end).abs(),
    };
    let direction = if skill < 0.0 { "bar worse" } else { "bar" };
    let title = format!(
        "{}: {}, {} exceedances",
        month.label,
        format::signed_percent(skill),
        format::count(month.exceedances)
    );
    canvas.rect_with_title(area, &format!("{direction} {class}"), &title);
    if !scale.contains(skill) {
        let at = Place::new(slot.x + slot.width / 2.0, area.y + area.height - 5.0);
        let text = format!("{:.0}", 100.0 * skill).replace('-', "−");
        canvas.text(at, Anchor::Middle, "cut", &text);
    }
}

fn axis_for(months: &[MonthSkill]) -> Axis {
    let (mut lowest, mut highest) = (0.0_f64, 0.0_f64);
    for skill in months.iter().filter_map(|month| month.skill) {
        lowest = lowest.min(skill);
        highest = highest.max(skill);
    }
    Axis::of_skill(lowest.max(SKILL_AXIS_FLOOR), highest.min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn monthly(skills: &[Option<f64>]) -> MonthlySkill {
        let months = skills.iter().zip(1..).map(|(skill, number)| MonthSkill {
            label: format!("M{number:02} 2024"),
            exceedances: 7,
            skill: *skill,
        });
        MonthlySkill { threshold: 100.0, months: months.collect() }
    }

    #[test]
    fn months_without_skill_have_a_name_and_no_bar() {
        let picture = draw(&monthly(&[Some(0.1), None, Some(-0.2)]), "t1");
        assert_eq!(picture.matches("<rect").count(), 2);
        assert_eq!(picture.matches("bar worse").count(), 1);
        assert!(picture.contains(">M02<"));
        assert_eq!(picture.matches(">2024<").count(), 1, "the year is said once");
    }

    #[test]
    fn bars_below_the_floor_print_their_number() {
        assert!(draw(&monthly(&[Some(0.1), Some(-2.4)]), "t1").contains(">−240<"));
    }

    #[test]
    fn many_months_share_names_without_crowding() {
        let picture = draw(&monthly(&[Some(0.1); 36]), "t1");
        assert_eq!(picture.matches("<rect").count(), 36);
        assert_eq!(picture.matches("tick faint").count(), 12);
    }
}
