//! Samples of a machine's figures, packed: a column for each figure, in whole numbers. An hour of them is about a kilobyte and a half of
//! JSON, on the agent's link and in the database.
use serde::{Deserialize, Serialize};

use super::machines::Metrics;

/// Most samples of one series: an hour of them, one a minute.
pub const MAX_SAMPLES: usize = 60;

/// The oldest sample that an agent may send, in seconds: one that it could not send for a day is not missed.
pub const MAX_AGE: u32 = 24 * 3600;

/// Samples, the oldest first. Exists only within its bounds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Columns", into = "Columns")]
pub struct Series(Vec<Sample>);

/// One sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sample {
    /// How many seconds before the series was sent it was taken.
    pub age: u32,
    /// Processor use, in tenths of a percent.
    pub cpu: u16,
    /// Memory use, in tenths of a percent.
    pub memory: u16,
    /// Use of the root file system, in tenths of a percent.
    pub disk: u16,
    /// Received, in kB/s.
    pub inbound: u32,
    /// Sent, in kB/s.
    pub outbound: u32,
}

impl Sample {
    /// A sample of so many seconds ago.
    pub fn new(age: u32, metrics: &Metrics) -> Self {
        // A float becomes the nearest number that there is.
        let tenths = |percent: f64| (percent * 10.0).round() as u16;
        let kilobytes = |megabytes: f64| (megabytes * 1000.0).round() as u32;
        Self {
            age,
            cpu: tenths(metrics.cpu_percent),
            memory: tenths(metrics.memory_percent),
            disk: tenths(metrics.disk_percent),
            inbound: kilobytes(metrics.network_inbound),
            outbound: kilobytes(metrics.network_outbound),
        }
    }
}

impl Series {
    /// The newest of so many samples, which come in order, the oldest first.
    pub fn new(samples: impl DoubleEndedIterator<Item = Sample>) -> Self {
        let mut newest: Vec<Sample> = samples.rev().take(MAX_SAMPLES).collect();
        newest.reverse();
        Self(newest)
    }

    /// The samples.
    pub fn samples(&self) -> &[Sample] {
        &self.0
    }
}

/// How a series is written.
#[derive(Serialize, Deserialize)]
struct Columns {
    ages: Vec<u32>,
    cpu: Vec<u16>,
    memory: Vec<u16>,
    disk: Vec<u16>,
    inbound: Vec<u32>,
    outbound: Vec<u32>,
}

impl From<Series> for Columns {
    fn from(Series(samples): Series) -> Self {
        let column = |of: fn(&Sample) -> u16| samples.iter().map(of).collect();
        let wide = |of: fn(&Sample) -> u32| samples.iter().map(of).collect();
        Self {
            ages: wide(|sample| sample.age),
            cpu: column(|sample| sample.cpu),
            memory: column(|sample| sample.memory),
            disk: column(|sample| sample.disk),
            inbound: wide(|sample| sample.inbound),
            outbound: wide(|sample| sample.outbound),
        }
    }
}

impl TryFrom<Columns> for Series {
    type Error = &'static str;

    fn try_from(columns: Columns) -> Result<Self, &'static str> {
        let Columns {
            ages,
            cpu,
            memory,
            disk,
            inbound,
            outbound,
        } = columns;
        let lengths = [cpu.len(), memory.len(), disk.len(), inbound.len(), outbound.len()];
        if lengths.iter().any(|length| *length != ages.len()) {
            return Err("all columns must have as many samples");
        }
        if ages.len() > MAX_SAMPLES {
            return Err("a series has at most 60 samples");
        }
        if ages.iter().any(|age| *age > MAX_AGE) {
            return Err("a sample is at most a day old");
        }
        let rows = ages
            .into_iter()
            .zip(cpu)
            .zip(memory)
            .zip(disk)
            .zip(inbound)
            .zip(outbound);
        let samples = rows.map(|(((((age, cpu), memory), disk), inbound), outbound)| Sample {
            age,
            cpu: cpu.min(1000),
            memory: memory.min(1000),
            disk: disk.min(1000),
            inbound,
            outbound,
        });
        let mut samples: Vec<Sample> = samples.collect();
        samples.sort_by_key(|sample| std::cmp::Reverse(sample.age));
        Ok(Self(samples))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Series {
        let metrics = Metrics {
            cpu_percent: 12.34,
            memory_percent: 100.0,
            disk_percent: 71.0,
            network_inbound: 0.5,
            network_outbound: 12_345.678_9,
            uptime_seconds: 1,
        };
        Series::new((0..100).rev().map(|n| Sample::new(n * 60, &metrics)))
    }

    #[test]
    fn an_hour_is_written_in_two_kilobytes_and_read_back() {
        let series = full();
        assert_eq!(series.samples().len(), MAX_SAMPLES);
        assert_eq!((series.samples()[0].age, series.samples()[59].age), (59 * 60, 0));
        assert_eq!((series.samples()[0].cpu, series.samples()[0].inbound), (123, 500));
        let text = serde_json::to_string(&series).unwrap();
        assert!(text.len() < 2048, "{}", text.len());
        assert_eq!(serde_json::from_str::<Series>(&text).unwrap(), series);
    }

    #[test]
    fn a_series_out_of_its_bounds_is_refused() {
        let read = |ages: &str, cpu: &str| {
            let text = format!(
                r#"{{"ages":{ages},"cpu":{cpu},"memory":{cpu},"disk":{cpu},"inbound":{cpu},"outbound":{cpu}}}"#
            );
            serde_json::from_str::<Series>(&text)
        };
        assert!(read("[]", "[]").unwrap().samples().is_empty());
        assert_eq!(
            read("[0,60]", "[9999,1]").unwrap().samples()[1].cpu,
            1000,
            "in order, and a percentage"
        );
        assert!(read("[0]", "[]").is_err());
        assert!(read("[86401]", "[1]").is_err());
        let many = serde_json::to_string(&vec![1; MAX_SAMPLES + 1]).unwrap();
        assert!(read(&many, &many).is_err());
    }
}
