//! Percentiles of samples, and what to say of several runs.
use std::time::Duration;

/// What one run of a latency measurement gave.
#[derive(Debug, Clone, Copy)]
pub struct Latency {
    /// Half the samples are below.
    pub p50: Duration,
    /// 95 of 100 samples are below.
    pub p95: Duration,
    /// 99 of 100 samples are below.
    pub p99: Duration,
}

impl Latency {
    /// Nothing if there are no samples.
    pub fn of(mut samples: Vec<Duration>) -> Option<Self> {
        samples.sort_unstable();
        let at = |percent: usize| {
            samples
                .get((samples.len() * percent / 100).min(samples.len() - 1))
                .copied()
        };
        (!samples.is_empty()).then(|| {
            Some(Self {
                p50: at(50)?,
                p95: at(95)?,
                p99: at(99)?,
            })
        })?
    }
}

/// Several runs of one measurement.
#[derive(Debug, Clone, Copy)]
pub struct Summary {
    /// The one in the middle; the mean of the two there, if the number of runs is even.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Summary {
    /// Nothing if there was no run.
    pub fn of(runs: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut runs: Vec<f64> = runs.into_iter().collect();
        runs.sort_unstable_by(f64::total_cmp);
        let (&min, &max) = (runs.first()?, runs.last()?);
        let middle = runs.len() / 2;
        let median = if runs.len().is_multiple_of(2) {
            (runs[middle - 1] + runs[middle]) / 2.0
        } else {
            runs[middle]
        };
        Some(Self { median, min, max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples() {
        let latency = Latency::of((1..=100).rev().map(Duration::from_millis).collect()).unwrap();
        let ms = [latency.p50, latency.p95, latency.p99].map(|duration| duration.as_millis());
        assert_eq!(ms, [51, 96, 100]);
        assert!(Latency::of(Vec::new()).is_none());
        assert_eq!(
            Latency::of(vec![Duration::from_secs(1)]).unwrap().p99,
            Duration::from_secs(1)
        );
    }

    #[test]
    fn a_summary_names_the_middle_and_both_ends() {
        let summary = |runs: &[f64]| Summary::of(runs.iter().copied()).map(|s| (s.median, s.min, s.max));
        assert_eq!(summary(&[3.0, 1.0, 2.0]), Some((2.0, 1.0, 3.0)));
        assert_eq!(summary(&[4.0, 1.0, 2.0, 3.0]), Some((2.5, 1.0, 4.0)));
        assert_eq!(summary(&[]), None);
    }
}
