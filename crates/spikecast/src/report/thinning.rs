//! As many points as a picture can show: of every strip of paper the first, the lowest, the highest
//! and the last, which draw the same pixels as all points would (M4; Jugel et al., VLDB 2014).

use jiff::Timestamp;

/// A value at an instant.
pub(super) type Point = (Timestamp, f64);

/// Returns at most four points for each of `strips` equal spans of `[from, to)`, in order; few
/// points stay as they are.
pub(super) fn thinned(
    points: &[Point],
    (from, to): (Timestamp, Timestamp),
    strips: u32,
) -> Vec<Point> {
    let span = (to - from).as_secs_f64().max(1.0);
    let strip_of = |point: &Point| {
        let share = (point.0 - from).as_secs_f64() / span;
        #[expect(clippy::cast_possible_truncation, reason = "between 0 and the number of strips")]
        let strip = (share * f64::from(strips)).floor() as i64;
        strip
    };
    let mut kept = Vec::new();
    for strip in points.chunk_by(|a, b| strip_of(a) == strip_of(b)) {
        kept.extend(extremes(strip));
    }
    kept
}

/// Returns the first, lowest, highest and last point of a strip, each once, in order.
fn extremes(strip: &[Point]) -> impl Iterator<Item = Point> + '_ {
    let last = strip.len().saturating_sub(1);
    let by_value = |a: &(usize, &Point), b: &(usize, &Point)| a.1.1.total_cmp(&b.1.1);
    let index = |found: Option<(usize, &Point)>| found.map_or(0, |(index, _)| index);
    let lowest = index(strip.iter().enumerate().min_by(by_value));
    let highest = index(strip.iter().enumerate().max_by(by_value));
    let mut wanted = [0, lowest, highest, last];
    wanted.sort_unstable();
    let mut previous = None;
    wanted.into_iter().filter_map(move |index| {
        let is_new = previous.replace(index) != Some(index);
        strip.get(index).filter(|_| is_new).copied()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[f64]) -> Vec<Point> {
        let at = |second| Timestamp::from_second(second).unwrap();
        (0..).zip(values).map(|(second, &value)| (at(second), value)).collect()
    }

    fn span(points: &[Point]) -> (Timestamp, Timestamp) {
        (points[0].0, points[points.len() - 1].0 + jiff::SignedDuration::from_secs(1))
    }

    #[test]
    fn the_spike_between_two_pixels_is_kept() {
        let all = points(&[1.0, 2.0, 900.0, 2.0, -5.0, 3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
        let kept: Vec<f64> = thinned(&all, span(&all), 2).into_iter().map(|it| it.1).collect();
        assert_eq!(kept, [1.0, 900.0, -5.0, 3.0, 1.0, 1.0]);
    }

    #[test]
    fn few_points_stay_as_they_are() {
        let all = points(&[1.0, 2.0, 3.0]);
        assert_eq!(thinned(&all, span(&all), 100), all);
        assert!(thinned(&[], (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH), 100).is_empty());
    }
}
