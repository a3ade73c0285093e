//! The history of a machine's figures.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::series::Sample;
use crate::ids::AgentId;

/// For how many hours what was measured is kept: a week.
pub const HISTORY_HOURS: u32 = 7 * 24;

/// How a machine did around one moment: means of what was measured then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MetricsSample {
    /// Where that time begins.
    pub at: DateTime<Utc>,
    /// Processor use in percent of all cores.
    pub cpu_percent: f64,
    /// Memory use in percent.
    pub memory_percent: f64,
    /// Use of the root file system in percent.
    pub disk_percent: f64,
    /// Received, in MB/s.
    pub network_inbound: f64,
    /// Sent, in MB/s.
    pub network_outbound: f64,
}

/// The history of a machine's figures, the oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MetricsHistory {
    /// The machine's public name.
    pub agent_id: AgentId,
    /// Where it begins.
    pub from: DateTime<Utc>,
    /// Where it ends.
    pub to: DateTime<Utc>,
    /// How many seconds each sample stands for. A time in which nothing was measured has none.
    pub step_seconds: u32,
    /// At most 360 of them.
    pub samples: Vec<MetricsSample>,
}

impl MetricsSample {
    /// The means of some samples; nothing if there are none.
    pub fn mean(at: DateTime<Utc>, samples: &[Sample]) -> Option<Self> {
        if samples.is_empty() {
            return None;
        }
        // Two digits behind the point of a percentage are more than was measured.
        let mean = |of: fn(&Sample) -> f64, unit: f64| {
            let sum: f64 = samples.iter().map(of).sum();
            (sum / samples.len() as f64 * 100.0 / unit).round() / 100.0
        };
        let megabytes = |of: fn(&Sample) -> f64| {
            let sum: f64 = samples.iter().map(of).sum();
            (sum / samples.len() as f64).round() / 1000.0
        };
        Some(Self {
            at,
            cpu_percent: mean(|sample| sample.cpu.into(), 10.0),
            memory_percent: mean(|sample| sample.memory.into(), 10.0),
            disk_percent: mean(|sample| sample.disk.into(), 10.0),
            network_inbound: megabytes(|sample| sample.inbound.into()),
            network_outbound: megabytes(|sample| sample.outbound.into()),
        })
    }
}
