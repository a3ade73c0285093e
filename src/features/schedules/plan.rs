//! What a schedule shall be: what a request says of it and what it was before, checked against its service as that is now.
use chrono::{DateTime, Utc};
use protocol::api::schedules::{Missed, Overlap, SaveSchedule, ScheduleAction};
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;
use serde_json::{Map, Value};

use super::row::FoundSchedule;
use crate::auth::caller::Caller;
use crate::features::jobs::{DeployRight, Wanted};
use crate::platform::db::{Arg, stored};
use crate::platform::error::ApiError;
use crate::platform::secrets::SealingKey;

/// The time zone of a schedule of which nobody says it.
const UTC: &str = "UTC";

/// A schedule as it shall be.
#[derive(Debug)]
pub struct Plan {
    name: String,
    service: String,
    script: Option<String>,
    inputs_sealed: String,
    input_names: String,
    cron: String,
    time_zone: String,
    enabled: bool,
    overlap: Overlap,
    missed: Missed,
    /// When it runs next, if that is otherwise than before.
    next_run_at: Option<String>,
}

impl Plan {
    /// What somebody who may run the service's scripts makes of a schedule: of a new one, or of one as it was before. `next` says when an
    /// expression comes next in a time zone, or what is wrong with it.
    pub fn check(
        key: &SealingKey,
        id: &ObjectId,
        right: &DeployRight,
        request: &SaveSchedule,
        before: Option<&FoundSchedule>,
        next: impl FnOnce(&str, &str) -> Result<DateTime<Utc>, ApiError>,
    ) -> Result<Self, ApiError> {
        let said = |text: &Option<String>, before: Option<&str>| {
            let said = text.as_deref().map(str::trim).or(before);
            said.unwrap_or_default().to_owned()
        };
        let service = service_of(request, before).to_owned();
        let script = script_of(request, before.and_then(|before| before.script.as_deref()))?;
        let same = before.filter(|before| before.service == service && before.script == script);
        let inputs = match (&request.inputs, same) {
            (Some(inputs), _) => inputs.clone(),
            (None, Some(before)) => open(key, id, &before.inputs_sealed)?,
            (None, None) => Map::new(),
        };
        if script.is_none() && !inputs.is_empty() {
            return Err(ApiError::invalid_field(
                "inputs",
                "must be left out where no script is named",
            ));
        }
        Wanted::check(right, script.as_deref(), &inputs)?;
        let cron = said(&request.cron, before.map(|before| before.cron.as_str()));
        let time_zone = said(&request.time_zone, Some(before.map_or(UTC, |before| &before.time_zone)));
        let next = next(&cron, &time_zone)?;
        let enabled = request.enabled.unwrap_or(before.is_none_or(|before| before.enabled));
        let goes_on = before.is_some_and(|b| b.enabled && b.cron == cron && b.time_zone == time_zone);
        Ok(Self {
            name: said(&request.name, before.map(|before| before.name.as_str())),
            service,
            script,
            inputs_sealed: seal(key, id, &inputs)?,
            input_names: Value::from_iter(inputs.keys().map(String::as_str)).to_string(),
            next_run_at: (enabled && !goes_on).then(|| stored(next)),
            cron,
            time_zone,
            enabled,
            overlap: request
                .overlap
                .or(before.map(|before| before.overlap))
                .unwrap_or_default(),
            missed: request
                .missed
                .or(before.map(|before| before.missed))
                .unwrap_or_default(),
        })
    }

    /// What statements bind: which it is, all of it, and whose it is from now on.
    pub fn args(&self, id: &ObjectId, caller: &Caller) -> Vec<Arg> {
        vec![
            id.into(),
            self.name.as_str().into(),
            self.service.as_str().into(),
            self.script.clone().into(),
            self.inputs_sealed.as_str().into(),
            self.input_names.as_str().into(),
            self.cron.as_str().into(),
            self.time_zone.as_str().into(),
            self.enabled.into(),
            self.overlap.as_str().into(),
            self.missed.as_str().into(),
            self.next_run_at.clone().into(),
            caller.id().into(),
            caller.username().into(),
        ]
    }
}

/// Of which service it is.
pub fn service_of<'a>(request: &'a SaveSchedule, before: Option<&'a FoundSchedule>) -> &'a str {
    let said = request.service.as_deref().map(str::trim);
    said.or(before.map(|before| before.service.as_str()))
        .unwrap_or_default()
}

/// Which script it starts; none for `deploy.sh`.
fn script_of(request: &SaveSchedule, before: Option<&str>) -> Result<Option<String>, ApiError> {
    let script = request.script.as_deref().map(str::trim).or(before);
    match request.action {
        Some(ScheduleAction::Deploy) => Ok(None),
        Some(ScheduleAction::Script) if script.is_none() => Err(ApiError::invalid_field("script", "is required")),
        Some(ScheduleAction::Script) | None => Ok(script.map(str::to_owned)),
    }
}

/// Where the inputs of a schedule are kept, for their seal.
fn associated(id: &ObjectId) -> String {
    format!("schedules.inputs:{id}")
}

fn seal(key: &SealingKey, id: &ObjectId, inputs: &Map<String, Value>) -> Result<String, ApiError> {
    let text = serde_json::to_string(inputs).map_err(ApiError::internal)?;
    key.seal(&associated(id), &Secret::from(text))
}

/// What a schedule gives its script.
pub fn open(key: &SealingKey, id: &ObjectId, sealed: &str) -> Result<Map<String, Value>, ApiError> {
    let text = key.open(&associated(id), sealed)?;
    serde_json::from_str(text.expose()).map_err(ApiError::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(action: Option<ScheduleAction>, script: Option<&str>, before: Option<&str>) -> Option<Option<String>> {
        let request = SaveSchedule {
            action,
            script: script.map(str::to_owned),
            ..SaveSchedule::default()
        };
        script_of(&request, before).ok()
    }

    #[test]
    fn what_is_started_is_what_the_request_says_or_what_it_was() {
        let some = |name: &str| Some(Some(name.to_owned()));
        assert_eq!(script(None, None, None), Some(None));
        assert_eq!(script(None, Some(" backup "), None), some("backup"));
        assert_eq!(script(None, None, Some("backup")), some("backup"));
        assert_eq!(
            script(Some(ScheduleAction::Script), None, Some("backup")),
            some("backup")
        );
        assert_eq!(script(Some(ScheduleAction::Deploy), None, Some("backup")), Some(None));
        assert_eq!(script(Some(ScheduleAction::Script), None, None), None);
    }

    #[test]
    fn inputs_open_for_their_own_schedule_alone() {
        let key = SealingKey::from_hex(&"0a".repeat(32)).unwrap();
        let [one, other]: [ObjectId; 2] = ["1", "2"].map(|digit| digit.repeat(24).parse().unwrap());
        let inputs = Map::from_iter([("password".to_owned(), Value::from("hunter2"))]);
        let sealed = seal(&key, &one, &inputs).unwrap();
        assert!(!sealed.contains("hunter2"));
        assert_eq!(open(&key, &one, &sealed).unwrap(), inputs);
        assert!(open(&key, &other, &sealed).is_err());
    }
}
