//! What is to run, checked against what a service has.
use protocol::api::secret::Secret;
use protocol::ids::{JobId, ObjectId};
use protocol::terminal::jobs::{Playbook, is_script_file};
use protocol::terminal::services::DEPLOY;
use serde_json::{Map, Value};

use super::access::DeployRight;
use super::inputs::Inputs;
use super::store::Subject;
use crate::audit::{Action, Event};
use crate::platform::error::ApiError;

/// An action of the inventory that a job is.
pub struct InventoryAction<'a> {
    /// Its name, which is what the job does.
    pub name: &'a str,
    /// Its type, which the output says, too.
    pub kind: &'a str,
    /// What lists of jobs call that to which it is done.
    pub done_to: &'a str,
    /// What it is about.
    pub subject: Subject<'a>,
}

/// What is to run.
pub struct Wanted<'a> {
    pub action: &'a str,
    pub script: Option<&'a str>,
    pub file: String,
    /// That it is a deployment, of which a service has one at a time.
    pub deploys: bool,
    /// That Ansible runs it, and with what.
    pub playbook: Option<Playbook>,
    /// What the first line of its output says.
    pub title: String,
    /// To what it is done, where that is not its service.
    pub done_to: Option<&'a str>,
    /// What of the inventory it is about.
    pub subject: Option<Subject<'a>>,
    pub inputs: Inputs,
    /// What it is given, as it was given, to be kept for the next time.
    pub given: Option<Secret>,
    /// The job that it repeats.
    pub parent: Option<&'a JobId>,
    /// Which schedule has it run.
    pub schedule: Option<&'a ObjectId>,
    pub event: Event,
}

impl<'a> Wanted<'a> {
    /// A script by its name, or `deploy.sh`, if the service has it, as its runner told of it last, and it takes what it is given.
    pub fn check(right: &DeployRight, script: Option<&'a str>, given: &Map<String, Value>) -> Result<Self, ApiError> {
        match script {
            None => Ok(Self::deploy(right)),
            Some(script) => Self::script(right, script, given),
        }
    }

    fn deploy(right: &DeployRight) -> Self {
        Self {
            action: "deploy",
            script: None,
            file: DEPLOY.to_owned(),
            deploys: true,
            playbook: None,
            title: title(DEPLOY, right),
            done_to: None,
            subject: None,
            inputs: Inputs::of(right.caller().username()),
            given: None,
            parent: None,
            schedule: None,
            event: right.event(Action::ServiceDeployed),
        }
    }

    fn script(right: &DeployRight, script: &'a str, given: &Map<String, Value>) -> Result<Self, ApiError> {
        let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
        let entry = right
            .scripts()
            .iter()
            .find(|entry| text(entry, "name").as_deref() == Some(script))
            .ok_or_else(|| {
                let words = format!("Script '{script}' not found for service '{}'", right.service());
                ApiError::bad_request(words)
            })?;
        let inputs = Inputs::check(entry, given, right.caller().username()).map_err(ApiError::bad_request)?;
        let file = text(entry, "file").unwrap_or_else(|| DEPLOY.to_owned());
        if !is_script_file(&file) {
            return Err(traversal());
        }
        Ok(Self {
            action: "script",
            script: Some(script),
            file,
            // Scripts know themselves.
            deploys: false,
            playbook: None,
            title: title(script, right),
            done_to: None,
            subject: None,
            inputs,
            given: Some(serde_json::to_string(given).map_err(ApiError::internal)?.into()),
            parent: None,
            schedule: None,
            event: right.event(Action::ServiceScriptRun).detail("script", script),
        })
    }

    /// A file of the service that a definition names rather than `scripts.yaml`. What that says of the same file holds for what it is given.
    pub fn file(right: &DeployRight, file: &str, given: &Map<String, Value>, event: Event) -> Result<Self, ApiError> {
        if !is_script_file(file) {
            return Err(traversal());
        }
        let is_it = |entry: &&Value| entry.get("file").and_then(Value::as_str) == Some(file);
        let entry = right.scripts().iter().find(is_it).unwrap_or(&Value::Null);
        Ok(Self {
            action: "script",
            script: None,
            file: file.to_owned(),
            deploys: file == DEPLOY,
            playbook: None,
            title: title(file, right),
            done_to: None,
            subject: None,
            inputs: Inputs::check(entry, given, right.caller().username()).map_err(ApiError::bad_request)?,
            given: None,
            parent: None,
            schedule: None,
            event,
        })
    }

