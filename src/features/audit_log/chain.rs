//! Sealing entries into their organization's chain, and walking along it. The chain itself is in `protocol::api::audit`.
//!
//! An entry is written without knowledge of the others, with a code that only this server can make, and sealed soon after: by
//! the scheduled handler, and before anybody reads. Nothing is sealed that this server did not write, nor anything that lies
//! before what was sealed already. Sealing in order is a function of what is stored, so whoever seals the same entries twice,
//! or at the same time as somebody else, writes the same.
use protocol::api::audit::{Chain, ChainReport, GENESIS, seal};
use serde::Deserialize;

use super::session_ends;
use super::store::{StoredRow, entry};
use crate::platform::audit_key::AuditKey;
use crate::platform::context::App;
use crate::platform::db::{Nothing, Query, flag, statements};
use crate::platform::error::ApiError;
use crate::platform::log;

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
    /// Organizations with entries to be sealed or written. The indexes hold nothing else.
    WAITING = "SELECT organization_id FROM (SELECT DISTINCT organization_id FROM audit_log WHERE hash IS NULL
           UNION SELECT DISTINCT organization_id FROM session_ends) listed LIMIT ?1";

    HEAD = "SELECT int_id, hash, mac FROM audit_heads WHERE organization_id = ?1";

    /// The sealed entry that is newest by its number.
    LAST = "SELECT int_id, hash, mac IS NOT NULL AS authenticated FROM audit_log
         WHERE organization_id = ?1 AND hash IS NOT NULL ORDER BY int_id DESC LIMIT 1";

    UNSEALED = concat!(
        "SELECT ", entry!(), " FROM audit_log a WHERE a.organization_id = ?1 AND a.hash IS NULL ORDER BY a.int_id LIMIT ?2"
    );

    /// ?1 is a list of pairs: number and hash.
    SEAL = "UPDATE audit_log SET hash = json_each.value ->> 1 FROM json_each(?1)
         WHERE int_id = json_each.value ->> 0 AND hash IS NULL";

    /// Of two who seal at the same time, the one that got further is right.
    SET_HEAD = "INSERT INTO audit_heads (organization_id, int_id, hash, mac) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (organization_id) DO UPDATE SET int_id = excluded.int_id, hash = excluded.hash, mac = excluded.mac
         WHERE excluded.int_id > audit_heads.int_id";

    PAGE = concat!(
        "SELECT ", entry!(), " FROM audit_log a WHERE a.organization_id = ?1 AND a.int_id > ?2 ORDER BY a.int_id LIMIT ?3"
    );

    SEALED = "SELECT int_id, hash, mac IS NOT NULL AS authenticated FROM audit_log
         WHERE organization_id = ?1 AND int_id = ?2 AND hash IS NOT NULL";
}

#[derive(Debug, Deserialize)]
struct Waiting {
    organization_id: String,
}

/// The newest seal of a chain, as this server remembers it.
#[derive(Debug, Clone, Deserialize)]
struct Head {
    int_id: i64,
    hash: String,
    mac: String,
}

/// An entry that has a seal.
#[derive(Debug, Clone, Deserialize)]
struct Sealed {
    int_id: i64,
    hash: String,
    #[serde(deserialize_with = "flag")]
    authenticated: bool,
}

/// Seals what waits, in all organizations as far as bounds allow. A chain that is broken does not keep the others waiting.
pub async fn seal_waiting(app: &App) -> Result<(), ApiError> {
    let waiting = Query::<Waiting>::new(WAITING, [MAX_ORGANIZATIONS.into()]);
    for Waiting { organization_id } in app.db()?.run(waiting).await? {
        seal_organization(app, &organization_id).await?;
    }
    Ok(())
}

