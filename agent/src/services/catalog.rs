//! What a services directory comes to: a pure function of the names and texts that were found there.
use protocol::terminal::services::{
    CatalogPart, DEPLOY, MAX_CATALOG, MAX_CATALOG_PART, MAX_DETAIL, MAX_SERVICES, MAX_WRITTEN, Service,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::scan::INVENTORY;
use super::yaml;
use crate::ssh::inventory;

/// The value of a credential in what everybody is told.
const MASKED: &str = "********";

/// The text of a file, as far as it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Text {
    /// There is none.
    #[default]
    Missing,
    /// This.
    Is(String),
    /// It cannot be read, in words.
    Unreadable(String),
}

impl Text {
    /// Whether there is a file, whatever it says.
    fn is_there(&self) -> bool {
        *self != Self::Missing
    }
}

/// What was found of one directory.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// Whether there is a `deploy.sh`.
    pub deployable: bool,
    /// `outputs/temp_inventory.yaml`: with one it was deployed.
    pub inventory: Text,
    /// The configs that exist.
    pub configs: Vec<String>,
    /// `scripts.yaml`.
    pub scripts: Text,
    /// `instance.yaml`.
    pub instance: Text,
    /// `outputs/service_outputs.yaml`.
    pub outputs: Text,
    /// Its playbooks that ask whoever runs them.
    pub asks: Vec<String>,
}

/// All services of a directory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalog {
    /// Sorted by name.
    pub services: Vec<Service>,
    /// How many there are besides.
    pub left_out: u32,
}

impl Catalog {
    /// Sorts what was found, and leaves out what is too much.
    pub fn of(mut found: Vec<Found>) -> Self {
        found.retain(|found| found.deployable || found.inventory.is_there());
        found.sort_by(|a, b| a.name.cmp(&b.name));
        let count = found.len();
        let mut left = MAX_CATALOG;
        let fits = |service: &Service| {
            left.checked_sub(json_len(service) + 1)
                .map(|rest| left = rest)
                .is_some()
        };
        let services: Vec<Service> = found
            .into_iter()
            .map(service)
            .take(MAX_SERVICES)
            .take_while(fits)
            .collect();
        Self {
            left_out: u32::try_from(count - services.len()).unwrap_or(u32::MAX),
            services,
        }
    }

    /// What is another when anything is.
    pub fn digest(&self) -> [u8; 32] {
        // These types have no map with keys that are not text, the one thing that JSON cannot write.
        let json = serde_json::to_vec(&(&self.services, self.left_out)).unwrap_or_default();
        Sha256::digest(json).into()
    }

    /// The messages that tell of it. Without services it is one as well.
    pub fn parts(self, number: u64) -> Vec<CatalogPart> {
        let mut groups: Vec<Vec<Service>> = vec![Vec::new()];
        let mut bytes = 0;
        for service in self.services {
            let size = json_len(&service) + 1;
            if bytes + size > MAX_CATALOG_PART && bytes > 0 {
                groups.push(Vec::new());
                bytes = 0;
            }
            bytes += size;
            if let Some(group) = groups.last_mut() {
                group.push(service);
            }
        }
        let last = groups.len() - 1;
        let part = |(at, services)| CatalogPart {
            number,
            part: u32::try_from(at).unwrap_or(u32::MAX),
            last: at == last,
            left_out: self.left_out,
            services,
        };
        groups.into_iter().enumerate().map(part).collect()
    }
}

/// What one directory comes to. Whatever its files say, it is told of.
fn service(found: Found) -> Service {
    let mut problems = Vec::new();
    let scripts = list("scripts.yaml", "scripts", found.scripts, &mut problems);
    // An empty list is what somebody wrote, and says that there is nothing to run.
    let scripts = scripts.unwrap_or_else(|| vec![json!({"name": "deploy", "label": "Deploy", "file": DEPLOY})]);
    let outputs = list("outputs/service_outputs.yaml", "outputs", found.outputs, &mut problems);
    let (instance, instance_error) = match parsed(found.instance) {
        Ok(value) => match fitting("instance.yaml", value) {
            Ok(value) => (value, None),
            Err(problem) => (None, Some(problem)),
        },
        Err(problem) => (None, Some(problem)),
    };
    let deployed = found.inventory.is_there();
    let hosts = match parsed(found.inventory) {
        Ok(inventory) => inventory.map_or_else(Vec::new, |inventory| inventory::hosts(&inventory)),
        Err(problem) => {
            problems.push(yaml::cut(&format!("outputs/{INVENTORY}: {problem}")));
            Vec::new()
        }
    };
    Service {
        name: found.name,
        deployable: found.deployable,
        deployed,
        hosts,
        scripts: scripts.into_iter().map(script).collect(),
        configs: found.configs,
        asks: found.asks,
        instance,
        instance_error,
        outputs: outputs.unwrap_or_default().into_iter().map(mask).collect(),
        problems,
    }
}

