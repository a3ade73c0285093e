//! When a schedule runs: cron expressions in time zones, which `cron.js` reads. Neither the rules nor the zones are part of the program.
use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use protocol::api::schedules::NextRun;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::platform::error::ApiError;

#[wasm_bindgen(module = "/src/features/schedules/cron.js")]
extern "C" {
    #[wasm_bindgen(js_name = faultOf)]
    fn fault_of(cron: &str) -> Option<String>;

    #[wasm_bindgen(js_name = isTimeZone)]
    fn is_time_zone(name: &str) -> bool;

    #[wasm_bindgen(js_name = nextRuns)]
    fn next_runs(cron: &str, time_zone: &str, after: f64, count: u32) -> Vec<f64>;
}

/// The next times after one, `count` at most. The error names the field that is wrong.
pub fn check(cron: &str, time_zone: &str, after: DateTime<Utc>, count: u32) -> Result<Vec<NextRun>, ApiError> {
    if let Some(fault) = fault_of(cron) {
        return Err(ApiError::invalid_field("cron", fault));
    }
    if !is_time_zone(time_zone) {
        let rule = "must be the name of a time zone, such as UTC or Europe/Berlin";
        return Err(ApiError::invalid_field("time_zone", rule));
    }
    let runs = runs(&next_runs(cron, time_zone, after.timestamp_millis() as f64, count));
    match runs.is_empty() {
        true => Err(never()),
        false => Ok(runs),
    }
}

/// The next time after one. The error names the field that is wrong.
pub fn next(cron: &str, time_zone: &str, after: DateTime<Utc>) -> Result<DateTime<Utc>, ApiError> {
    let runs = check(cron, time_zone, after, 1)?;
    runs.first().map(|run| run.at).ok_or_else(never)
}

fn never() -> ApiError {
    ApiError::invalid_field("cron", "must come at some time")
}

/// Times as they come from there: milliseconds since the epoch, and how many minutes the zone is ahead of UTC.
fn runs(pairs: &[f64]) -> Vec<NextRun> {
    let run = |pair: &[f64]| {
        let &[instant, ahead] = pair else { return None };
        let at = DateTime::from_timestamp_millis(instant as i64)?;
        let zone = FixedOffset::east_opt(ahead as i32 * 60)?;
        let local = at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, false);
        Some(NextRun { at, local })
    };
    pairs.chunks_exact(2).filter_map(run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_they_are_there() {
        let said = runs(&[1_767_225_600_000.0, 60.0, 1_767_225_600_000.0, -570.0, 1.0]);
        let said: Vec<&str> = said.iter().map(|run| run.local.as_str()).collect();
        assert_eq!(said, ["2026-01-01T01:00:00+01:00", "2025-12-31T14:30:00-09:30"]);
        assert!(runs(&[f64::INFINITY, 0.0]).is_empty());
    }
}
