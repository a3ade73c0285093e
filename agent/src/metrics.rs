//! How the machine does.
use std::collections::BTreeMap;
use std::time::Instant;

use nix::sys::statvfs::statvfs;
use protocol::api::machines::Metrics;
use sysinfo::{Networks, System};

/// Measures the machine. Rates are over the time since the sample before. What the system does not tell counts as 0.
#[derive(Debug)]
pub struct Sampler {
    system: Option<System>,
    networks: Option<Networks>,
    at: Instant,
}

impl Sampler {
    /// Takes the first sample, for the rates of the next.
    pub fn new() -> Self {
        let mut system = known(System::new());
        if let Some(system) = &mut system {
            system.refresh_cpu_usage();
        }
        Self {
            system,
            networks: known(Networks::new_with_refreshed_list()),
            at: Instant::now(),
        }
    }

    /// Takes a sample. It reads files of the kernel, and a file system that hangs may hold it up: call it off the
    /// runtime's thread.
    pub fn sample(&mut self) -> Metrics {
        let seconds = std::mem::replace(&mut self.at, Instant::now()).elapsed().as_secs_f64();
        let mut metrics = Metrics {
            disk_percent: root_disk_percent(),
            uptime_seconds: known(System::uptime()).unwrap_or_default(),
            ..Metrics::default()
        };
        if let Some(system) = &mut self.system {
            system.refresh_cpu_usage();
            system.refresh_memory();
            metrics.cpu_percent = percent(f64::from(system.global_cpu_usage()), 100.0);
            metrics.memory_percent = percent(system.used_memory() as f64, system.total_memory() as f64);
        }
        if let Some(networks) = &mut self.networks {
            networks.refresh(true);
            // What programs on this machine say to each other is no network traffic.
            for (_, data) in networks.iter().filter(|(name, _)| *name != "lo") {
                metrics.network_inbound += rate(data.received(), seconds);
                metrics.network_outbound += rate(data.transmitted(), seconds);
            }
        }
        metrics
    }
}

fn known<T>(value: Result<T, sysinfo::Error>) -> Option<T> {
    value
        .inspect_err(|error| tracing::debug!(%error, "the system does not tell a metric"))
        .ok()
}

impl Default for Sampler {
    fn default() -> Self {
        Self::new()
    }
}

/// Platform, version and architecture, such as `Debian GNU/Linux 12 x86_64`.
pub fn operating_system() -> String {
    let parts = [
        known(System::name()),
        known(System::os_version()),
        Some(System::cpu_arch()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The machine's name for itself.
pub fn hostname() -> String {
    known(System::host_name()).unwrap_or_else(|| "unknown".to_owned())
}

/// Facts that hold until the machine is changed.
pub fn facts() -> BTreeMap<String, String> {
    let mut facts = BTreeMap::from([("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
    if let Ok(cores) = std::thread::available_parallelism() {
        facts.insert("cpu_cores".to_owned(), cores.to_string());
    }
    if let Some(mut system) = known(System::new()) {
        system.refresh_memory();
        facts.insert(
            "mem_total_mb".to_owned(),
            (system.total_memory() / (1024 * 1024)).to_string(),
        );
    }
    facts
}

/// As `df` counts: what users cannot have is neither used nor free.
fn root_disk_percent() -> f64 {
    statvfs("/").map_or(0.0, |disk| {
        let used = disk.blocks().saturating_sub(disk.blocks_free());
        percent(used as f64, used.saturating_add(disk.blocks_available()) as f64)
    })
}

fn percent(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        (100.0 * part / whole).clamp(0.0, 100.0)
    } else {
        0.0
    }
}

fn rate(bytes: u64, seconds: f64) -> f64 {
    const MEGABYTE: f64 = 1_000_000.0;
    if seconds > 0.0 {
        bytes as f64 / MEGABYTE / seconds
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_within_its_bounds() {
        let mut sampler = Sampler::new();
        let metrics = sampler.sample();
        for percent in [metrics.cpu_percent, metrics.memory_percent, metrics.disk_percent] {
            assert!((0.0..=100.0).contains(&percent), "{metrics:?}");
        }
        assert!(
            metrics.memory_percent > 0.0 && metrics.disk_percent > 0.0 && metrics.uptime_seconds > 0,
            "{metrics:?}"
        );
        assert!(metrics.network_inbound >= 0.0 && metrics.network_outbound >= 0.0);
    }

    #[test]
    fn a_rate_over_no_time_is_nothing() {
        assert_eq!(rate(5_000_000, 0.0), 0.0);
        assert_eq!(rate(5_000_000, 2.0), 2.5);
        assert_eq!(percent(1.0, 0.0), 0.0);
    }

    #[test]
    fn the_operating_system_is_named_with_its_architecture() {
        assert!(
            operating_system().ends_with(std::env::consts::ARCH),
            "{}",
            operating_system()
        );
    }
}