    /// A playbook within the service's directory, by Ansible, with variables of which `secrets` are the values that must not be seen, and with
    /// what the log says of it. The file is what [`playbook_of`](protocol::terminal::jobs::playbook_of) gives of its path.
    pub fn playbook(
        right: &DeployRight,
        file: &'a str,
        playbook: Playbook,
        secrets: Vec<String>,
        event: Event,
    ) -> Result<Self, ApiError> {
        if !is_script_file(file) {
            return Err(ApiError::bad_request("Path traversal detected in playbook"));
        }
        if let Some(fault) = playbook.fault() {
            return Err(ApiError::bad_request(fault));
        }
        let inputs = Inputs {
            secrets,
            ..Inputs::of(right.caller().username())
        };
        Ok(Self {
            action: "playbook",
            script: None,
            file: file.to_owned(),
            deploys: false,
            playbook: Some(playbook),
            title: title(file, right),
            done_to: None,
            subject: None,
            inputs,
            given: None,
            parent: None,
            schedule: None,
            event,
        })
    }

    /// The same, given something besides of which nothing says what it must be.
    pub fn given(self, right: &DeployRight, given: &Map<String, Value>) -> Result<Self, ApiError> {
        let more = Inputs::check(&Value::Null, given, right.caller().username()).map_err(ApiError::bad_request)?;
        let inputs = Inputs {
            environment: more.environment,
            ..self.inputs
        };
        Ok(Self { inputs, ..self })
    }

    /// The same as what another job was.
    pub fn again(self, parent: &'a JobId, event: Event) -> Self {
        let parent = Some(parent);
        Self { parent, event, ..self }
    }

    /// The same, as an action of the inventory, with what the log says of that. What it is given is not kept: it is not run again, as whether
    /// it may be done is asked where it is an action.
    pub fn for_action(self, action: InventoryAction<'a>, event: Event) -> Self {
        Self {
            action: action.name,
            script: None,
            deploys: self.playbook.is_none() && self.file == DEPLOY,
            title: format!("Running {} ({})", action.name, action.kind),
            done_to: Some(action.done_to),
            subject: Some(action.subject),
            given: None,
            event,
            ..self
        }
    }

    /// The same, started by the clock.
    pub fn by_schedule(self, schedule: &'a ObjectId) -> Self {
        let event = self.event.detail("schedule_id", schedule.as_str());
        let schedule = Some(schedule);
        Self {
            schedule,
            event,
            ..self
        }
    }
}

/// What the output of a job says that runs something of a service (contract).
fn title(what: &str, right: &DeployRight) -> String {
    format!("Running {what} for {}", right.service())
}

/// 400 in the words of the contract.
pub fn traversal() -> ApiError {
    ApiError::bad_request("Path traversal detected in script file")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::services::row::Target;
    use crate::testing::{TestDb, id};
    use std::collections::BTreeMap;

    fn right() -> DeployRight {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        let target = Target {
            name: "web".to_owned(),
            machine_id: id("runner").parse().unwrap(),
            scripts: Vec::new(),
            vault_sealed: None,
        };
        DeployRight::decide(db.caller("ann"), vec![target], String::new).unwrap()
    }

    fn variables(pairs: &[(&str, &str)]) -> Playbook {
        let pairs = pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        Playbook {
            variables: BTreeMap::from_iter(pairs),
        }
    }

    #[test]
    fn a_playbook_is_within_its_service_and_its_variables_within_bounds() {
        let right = right();
        let check = |file, pairs| {
            let event = right.event(Action::ServiceDeployed);
            Wanted::playbook(&right, file, variables(pairs), vec!["s".to_owned()], event)
        };
        let wanted = check("plays/destroy.yaml", &[("label", "web-1")]).unwrap();
        assert_eq!(wanted.title, "Running plays/destroy.yaml for web");
        assert_eq!(wanted.playbook, Some(variables(&[("label", "web-1")])));
        assert_eq!(wanted.inputs.environment["INPUT_USERNAME"], "ann");
        assert_eq!(
            (wanted.inputs.secrets, wanted.given.is_none()),
            (vec!["s".to_owned()], true)
        );
        for (file, pairs, words) in [
            ("../x.yaml", &[][..], "Path traversal detected in playbook"),
            ("x.yaml", &[("a-b", "")], "Variable name 'a-b' must be letters"),
        ] {
            let refused = check(file, pairs).err().unwrap();
            assert_eq!(refused.status().as_u16(), 400);
            assert!(refused.text().starts_with(words), "{}", refused.text());
        }
    }

    #[test]
    fn an_action_of_the_inventory_goes_by_its_own_names_and_keeps_no_inputs() {
        let right = right();
        let wanted = Wanted::check(&right, None, &Map::new()).unwrap();
        let subject = Subject {
            object_id: Some(7),
            type_slug: "server",
        };
        let action = InventoryAction {
            name: "destroy",
            kind: "playbook",
            done_to: "web-1",
            subject,
        };
        let wanted = wanted.for_action(action, right.event(Action::ServiceDeployed));
        assert_eq!(wanted.title, "Running destroy (playbook)");
        assert_eq!(
            (wanted.action, wanted.script, wanted.done_to, wanted.subject),
            ("destroy", None, Some("web-1"), Some(subject))
        );
        assert!(wanted.given.is_none());
    }
}
