//! Sealing entries into their organization's chain, and walking along it. The chain itself is in `protocol::api::audit`.
//!
//! An entry is written without knowledge of the others and sealed soon after: by the scheduled handler, and before anybody
//! reads. Sealing in order is a function of what is stored, so whoever seals the same entries twice, or at the same time as
//! somebody else, writes the same.
use protocol::api::audit::{Chain, ChainReport, GENESIS, seal};
use serde::Deserialize;

use super::store::{StoredRow, entry};
use crate::platform::db::{Db, Nothing, Query, statements};
use crate::platform::error::ApiError;

/// How many entries are sealed in one round trip.
const SEALED_AT_ONCE: i64 = 200;

/// Most rounds of sealing for one request or run; the next goes on.
const MAX_ROUNDS: usize = 20;

/// Most organizations whose entries one run seals.
const MAX_ORGANIZATIONS: i64 = 50;

/// How many entries are read in one round trip of a walk: about half a megabyte.
const WALKED_AT_ONCE: usize = 1000;

/// Most round trips of one walk. A longer log takes several requests.
const MAX_PAGES: usize = 40;

statements! {
    /// Organizations with entries to be sealed. The index holds nothing else.
    WAITING = "SELECT DISTINCT organization_id FROM audit_log WHERE hash IS NULL LIMIT ?1";

    HEAD = "SELECT hash FROM audit_log WHERE organization_id = ?1 AND hash IS NOT NULL ORDER BY int_id DESC LIMIT 1";

    UNSEALED = concat!(
        "SELECT ", entry!(), " FROM audit_log a WHERE a.organization_id = ?1 AND a.hash IS NULL ORDER BY a.int_id LIMIT ?2"
    );

    /// ?1 is a list of pairs: number and hash.
    SEAL = "UPDATE audit_log SET hash = json_each.value ->> 1 FROM json_each(?1)
         WHERE int_id = json_each.value ->> 0 AND hash IS NULL";

    PAGE = concat!(
        "SELECT ", entry!(), " FROM audit_log a WHERE a.organization_id = ?1 AND a.int_id > ?2 ORDER BY a.int_id LIMIT ?3"
    );

    HASH_OF = "SELECT hash FROM audit_log WHERE organization_id = ?1 AND int_id = ?2 AND hash IS NOT NULL";
}

#[derive(Debug, Deserialize)]
struct Waiting {
    organization_id: String,
}

#[derive(Debug, Deserialize)]
struct Sealed {
    hash: String,
}

/// Seals what waits, in all organizations as far as bounds allow.
pub async fn seal_waiting(db: &Db) -> Result<(), ApiError> {
    let waiting = db
        .run(Query::<Waiting>::new(WAITING, [MAX_ORGANIZATIONS.into()]))
        .await?;
    for Waiting { organization_id } in waiting {
        seal_organization(db, &organization_id).await?;
    }
    Ok(())
}

/// Seals what waits in one organization; the entries of none have an empty id.
pub async fn seal_organization(db: &Db, organization: &str) -> Result<(), ApiError> {
    for _ in 0..MAX_ROUNDS {
        let (heads, entries) = db.run(waiting_of(organization)).await?;
        if entries.is_empty() {
            break;
        }
        let full = entries.len() as i64 == SEALED_AT_ONCE;
        db.run(seals(heads.first(), &entries)?).await?;
        if !full {
            break;
        }
    }
    Ok(())
}

fn waiting_of(organization: &str) -> (Query<Sealed>, Query<StoredRow>) {
    (
        Query::new(HEAD, [organization.into()]),
        Query::new(UNSEALED, [organization.into(), SEALED_AT_ONCE.into()]),
    )
}

/// Seals entries that follow `head`, in order.
fn seals(head: Option<&Sealed>, entries: &[StoredRow]) -> Result<Query<Nothing>, ApiError> {
    let mut head = head.map_or(GENESIS, |head| &head.hash).to_owned();
    let pairs: Vec<(i64, String)> = entries
        .iter()
        .map(|row| {
            let entry = row.entry();
            head = seal(&head, &entry);
            (entry.int_id, head.clone())
        })
        .collect();
    let pairs = serde_json::to_string(&pairs).map_err(ApiError::internal)?;
    Ok(Query::new(SEAL, [pairs.into()]))
}

/// Walks along an organization's chain: from its beginning, or from behind the sealed entry number `after`. Fails with 404 if
/// there is no such entry.
pub async fn verify(db: &Db, organization: &str, after: Option<i64>) -> Result<ChainReport, ApiError> {
    let (mut chain, mut last) = match after {
        None => (Chain::default(), 0),
        Some(int_id) => {
            let sealed = db.run(hash_of(organization, int_id)).await?;
            let sealed = sealed
                .first()
                .ok_or_else(|| ApiError::not_found("No sealed entry has the number in after"))?;
            (Chain::after(int_id, &sealed.hash), int_id)
        }
    };
    for _ in 0..MAX_PAGES {
        let rows = db.run(page(organization, last)).await?;
        let end = rows.len() < WALKED_AT_ONCE;
        last = walk(&mut chain, &rows).unwrap_or(last);
        if end || !chain.is_valid() {
            return Ok(chain.report());
        }
    }
    Ok(ChainReport {
        next: Some(last),
        ..chain.report()
    })
}

/// Looks at the next rows; the number of the last one.
fn walk(chain: &mut Chain, rows: &[StoredRow]) -> Option<i64> {
    let mut last = None;
    for row in rows {
        let entry = row.entry();
        chain.push(&entry, row.hash.as_deref());
        last = Some(entry.int_id);
    }
    last
}

fn hash_of(organization: &str, int_id: i64) -> Query<Sealed> {
    Query::new(HASH_OF, [organization.into(), int_id.into()])
}

fn page(organization: &str, after: i64) -> Query<StoredRow> {
    Query::new(
        PAGE,
        [organization.into(), after.into(), (WALKED_AT_ONCE as i64).into()],
    )
}

#[cfg(test)]
mod tests;