/// The outputs of a service with all that they say; none if they make no sense.
pub fn outputs(text: Text) -> Vec<Value> {
    list("", "outputs", text, &mut Vec::new()).unwrap_or_default()
}

/// What a file has under its one key, if it is a list there.
fn list(file: &str, key: &str, text: Text, problems: &mut Vec<String>) -> Option<Vec<Value>> {
    let value = match parsed(text).and_then(|value| fitting(file, value)) {
        Ok(value) => value?,
        Err(problem) => {
            problems.push(yaml::cut(&format!("{file}: {problem}")));
            return None;
        }
    };
    match value {
        Value::Object(mut keys) => match keys.remove(key) {
            Some(Value::Array(entries)) => Some(entries),
            _ => None,
        },
        _ => None,
    }
}

fn parsed(text: Text) -> Result<Option<Value>, String> {
    match text {
        Text::Missing => Ok(None),
        Text::Is(text) if text.len() > MAX_WRITTEN => Err(format!("is longer than {MAX_WRITTEN} bytes")),
        Text::Is(text) => yaml::read(&text),
        Text::Unreadable(why) => Err(why),
    }
}

fn fitting(file: &str, value: Option<Value>) -> Result<Option<Value>, String> {
    match value {
        Some(value) if json_len(&value) > MAX_DETAIL => {
            let what = if file.is_empty() { "the file" } else { file };
            Err(format!(
                "{what} says more than the {MAX_DETAIL} bytes that are told of it"
            ))
        }
        value => Ok(value),
    }
}

/// A script as it is written, with both names that its file goes by.
fn script(mut script: Value) -> Value {
    if let Value::Object(keys) = &mut script {
        for (one, other) in [("file", "script"), ("script", "file")] {
            if let (Some(value), false) = (keys.get(one).cloned(), keys.contains_key(other)) {
                keys.insert(other.to_owned(), value);
            }
        }
    }
    script
}

/// An output without its secret.
fn mask(mut output: Value) -> Value {
    let Value::Object(keys) = &mut output else {
        return output;
    };
    let is_credential = keys.contains_key("credential_type")
        || keys
            .get("type")
            .and_then(Value::as_str)
            .is_some_and(|kind| kind.eq_ignore_ascii_case("credential"));
    if is_credential && keys.contains_key("value") {
        keys.insert("value".to_owned(), MASKED.into());
        keys.insert("masked".to_owned(), true.into());
    }
    output
}