/// Seals what waits in one organization; the entries of none have an empty id. What cannot be sealed, because something before
/// it is not as this server wrote it, stays as it is: whoever verifies the chain learns where.
pub async fn seal_organization(app: &App, organization: &str) -> Result<(), ApiError> {
    let (db, key) = (app.db()?, &app.config.audit);
    for _ in 0..MAX_ROUNDS {
        let (ended, (heads, last, entries)) = db
            .run((session_ends::waiting(organization), waiting_of(organization)))
            .await?;
        if !ended.is_empty() {
            db.run(session_ends::write(&ended)).await?;
            continue;
        }
        if entries.is_empty() {
            break;
        }
        let seals = Seals::of(key, organization, heads.first(), last.first(), &entries);
        let broken = seals.broken;
        let full = entries.len() as i64 == SEALED_AT_ONCE;
        db.run(seals.write(key, organization)?).await?;
        if let Some(reason) = broken {
            log::error(&format!(
                "the audit log of organization '{organization}' is broken: {reason}"
            ));
            break;
        }
        if !full {
            break;
        }
    }
    Ok(())
}

fn waiting_of(organization: &str) -> (Query<Head>, Query<Sealed>, Query<StoredRow>) {
    (
        head(organization),
        Query::new(LAST, [organization.into()]),
        Query::new(UNSEALED, [organization.into(), SEALED_AT_ONCE.into()]),
    )
}

fn head(organization: &str) -> Query<Head> {
    Query::new(HEAD, [organization.into()])
}

/// Seals to be written, as far as nothing is wrong.
#[derive(Debug, Default)]
struct Seals {
    pairs: Vec<(i64, String)>,
    /// Why no more of them can be sealed.
    broken: Option<&'static str>,
}

/// What writes the seals of a run, and their head.
type Written = (Query<Nothing>, Query<Nothing>);

impl Seals {
    /// Of entries that follow `head`. There is no head yet in a chain of a version that had none, or in a new one.
    fn of(
        key: &AuditKey,
        organization: &str,
        head: Option<&Head>,
        last: Option<&Sealed>,
        entries: &[StoredRow],
    ) -> Self {
        let broken = |reason| Self {
            pairs: Vec::new(),
            broken: Some(reason),
        };
        let mut authenticated = match (head, last) {
            (Some(head), Some(last)) if !is_head(key, organization, head, last) => {
                return broken("its newest seal is not the one this server made");
            }
            (Some(_), None) => return broken("its newest seal was removed"),
            (None, Some(last)) if last.authenticated => return broken("what this server remembers of it was removed"),
            (head, _) => head.is_some(),
        };
        let mut hash = last.map_or(GENESIS, |last| &last.hash).to_owned();
        let mut seals = Self::default();
        for row in entries {
            let entry = row.entry();
            if last.is_some_and(|last| entry.int_id < last.int_id) {
                seals.broken = Some("a seal before the newest one was removed, or an entry added");
                break;
            }
            match &row.mac {
                Some(mac) if key.made_entry(&entry, mac) => authenticated = true,
                // Written by a version that authenticated nothing, and not sealed before the new one came.
                None if !authenticated => {}
                _ => {
                    seals.broken = Some("an entry is not as this server wrote it");
                    break;
                }
            }
            hash = seal(&hash, &entry);
            seals.pairs.push((entry.int_id, hash.clone()));
        }
        seals
    }

    fn write(self, key: &AuditKey, organization: &str) -> Result<Option<Written>, ApiError> {
        let Some((int_id, hash)) = self.pairs.last() else {
            return Ok(None);
        };
        let head = [
            organization.into(),
            (*int_id).into(),
            hash.as_str().into(),
            key.head(organization, *int_id, hash).into(),
        ];
        let pairs = serde_json::to_string(&self.pairs).map_err(ApiError::internal)?;
        Ok(Some((Query::new(SEAL, [pairs.into()]), Query::new(SET_HEAD, head))))
    }
}

fn is_head(key: &AuditKey, organization: &str, head: &Head, sealed: &Sealed) -> bool {
    key.made_head(organization, head.int_id, &head.hash, &head.mac)
        && (head.int_id, &head.hash) == (sealed.int_id, &sealed.hash)
}

