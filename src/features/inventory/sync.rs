//! Things that come from somewhere by themselves: the provider's instances, the services of runners, the accounts, deployments. What is said
//! there is so; what people have written beside it, and tags, stay. Triggers note what has changed (`inventory_stale`); whoever has changed
//! it has it looked at, and the clock looks at what was left.
use protocol::api::inventory::types::{Definition, SyncSource};
use protocol::ids::ObjectId;
use worker::Env;

use super::row::{Differing, SyncedType};
use super::store::bulk::{self, Entry, Origin};
use super::store::{ATTEMPTS, objects, sync as store};
use super::value::{self, Place};
use crate::platform::config::Config;
use crate::platform::context::App;
use crate::platform::db::{Db, DbError, now};
use crate::platform::error::ApiError;
use crate::platform::log;
use crate::platform::secrets::SealingKey;

/// How many sources the clock looks at in a run, each in some milliseconds.
const AT_ONCE: i64 = 50;

/// Parts of what one source says that are looked at in a row: as many things as an organization may have, and once more.
const MAX_PARTS: usize = 401;

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What could not be entered, and why the first of it could not.
    refused: usize,
    why: Option<String>,
}

impl Outcome {
    /// What people should know of it.
    pub fn warning(&self) -> Option<String> {
        let why = self.why.as_deref()?;
        Some(format!(
            "[Warning: {} could not be entered in the inventory: {why}]",
            self.refused
        ))
    }

    fn refuse(&mut self, key: &str, error: &ApiError) {
        self.refused += 1;
        self.why.get_or_insert_with(|| format!("{key}: {}", error.text()));
    }
}

/// Looks at what a source says of an organization, and makes the inventory so.
pub async fn run(
    db: &Db,
    sealing: &SealingKey,
    organization: &ObjectId,
    source: SyncSource,
) -> Result<Outcome, ApiError> {
    let mut outcome = Outcome::default();
    let types = db.run(store::types(organization, source)).await?;
    let changes = types.iter().find_map(|of| of.changes);
    for of in &types {
        // What is known by no field is not told apart.
        let Some(field) = key_field(&of.definition) else {
            continue;
        };
        let gone = store::gone(organization, source, of, field);
        db.run(gone).await?;
        enter(db, sealing, organization, source, of, field, &mut outcome).await?;
    }
    if let Some(changes) = changes {
        db.run(store::looked_at(organization, source, changes)).await?;
    }
    Ok(outcome)
}

/// The field by which things of a type are known.
fn key_field(definition: &Definition) -> Option<&str> {
    let mut fields = definition.fields.iter();
    let key = fields.find(|field| field.unique && field.required);
    key.map(|field| field.name.as_str())
}

/// Enters what differs, a part after the other.
async fn enter(
    db: &Db,
    sealing: &SealingKey,
    organization: &ObjectId,
    source: SyncSource,
    of: &SyncedType,
    field: &str,
    outcome: &mut Outcome,
) -> Result<(), ApiError> {
    let (mut after, mut attempts) = (String::new(), 0);
    for _ in 0..MAX_PARTS {
        let read = (
            store::differing(organization, source, of, field, &after),
            objects::next_number(),
        );
        let (rows, numbers) = db.run(read).await?;
        let next = numbers.first().map_or(1, |number| number.id);
        let (count, last) = (rows.len(), rows.last().map(|row| row.key.clone()));
        let place = |id| Place {
            sealing,
            organization,
            id,
        };
        let mut refused = Outcome::default();
        let entries = prepare(&of.definition, rows, next, place, &mut refused);
        let at = now();
        let origin = Origin {
            organization,
            type_id: of.id,
            key_field: Some(field),
            source: source.as_str(),
            now: &at,
        };
        match db.run(bulk::write(origin, &entries)).await {
            Ok(written) => {
                let left = entries.len() - written.iter().map(Vec::len).sum::<usize>().min(entries.len());
                outcome.refused += refused.refused + left;
                let room = || "there are as many objects as there may be, or somebody changes them".to_owned();
                outcome.why = outcome.why.take().or(refused.why).or((left > 0).then(room));
            }
            // Somebody has taken the numbers.
            Err(DbError::Duplicate) if attempts < ATTEMPTS => {
                attempts += 1;
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        match last {
            Some(last) if count >= store::AT_ONCE => after = last,
            _ => return Ok(()),
        }
    }
    Ok(())
}

/// What is written of what differs. New things get the numbers from `next` on.
fn prepare<'p>(
    definition: &Definition,
    rows: Vec<Differing>,
    next: i64,
    place: impl Fn(i64) -> Place<'p>,
    outcome: &mut Outcome,
) -> Vec<Entry> {
    let mut next = next;
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        let id = row.object.unwrap_or(next);
        let (before, secrets) = (row.data.unwrap_or_default(), row.secrets.unwrap_or_default());
        match value::synced(definition, &before, secrets, row.said, &place(id)) {
            Ok(checked) => {
                next += i64::from(row.object.is_none());
                entries.push(Entry {
                    id,
                    key: row.key,
                    read_at: row.read_at,
                    checked,
                });
            }
            Err(error) => outcome.refuse(&row.key, &error),
        }
    }
    entries
}

/// Looks at what has changed of the organization that has a machine, for whoever has changed it in the machine's name. The clock does what
/// fails here.
pub async fn catch_up(env: &Env, db: &Db, machine: &ObjectId) {
    let done = async {
        let stale = db.run(store::stale_of_machine(machine)).await?;
        if stale.is_empty() {
            return Ok(());
        }
        let config = Config::from_env(env).map_err(ApiError::internal)?;
        for of in stale {
            report(&run(db, &config.sealing, &of.organization_id, of.source).await?);
        }
        Ok::<(), ApiError>(())
    };
    if let Err(error) = done.await {
        log::error(&format!("the inventory is not as it should be: {}", error.cause()));
    }
}

/// Looks at what has changed and nobody has looked at.
pub async fn run_stale(app: &App) -> Result<(), ApiError> {
    let db = app.db()?;
    for of in db.run(store::stale(AT_ONCE)).await? {
        match run(&db, &app.config.sealing, &of.organization_id, of.source).await {
            Ok(outcome) => report(&outcome),
            Err(error) => {
                log::error(&format!("a source of the inventory is put off: {}", error.cause()));
                db.run(store::put_off(&of.organization_id, of.source)).await?;
            }
        }
    }
    Ok(())
}

fn report(outcome: &Outcome) {
    if let Some(warning) = outcome.warning() {
        log::error(&warning);
    }
}

#[cfg(test)]
mod tests;
