//! What agents say of their machines, made to fit where it comes in: every list carries it, D1 has to take it, and people read it
//! in terminals. A fact that does not fit is cut and not refused, for a machine is not shut out because of an odd host name.
//! Serde calls these functions, so that nothing is decoded past them.
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::machines::{MAX_METADATA, MAX_METADATA_BYTES, MAX_METADATA_NAME, MAX_METADATA_VALUE};

/// Longest text of one fact, in characters.
pub const MAX_FACT: usize = 255;

/// Longest time since a start that is believed, in seconds: a hundred years. D1 takes whole numbers up to 2⁵³.
pub const MAX_UPTIME: u64 = 100 * 365 * 86_400;

/// Fastest network that is believed, in MB/s: a hundred times the fastest there are.
pub const MAX_NETWORK: f64 = 10_000_000.0;

/// A fact: one line of at most `max` characters, without control characters.
fn line(text: &str, max: usize) -> String {
    let visible = text.trim().chars().filter(|c| !c.is_control());
    visible.take(max).collect()
}

/// A text of an agent's.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map(|text| line(&text, MAX_FACT))
}

/// Facts by their names: as many, in the order of their names, as fit.
pub fn metadata<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    BTreeMap::deserialize(deserializer).map(fitting)
}

fn fitting(facts: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let lines = facts
        .into_iter()
        .map(|(name, value)| (line(&name, MAX_METADATA_NAME), line(&value, MAX_METADATA_VALUE)));
    let mut kept = BTreeMap::new();
    let mut bytes = 0;
    for (name, value) in lines.filter(|(name, _)| !name.is_empty()) {
        bytes += name.len() + value.len();
        if bytes > MAX_METADATA_BYTES || kept.len() == MAX_METADATA {
            break;
        }
        kept.insert(name, value);
    }
    kept
}

/// A share in percent.
pub fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    f64::deserialize(deserializer).map(|number| within(number, 100.0))
}

/// A rate in MB/s.
pub fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    f64::deserialize(deserializer).map(|number| within(number, MAX_NETWORK))
}

/// Seconds since a start.
pub fn uptime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    u64::deserialize(deserializer).map(|seconds| seconds.min(MAX_UPTIME))
}

/// The nearest number from 0 to `max`.
fn within(number: f64, max: f64) -> f64 {
    // What is no number is nothing.
    match number.is_nan() {
        true => 0.0,
        false => number.clamp(0.0, max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::machines::Metrics;

    fn metrics(cpu: &str, network: &str, uptime: &str) -> Metrics {
        let text = format!(
            r#"{{"cpu_percent":{cpu},"memory_percent":{cpu},"disk_percent":{cpu},"network_inbound":{network},
            "network_outbound":{network},"uptime_seconds":{uptime}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn numbers_are_what_they_can_be() {
        let odd = metrics("-5", "-1", "18446744073709551615");
        assert_eq!(
            (odd.cpu_percent, odd.network_inbound, odd.uptime_seconds),
            (0.0, 0.0, MAX_UPTIME)
        );
        let odd = metrics("1e300", "1e300", "0");
        assert_eq!((odd.memory_percent, odd.network_outbound), (100.0, MAX_NETWORK));
        let usual = metrics("12.5", "0.25", "86400");
        assert_eq!(
            (usual.disk_percent, usual.network_inbound, usual.uptime_seconds),
            (12.5, 0.25, 86_400)
        );
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0] {
            assert!((0.0..=100.0).contains(&within(number, 100.0)), "{number}");
        }
    }

    #[test]
    fn metadata_is_as_much_as_a_list_can_carry() {
        let many = (0..5000)
            .map(|n| (format!("name-{n:04}"), "v".repeat(200 * 1024)))
            .collect();
        let kept = fitting(many);
        let bytes: usize = kept.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(bytes <= MAX_METADATA_BYTES && kept.len() <= MAX_METADATA, "{bytes}");
        assert!(!kept.is_empty() && kept.values().all(|value| value.len() == MAX_METADATA_VALUE));
        let few = BTreeMap::from([("rack".to_owned(), "7".to_owned())]);
        assert_eq!(fitting(few.clone()), few);
        let odd = BTreeMap::from([
            ("a\u{1b}[2J\nb".to_owned(), " x\u{0}\u{7}y\u{9b} ".to_owned()),
            ("\u{1}".to_owned(), "no name is left".to_owned()),
        ]);
        assert_eq!(fitting(odd), BTreeMap::from([("a[2Jb".to_owned(), "xy".to_owned())]));
        assert_eq!(fitting(kept.clone()), kept, "again changes nothing");
    }

    #[test]
    fn a_text_is_one_line_that_a_terminal_can_show() {
        assert_eq!(line("  web\u{1b}]0;x\u{7}\r\n-1  ", MAX_FACT), "web]0;x-1");
        assert_eq!(line(&"ü".repeat(5000), MAX_FACT).chars().count(), MAX_FACT);
    }
}
