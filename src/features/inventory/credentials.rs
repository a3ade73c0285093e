//! Credentials that deployments give out: each is a thing of the type `credential`, known by a tag of its service and by its name. What is
//! given out again is the same thing.
use protocol::api::inventory::objects::MAX_LINE;
use protocol::api::inventory::types::Definition;
use protocol::ids::ObjectId;
use serde_json::{Map, Value};

use super::row::KnownCredential;
use super::store::bulk::{self, Entry, Origin};
use super::store::{ATTEMPTS, credentials as store, objects};
use super::value::{self, Place};
use crate::platform::db::{Db, DbError, now};
use crate::platform::error::ApiError;
use crate::platform::secrets::SealingKey;

/// Where these things come from.
const SOURCE: &str = "service_outputs";

/// The field that is sealed.
const VALUE: &str = "value";

/// A credential that was given out.
#[derive(Debug, PartialEq, Eq)]
struct Given {
    name: String,
    credential_type: String,
    username: Option<String>,
    value: String,
}

/// Keeps the credentials among what a service says of itself, and answers whether there is one. Those that are not given out any more stay.
pub async fn keep(
    db: &Db,
    sealing: &SealingKey,
    organization: &ObjectId,
    service: &str,
    outputs: &[Value],
) -> Result<bool, ApiError> {
    let given: Vec<Given> = outputs
        .iter()
        .filter_map(|output| Given::read(service, output))
        .collect();
    if given.is_empty() {
        return Ok(false);
    }
    let tag = format!("svc:{service}");
    for _ in 0..ATTEMPTS {
        let read = (
            store::of_type(organization),
            store::known(organization, &tag),
            objects::next_number(),
        );
        let (types, known, numbers) = db.run(read).await?;
        let Some(of) = types.into_iter().next() else {
            return Ok(false);
        };
        let next = numbers.first().map_or(1, |number| number.id);
        let place = |id| Place {
            sealing,
            organization,
            id,
        };
        let entries = prepare(&of.definition, &given, &known, next, place)?;
        if entries.is_empty() {
            return Ok(true);
        }
        let new: Vec<i64> = entries
            .iter()
            .filter(|entry| entry.read_at.is_none())
            .map(|entry| entry.id)
            .collect();
        let at = now();
        let origin = Origin {
            organization,
            type_id: of.id,
            key_field: None,
            source: SOURCE,
            now: &at,
        };
        let batch = (
            store::add_tag(organization, &tag, &at),
            bulk::write(origin, &entries),
            Vec::from(store::tagged(organization, &tag, &new)),
            store::known(organization, &tag),
        );
        match db.run(batch).await {
            // Whoever finds no room, or somebody else's change, looks again.
            Ok((_, _, _, known)) if is_kept(&given, &known) => return Ok(true),
            Ok(_) | Err(DbError::Duplicate) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let words = "there is no room for its credentials in the inventory, or somebody changes them";
    Err(ApiError::conflict("busy", words))
}

impl Given {
    /// One of the outputs of a service, if it is a credential.
    fn read(service: &str, output: &Value) -> Option<Self> {
        let text = |key: &str| match output.get(key)? {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.clone()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
            other => Some(other.to_string()),
        };
        if text("type").as_deref() != Some("credential") {
            return None;
        }
        let called = text("label").or_else(|| text("name"))?;
        let name = format!("{service} — {called}");
        Some(Self {
            name: name.chars().filter(|c| !c.is_control()).take(MAX_LINE).collect(),
            credential_type: text("credential_type").unwrap_or_else(|| "password".to_owned()),
            username: text("username"),
            value: text("value")?,
        })
    }

    /// What it says of the thing.
    fn said(&self) -> Map<String, Value> {
        let mut said = Map::new();
        said.insert("name".to_owned(), self.name.as_str().into());
        said.insert("credential_type".to_owned(), self.credential_type.as_str().into());
        said.insert("username".to_owned(), self.username.as_deref().into());
        said
    }
}

fn same<'k>(given: &Given, known: &'k [KnownCredential]) -> Option<&'k KnownCredential> {
    known
        .iter()
        .find(|known| known.data.get("name").and_then(Value::as_str) == Some(&given.name))
}

fn is_kept(given: &[Given], known: &[KnownCredential]) -> bool {
    given.iter().all(|given| same(given, known).is_some())
}

/// What is written of them: what is new, and what has changed. Of two of one name the last counts.
fn prepare<'p>(
    definition: &Definition,
    given: &[Given],
    known: &[KnownCredential],
    next: i64,
    place: impl Fn(i64) -> Place<'p>,
) -> Result<Vec<Entry>, ApiError> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut next = next;
    for (index, one) in given.iter().enumerate() {
        if given.iter().skip(index + 1).any(|later| later.name == one.name) {
            continue;
        }
        let before = same(one, known);
        let id = before.map_or(next, |before| before.id);
        let place = place(id);
        let mut said = one.said();
        if let Some(before) = before {
            let sealed = before.secrets.get(VALUE);
            let opened = sealed.and_then(|sealed| place.sealing.try_open(&place.associated(VALUE), sealed));
            let same_value = opened.is_some_and(|opened| opened.expose() == one.value);
            let same_rest = said
                .iter()
                .all(|(key, value)| before.data.get(key).unwrap_or(&Value::Null) == value);
            // What is sealed again looks otherwise each time.
            if same_value && same_rest {
                continue;
            }
        }
        said.insert(VALUE.to_owned(), one.value.as_str().into());
        let (data, secrets) = before
            .map(|before| (before.data.clone(), before.secrets.clone()))
            .unwrap_or_default();
        entries.push(Entry {
            id,
            key: one.name.clone(),
            read_at: before.map(|before| before.read_at.clone()),
            checked: value::synced(definition, &data, secrets, said, &place)?,
        });
        next += i64::from(before.is_none());
    }
    Ok(entries)
}

#[cfg(test)]
mod tests;
