//! What a forecast wants of ERCOT: what the archive lacks up to the issue time.

use jiff::{SignedDuration, Timestamp};
use market::archive::Archive;
use market::observation::SeriesKey;
use market::reports::Report;

use crate::jobs::fetch::WantedSpan;

/// What is older than this is left to `spikecast fetch`, which is not in a hurry.
const REACH: SignedDuration = SignedDuration::from_hours(24 * 31);
/// So much is fetched into an empty archive: what the MIS lists, and a little more.
const FIRST: SignedDuration = SignedDuration::from_hours(24 * 8);
/// What came late or was corrected lies within this span before the newest publication.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24 * 2);

/// Returns what to fetch, so that the archive has what was published by the issue time. Of a series
/// that cannot be read it is what goes into an empty archive: whoever reads it finds it broken and
/// has it repaired, and no run shall fail for that before it has begun.
pub fn wanted(archive: &Archive, keys: &[SeriesKey], issue_time: Timestamp) -> Vec<WantedSpan> {
    let mut wanted = Vec::new();
    for key in keys.iter().filter(|key| Report::publishing(key).is_some()) {
        let newest = archive.newest_publication(key).ok().flatten();
        let newest = newest.filter(|newest| *newest <= issue_time);
        let from = match newest {
            Some(newest) => (newest - OVERLAP).max(issue_time - REACH),
            None => issue_time - FIRST,
        };
        wanted.push(WantedSpan { key: key.into(), from, to: issue_time });
    }
    wanted
}

#[cfg(test)]
mod tests {
    use market::archive::Batch;
    use market::observation::{Observation, Series};
    use market::place::SettlementPoint;

    use super::*;
    use crate::data_dir::DataDir;

    #[test]
    fn what_is_archived_is_asked_for_again_only_where_it_may_have_been_corrected() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::open(&DataDir::new(folder.path()).archive("ercot")).unwrap();
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let issue_time = at("2026-03-10T11:00:00Z");
        let point = SettlementPoint::new("HB_WEST").unwrap();
        let prices = SeriesKey::at(Series::RealTimeLmp, &point);
        let from = |archive: &Archive, key: &SeriesKey, issue_time: Timestamp| {
            let wanted = wanted(archive, std::slice::from_ref(key), issue_time);
            wanted.first().map(|span| (span.from, span.to))
        };
        let eight_days_before = at("2026-03-02T11:00:00Z");
        assert_eq!(from(&archive, &prices, issue_time), Some((eight_days_before, issue_time)));
        let mut batch = Batch::new("ercot", issue_time);
        let published_at = at("2026-03-09T12:00:00Z");
        let interval_start = at("2026-03-09T11:55:00Z");
        batch.add(&prices, vec![Observation { interval_start, published_at, value: 25.0 }]);
        archive.commit(&batch).unwrap();
        assert_eq!(
            from(&archive, &prices, issue_time),
            Some((at("2026-03-07T12:00:00Z"), issue_time))
        );
        let much_later = at("2026-06-10T11:00:00Z");
        assert_eq!(
            from(&archive, &prices, much_later),
            Some((at("2026-05-10T11:00:00Z"), much_later))
        );
        // ERCOT publishes no observed temperatures.
        assert_eq!(from(&archive, &SeriesKey::system(Series::Temperature), issue_time), None);
    }
}