fn json_len(value: &impl serde::Serialize) -> usize {
    serde_json::to_string(value).map_or(0, |text| text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::limits::MAX_AGENT_TEXT;
    use protocol::terminal::agent::FromAgent;

    fn found(name: &str) -> Found {
        Found {
            name: name.into(),
            deployable: true,
            ..Found::default()
        }
    }

    fn one(found: Found) -> Service {
        Catalog::of(vec![found]).services.remove(0)
    }

    fn text(text: &str) -> Text {
        Text::Is(text.into())
    }

    #[test]
    fn a_service_has_a_deploy_script_and_what_only_was_deployed_is_told_of_as_that() {
        let deployed = Found {
            inventory: text("all: {hosts: {web: {}}}"),
            deployable: false,
            ..found("b")
        };
        let nothing = Found {
            deployable: false,
            ..found("a")
        };
        let catalog = Catalog::of(vec![found("c"), deployed, nothing]);
        let told: Vec<_> = catalog
            .services
            .iter()
            .map(|s| (s.name.as_str(), s.deployable, s.deployed))
            .collect();
        assert_eq!(told, [("b", false, true), ("c", true, false)]);
    }

    #[test]
    fn without_a_list_of_scripts_there_is_one_that_deploys() {
        let deploy = json!([{"name": "deploy", "label": "Deploy", "file": "deploy.sh", "script": "deploy.sh"}]);
        for scripts in [
            Text::Missing,
            text("a: [1"),
            text("other: 1"),
            text("scripts: no list"),
            text(""),
        ] {
            let service = one(Found { scripts, ..found("a") });
            assert_eq!(Value::from(service.scripts), deploy);
        }
        assert_eq!(
            one(Found {
                scripts: text("scripts: []"),
                ..found("a")
            })
            .scripts,
            Vec::<Value>::new()
        );
    }

    #[test]
    fn a_file_that_makes_no_sense_is_told_of() {
        let service = one(Found {
            scripts: text("a: [1"),
            instance: text("a: 1\na: 2\n"),
            outputs: Text::Unreadable("permission denied".into()),
            ..found("a")
        });
        assert!(service.instance.is_none());
        assert!(service.instance_error.is_some());
        assert!(
            service.problems[0].starts_with("scripts.yaml: "),
            "{:?}",
            service.problems
        );
        assert_eq!(service.problems[1], "outputs/service_outputs.yaml: permission denied");
    }

    #[test]
    fn a_script_is_passed_on_as_it_is_with_both_names_of_its_file() {
        let scripts =
            text("scripts:\n  - {name: up, script: up.sh, odd: [on, 0644]}\n  - {name: down, file: down.sh}\n");
        let service = one(Found { scripts, ..found("a") });
        assert_eq!(
            Value::from(service.scripts),
            json!([
                {"name": "up", "script": "up.sh", "file": "up.sh", "odd": ["on", "0644"]},
                {"name": "down", "file": "down.sh", "script": "down.sh"},
            ])
        );
    }

    #[test]
    fn the_value_of_a_credential_stays_on_the_runner_until_it_is_asked_for() {
        let yaml = "outputs:\n  - {name: site, type: url, value: 'https://a'}\n  - {name: root, type: credential, username: root, value: s3cret}\n";
        let service = one(Found {
            outputs: text(yaml),
            ..found("a")
        });
        assert_eq!(service.outputs[0]["value"], "https://a");
        assert_eq!(
            (&service.outputs[1]["value"], &service.outputs[1]["masked"]),
            (&json!(MASKED), &json!(true))
        );
        assert_eq!(service.outputs[1]["username"], "root");
        assert_eq!(outputs(text(yaml))[1]["value"], "s3cret");
        assert_eq!(outputs(text("nonsense: [")), Vec::<Value>::new());
    }

    #[test]
    fn what_says_too_much_is_left_out_with_a_word() {
        let long = format!("scripts: [{{name: a, description: '{}'}}]", "x".repeat(MAX_DETAIL));
        let service = one(Found {
            scripts: text(&long),
            instance: text(&long),
            ..found("a")
        });
        assert_eq!(service.scripts[0]["name"], "deploy");
        assert!(
            service.problems[0].contains(&MAX_DETAIL.to_string()),
            "{:?}",
            service.problems
        );
        assert!(service.instance_error.unwrap().contains(&MAX_DETAIL.to_string()));
    }

    #[test]
    fn there_is_a_most_of_services_and_the_rest_is_counted() {
        let catalog = Catalog::of((0..MAX_SERVICES + 3).map(|n| found(&format!("s{n:05}"))).collect());
        assert_eq!((catalog.services.len(), catalog.left_out), (MAX_SERVICES, 3));
        let long = text(&format!("scripts: ['{}']", "x".repeat(MAX_DETAIL / 2)));
        let large = |n| Found {
            scripts: long.clone(),
            instance: long.clone(),
            outputs: long.clone(),
            ..found(&format!("s{n:05}"))
        };
        let catalog = Catalog::of((0..MAX_SERVICES).map(large).collect());
        assert_eq!(catalog.services.len() + catalog.left_out as usize, MAX_SERVICES);
        let told: usize = catalog.services.iter().map(json_len).sum();
        assert!(catalog.left_out > 0 && told <= MAX_CATALOG, "{told}");
    }

    #[test]
    fn a_digest_tells_two_apart_and_nothing_is_a_catalog() {
        let [a, b] = ["a", "b"].map(|name| Catalog::of(vec![found(name)]));
        assert_eq!(a.digest(), a.clone().digest());
        assert_ne!(a.digest(), b.digest());
        let parts = Catalog::default().parts(4);
        assert_eq!((parts.len(), parts[0].number, parts[0].last), (1, 4, true));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn parts_are_all_of_it_in_order_and_fit(sizes in prop::collection::vec(0..MAX_DETAIL * 2, 0..40)) {
            let found = sizes.iter().enumerate().map(|(n, size)| {
                let yaml = format!("scripts: [\"{}\"]\noutputs: [\"{0}\"]", "\\\"".repeat(size / 2));
                Found { scripts: text(&yaml), instance: text(&yaml), outputs: text(&yaml), ..found(&format!("s{n:03}")) }
            });
            let catalog = Catalog::of(found.collect());
            let parts = catalog.clone().parts(1);
            for (at, part) in parts.iter().enumerate() {
                prop_assert_eq!((part.part as usize, part.last), (at, at + 1 == parts.len()));
                let json = serde_json::to_string(&FromAgent::Catalog { part: part.clone() }).unwrap();
                prop_assert!(json.len() <= MAX_CATALOG_PART + 200 && json.len() < MAX_AGENT_TEXT, "{}", json.len());
            }
            let all: Vec<_> = parts.into_iter().flat_map(|part| part.services).collect();
            prop_assert_eq!(all, catalog.services);
        }
    }
}