/// Walks along an organization's chain: from its beginning, or from behind the sealed entry number `after`. Fails with 404 if
/// there is no such entry.
pub async fn verify(app: &App, organization: &str, after: Option<i64>) -> Result<ChainReport, ApiError> {
    let db = app.db()?;
    let begin = after.map(|int_id| sealed(organization, int_id));
    // The first page together with the head: what was sealed meanwhile would look like a chain without one.
    let first = page(organization, after.unwrap_or(0));
    let (heads, begin, mut rows) = db.run((head(organization), begin, first)).await?;
    let begin = match begin {
        None => None,
        Some(found) => Some(
            found
                .into_iter()
                .next()
                .ok_or_else(|| ApiError::not_found("No sealed entry has the number in after"))?,
        ),
    };
    let mut last = begin.as_ref().map_or(0, |sealed| sealed.int_id);
    let mut walk = Walk::new(&app.config.audit, organization, heads.into_iter().next(), begin);
    for _ in 0..MAX_PAGES {
        let end = rows.len() < WALKED_AT_ONCE;
        last = walk.over(&rows).unwrap_or(last);
        if end || !walk.chain.is_valid() {
            return Ok(walk.end());
        }
        rows = db.run(page(organization, last)).await?;
    }
    Ok(ChainReport {
        next: Some(last),
        ..walk.chain.report()
    })
}

/// A walk along a chain by whoever has the key.
struct Walk<'a> {
    key: &'a AuditKey,
    chain: Chain,
    head: Option<Head>,
    /// An entry that carries a code came by, so all that follow must.
    authenticated: bool,
    /// An entry with both code and seal came by, which only a chain with a head has.
    wants_head: bool,
}

impl<'a> Walk<'a> {
    fn new(key: &'a AuditKey, organization: &str, head: Option<Head>, begin: Option<Sealed>) -> Self {
        let authenticated = begin.as_ref().is_some_and(|sealed| sealed.authenticated);
        let mut chain = begin
            .as_ref()
            .map_or_else(Chain::default, |sealed| Chain::after(sealed.int_id, &sealed.hash));
        if let Some(head) = &head {
            if !key.made_head(organization, head.int_id, &head.hash, &head.mac) {
                chain.break_at(
                    "",
                    head.int_id,
                    "What this server remembers of the newest seal was changed",
                );
            } else if begin.is_some_and(|sealed| sealed.int_id == head.int_id && sealed.hash != head.hash) {
                chain.break_at("", head.int_id, "Its seal is not the one this server made");
            }
        }
        Self {
            key,
            chain,
            head,
            authenticated,
            wants_head: authenticated,
        }
    }

    /// Looks at the next rows; the number of the last one.
    fn over(&mut self, rows: &[StoredRow]) -> Option<i64> {
        for row in rows {
            let entry = row.entry();
            let wrong = |chain: &mut Chain, reason| chain.break_at(&entry.id, entry.int_id, reason);
            match &row.mac {
                Some(mac) if !self.key.made_entry(&entry, mac) => {
                    wrong(&mut self.chain, "It is not as this server wrote it");
                }
                None if self.authenticated => wrong(&mut self.chain, "This server did not write it"),
                None => self.chain.unauthenticated(),
                Some(_) => self.authenticated = true,
            }
            if let Some(head) = &self.head {
                let passed = entry.int_id > head.int_id && self.chain.last() < head.int_id;
                let other = entry.int_id == head.int_id && row.hash.as_ref() != Some(&head.hash);
                if passed {
                    wrong(
                        &mut self.chain,
                        "The entry before it, which this server sealed last, was removed",
                    );
                } else if other {
                    wrong(&mut self.chain, "Its seal is not the one this server made");
                }
            }
            self.wants_head |= row.mac.is_some() && row.hash.is_some();
            self.chain.push(&entry, row.hash.as_deref());
        }
        rows.last().map(|row| row.entry().int_id)
    }

    /// What was found, with nothing behind what was looked at.
    fn end(mut self) -> ChainReport {
        match &self.head {
            Some(head) if self.chain.last() < head.int_id => {
                let int_id = head.int_id;
                self.chain
                    .break_at("", int_id, "The entry that this server sealed last was removed");
            }
            None if self.wants_head => {
                let last = self.chain.last();
                self.chain
                    .break_at("", last, "What this server remembers of the newest seal was removed");
            }
            _ => {}
        }
        self.chain.report()
    }
}

fn sealed(organization: &str, int_id: i64) -> Query<Sealed> {
    Query::new(SEALED, [organization.into(), int_id.into()])
}

fn page(organization: &str, after: i64) -> Query<StoredRow> {
    Query::new(
        PAGE,
        [organization.into(), after.into(), (WALKED_AT_ONCE as i64).into()],
    )
}

#[cfg(test)]
mod tests;
