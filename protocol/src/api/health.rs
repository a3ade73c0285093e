//! Whether a machine does well: its figures against thresholds. Agent and relay judge by the same rule, so that one says at once what
//! the other would find.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::machines::Metrics;
use super::validate::{Faults, Validate};

/// How far below a threshold a figure must fall to count as below it again, in percentage points: one that moves about a threshold
/// would otherwise be news every minute.
const SLACK: f64 = 3.0;

/// A threshold that is never reached.
const NEVER: u8 = 100;

/// How a machine does by its thresholds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
// In the API document, `Health` is the edge's own.
#[schema(as = MachineHealth)]
pub enum Health {
    /// All figures are below their thresholds.
    #[default]
    Healthy,
    /// One is at its first threshold or above.
    Warning,
    /// One is at its second.
    Critical,
}

impl Health {
    /// The word for it, as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// From how many percent on a figure is worth a warning, and from how many on it is critical. 100 is never reached: a processor may well be
/// busy altogether.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Threshold {
    /// From 1 to 100, and at most `critical`.
    #[schema(minimum = 1, maximum = 100)]
    pub warning: u8,
    /// From 1 to 100.
    #[schema(minimum = 1, maximum = 100)]
    pub critical: u8,
}

/// The thresholds of one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Thresholds {
    /// Of processor use.
    pub cpu: Threshold,
    /// Of memory use.
    pub memory: Threshold,
    /// Of the root file system's use.
    pub disk: Threshold,
}

/// What counts until somebody says otherwise.
impl Default for Thresholds {
    fn default() -> Self {
        let at = |warning, critical| Threshold { warning, critical };
        Self {
            cpu: at(85, 95),
            memory: at(85, 95),
            disk: at(80, 90),
        }
    }
}

impl Thresholds {
    /// How a machine with these figures does that did like `before`.
    pub fn judge(&self, metrics: &Metrics, before: Health) -> Health {
        let figures = [
            (self.cpu, metrics.cpu_percent),
            (self.memory, metrics.memory_percent),
            (self.disk, metrics.disk_percent),
        ];
        let judged = figures.map(|(threshold, percent)| {
            let reaches = |limit: u8, is_there: bool| {
                let from = f64::from(limit) - if is_there { SLACK } else { 0.0 };
                limit < NEVER && percent >= from
            };
            if reaches(threshold.critical, before == Health::Critical) {
                Health::Critical
            } else if reaches(threshold.warning, before == Health::Warning) {
                Health::Warning
            } else {
                Health::Healthy
            }
        });
        judged.into_iter().max().unwrap_or_default()
    }
}

impl Validate for Thresholds {
    fn validate(&self, faults: &mut Faults) {
        for (name, threshold) in [("cpu", self.cpu), ("memory", self.memory), ("disk", self.disk)] {
            let is_percent = |n: u8| (1..=100).contains(&n);
            faults.check(
                is_percent(threshold.warning) && is_percent(threshold.critical),
                format!("thresholds.{name}"),
                "must be from 1 to 100 percent",
            );
            faults.check(
                threshold.warning <= threshold.critical,
                format!("thresholds.{name}.warning"),
                "must be at most `critical`",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(percent: f64) -> Metrics {
        Metrics {
            memory_percent: percent,
            ..Metrics::default()
        }
    }

    #[test]
    fn the_worst_figure_counts() {
        let thresholds = Thresholds::default();
        for (cpu, disk, health) in [
            (84.9, 79.9, Health::Healthy),
            (85.0, 0.0, Health::Warning),
            (0.0, 90.0, Health::Critical),
            (95.0, 80.0, Health::Critical),
        ] {
            let metrics = Metrics {
                cpu_percent: cpu,
                disk_percent: disk,
                ..Metrics::default()
            };
            assert_eq!(thresholds.judge(&metrics, Health::Healthy), health, "{metrics:?}");
        }
    }

    #[test]
    fn a_figure_that_moves_about_a_threshold_is_news_once() {
        let thresholds = Thresholds::default();
        let mut health = Health::Healthy;
        let mut changes = 0;
        for percent in [84.0, 85.1, 84.9, 85.2, 83.0, 86.0, 81.9, 84.9] {
            let now = thresholds.judge(&memory(percent), health);
            changes += usize::from(now != health);
            health = now;
        }
        assert_eq!((changes, health), (2, Health::Healthy));
    }

    #[test]
    fn from_critical_the_way_back_leads_through_a_warning() {
        let thresholds = Thresholds::default();
        let after = |percent| thresholds.judge(&memory(percent), Health::Critical);
        assert_eq!(after(92.0), Health::Critical);
        assert_eq!(after(91.9), Health::Warning);
        assert_eq!(after(50.0), Health::Healthy);
    }

    #[test]
    fn a_threshold_is_a_percentage_and_a_warning_comes_first() {
        let fields = crate::api::validate::refused_fields::<Thresholds>;
        assert!(fields("{}").is_empty());
        assert!(fields(r#"{"cpu":{"warning":100,"critical":100}}"#).is_empty());
        assert_eq!(
            fields(r#"{"cpu":{"warning":0,"critical":90},"disk":{"warning":91,"critical":90}}"#),
            ["thresholds.cpu", "thresholds.disk.warning"]
        );
    }
}
