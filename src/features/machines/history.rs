//! From packed samples to a history of as many points as a chart has room for.
use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use protocol::api::metrics::MetricsSample;
use protocol::api::series::Sample;

use super::store::metrics::HistoryRow;

/// Most samples of one answer.
const MOST: i64 = 360;

/// What is measured at most how often, in seconds.
const MEASURED_EVERY: i64 = 60;

/// How many seconds each sample stands for, so that so many hours have at most [`MOST`].
pub fn step_seconds(hours: u32) -> u32 {
    let minutes = (i64::from(hours) * 60 + MOST - 1) / MOST;
    u32::try_from(minutes.max(1) * MEASURED_EVERY).unwrap_or(u32::MAX)
}

/// The means of what was measured from `from` on, a step at a time.
pub fn samples(rows: &[HistoryRow], from: DateTime<Utc>, step_seconds: u32) -> Vec<MetricsSample> {
    let step = i64::from(step_seconds.max(1));
    let mut steps: BTreeMap<i64, Vec<Sample>> = BTreeMap::new();
    for row in rows {
        for sample in row.samples.samples() {
            let at = row.at.timestamp() - i64::from(sample.age) - from.timestamp();
            if at >= 0 {
                steps.entry(at / step).or_default().push(*sample);
            }
        }
    }
    let mean = |(number, samples): (i64, Vec<Sample>)| {
        let at = from.checked_add_signed(TimeDelta::try_seconds(number.checked_mul(step)?)?)?;
        MetricsSample::mean(at, &samples)
    };
    steps.into_iter().filter_map(mean).collect()
}

#[cfg(test)]
mod tests {
    use protocol::api::machines::Metrics;
    use protocol::api::series::Series;

    use super::*;

    fn row(at: &str, ages: std::ops::Range<u32>, cpu: f64) -> HistoryRow {
        let metrics = Metrics {
            cpu_percent: cpu,
            network_inbound: 0.25,
            ..Metrics::default()
        };
        HistoryRow {
            at: at.parse().unwrap(),
            samples: Series::new(ages.rev().map(|minute| Sample::new(minute * 60, &metrics))),
        }
    }

    #[test]
    fn a_day_is_steps_of_four_minutes_and_a_week_of_half_an_hour() {
        assert_eq!([1, 6, 24, 168].map(step_seconds), [60, 60, 240, 28 * 60]);
    }

    #[test]
    fn each_step_is_the_mean_of_what_was_measured_in_it_and_a_gap_stays_one() {
        let rows = [
            row("2026-01-01T01:00:00Z", 0..10, 10.0),
            row("2026-01-01T01:30:00Z", 0..3, 20.0),
            row("2026-01-01T01:32:00Z", 0..1, 40.0),
        ];
        let from = "2026-01-01T00:55:00Z".parse().unwrap();
        let samples = samples(&rows, from, 300);
        let seen: Vec<_> = samples
            .iter()
            .map(|sample| (sample.at.timestamp() - from.timestamp(), sample.cpu_percent))
            .collect();
        assert_eq!(seen, [(0, 10.0), (300, 10.0), (30 * 60, 20.0), (35 * 60, 30.0)]);
        assert_eq!(samples[0].network_inbound, 0.25);
    }
}
