//! The text format of Prometheus, version 0.0.4.
use std::fmt::Write;

use super::gauges::{Figure, Kind, Sample};

/// What it is called in an answer.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The figures with their samples, in the order of both.
pub fn page(figures: &[Figure], samples: &[Vec<Sample>]) -> String {
    let mut text = String::new();
    for (figure, samples) in figures.iter().zip(samples) {
        head(&mut text, figure.name, figure.kind, figure.help);
        for sample in samples {
            if let Some(value) = sample.value {
                line(&mut text, figure.name, figure.label, &sample.label, value);
            }
        }
    }
    text
}

/// What is known of the deployment without its tables.
pub fn deployment(text: &mut String, version: &str, database_bytes: Option<u64>) {
    head(
        text,
        "vsay_build_info",
        Kind::Gauge,
        "The version that answers; always 1.",
    );
    line(text, "vsay_build_info", "version", version, 1.0);
    head(text, "vsay_database_bytes", Kind::Gauge, "Size of the database.");
    if let Some(bytes) = database_bytes {
        line(text, "vsay_database_bytes", "", "", bytes as f64);
    }
}

fn head(text: &mut String, name: &str, kind: Kind, help: &str) {
    let kind = match kind {
        Kind::Gauge => "gauge",
        Kind::Counter => "counter",
    };
    // Writing to a text does not fail.
    let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", escaped(help));
}

fn line(text: &mut String, name: &str, label: &str, is: &str, value: f64) {
    let _ = match label {
        "" => writeln!(text, "{name} {value}"),
        _ => writeln!(
            text,
            "{name}{{{label}=\"{}\"}} {value}",
            escaped(is).replace('"', "\\\"")
        ),
    };
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::super::gauges::GAUGES;
    use super::*;

    #[test]
    fn a_sample_is_a_line_below_what_it_is() {
        let mut text = String::new();
        head(&mut text, "vsay_x", Kind::Gauge, "An \\ and\na line.");
        line(&mut text, "vsay_x", "", "", 1.5);
        line(&mut text, "vsay_x", "state", "a \"b\" \\ \n", 3.0);
        let wanted = "# HELP vsay_x An \\\\ and\\na line.\n# TYPE vsay_x gauge\nvsay_x 1.5\nvsay_x{state=\"a \\\"b\\\" \\\\ \\n\"} 3\n";
        assert_eq!(text, wanted);
    }

    #[test]
    fn a_figure_without_a_value_says_only_what_it_is() {
        let samples = |value| {
            vec![Sample {
                label: String::new(),
                value,
            }]
        };
        let of = |value| page(&GAUGES[1..2], &[samples(value)]);
        assert!(of(Some(2.0)).ends_with("gauge\nvsay_agents_connected 2\n"));
        assert!(of(None).ends_with("# TYPE vsay_agents_connected gauge\n"));
    }
}
