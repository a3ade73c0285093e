//! What the relays ask: who may have the terminals and run the commands they have, and which agent may serve a machine. The answer holds for the
//! moment of the read; a relay that hears of a withdrawal while it waits asks again.
use durable_objects::relay::{Claim, Question, Tie, Verdict};
use futures_util::future::LocalBoxFuture;
use protocol::api::command_policy::{CommandPolicy, Policies};
use protocol::ids::ObjectId;
use protocol::networks::admits;
use serde::Deserialize;
use serde_json::json as value;
use worker::Env;

use crate::auth::account_store::{is_active, networks};
use crate::features::machines::predicates::may_sudo;
use crate::features::sharing::predicates::invited;
use crate::platform::db::{Db, Query, json, statements};

/// SQL: the sign-in of a claim (`c`), if it names one, was not withdrawn: no newer tokens, no sign-out; for a key, it is there.
macro_rules! sign_in_stands {
    () => {
        "(c.value ->> 'sign_in' IS NULL
          OR (u.token_version = c.value ->> 'token_version'
              AND NOT EXISTS (SELECT 1 FROM revoked_sign_ins r WHERE r.sign_in = c.value ->> 'sign_in'))
          OR (c.value ->> 'token_version' IS NULL AND EXISTS (SELECT 1 FROM api_keys k
              WHERE k.id = substr(c.value ->> 'sign_in', 5) AND k.user_id = u.id
              AND (k.expires_at IS NULL OR k.expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))))"
    };
}

/// SQL: the account (`u`) may use the machine (`m`).
macro_rules! may_reach {
    () => {
        concat!(
            "((m.organization_id = u.organization_id OR u.role = 'super_admin') AND ",
            $crate::features::machines::predicates::reaches!(),
            ")"
        )
    };
}

/// SQL: the account (`u`) may have the session (`s`) that it has opened on the machine (`m`). One on another host it has by a permission
/// in its organization, and need not reach the machine that opened it: by that which it was opened by, or by one that opens all; or by what
/// it may do with a thing of the inventory, if that is how it was opened. Where the inventory has the host as a server, that counts, too.
macro_rules! may_have {
    () => {
        concat!(
            "iif(s.ssh_host IS NULL, ",
            $crate::features::sessions::authority::may_reach!(),
            ", m.organization_id = u.organization_id AND (u.role <> 'user' OR NOT EXISTS (
               SELECT 1 FROM inventory_types t JOIN inventory_values v ON v.type_id = t.id AND v.field = 'hostname' AND v.value = s.ssh_host
               JOIN inventory_objects o ON o.id = v.object_id
               WHERE t.organization_id = m.organization_id AND t.slug = 'server' AND NOT ",
            $crate::features::inventory::rights::may!("'ssh'"),
            ") AND CASE WHEN s.ssh_object IS NULL THEN EXISTS (
               SELECT 1 FROM user_roles r JOIN role_permissions p ON p.role_id = r.role_id WHERE r.user_id = u.id
               AND p.permission IN (s.ssh_right, 'instances.ssh', 'inventory.server.ssh'))
             ELSE EXISTS (SELECT 1 FROM inventory_objects o JOIN inventory_types t ON t.id = o.type_id
               WHERE o.id = s.ssh_object AND o.organization_id = m.organization_id AND ",
            $crate::features::inventory::rights::may!("s.ssh_right"),
            ") END))"
        )
    };
}
pub(super) use {may_have, may_reach};

statements! {
    /// Which of the claims (?2, a JSON array) on the terminals of a machine (?1) hold, by their places in it.
    HOLD = concat!(
        "SELECT c.key AS claim, ", networks!(), " AS networks FROM json_each(?2) c
         CROSS JOIN terminal_sessions s ON s.machine_id = ?1 AND s.session_id = c.value ->> 'session' AND s.status = 'active'
           AND (s.user_id = c.value ->> 'user' OR c.value ->> 'tie' <> 'owner')
         JOIN users u ON u.id = c.value ->> 'user' JOIN organizations o ON o.id = u.organization_id JOIN machines m ON m.id = s.machine_id
         WHERE m.status <> 'revoked' AND ", is_active!(), "
           AND CASE c.value ->> 'tie' WHEN 'guest' THEN ", invited!("(c.value ->> 'can_type')"), "
             WHEN 'owner' THEN ", may_have!(), " ELSE ", may_reach!(), " END
           AND (c.value ->> 'sudo' = 0 OR ", may_sudo!(), ") AND ", sign_in_stands!()
    );

    /// Which of the commands (?2, a JSON array) of a machine (?1) may be run, by their places in it: not over, and wanted by an
    /// account that may still reach the machine, with these privileges, and that has not withdrawn what it proved itself by.
    /// A mere sign-out withdraws nothing: people leave what they have sent.
    MAY_RUN = concat!(
        "SELECT c.key AS claim, '[]' AS networks FROM json_each(?2) c
         CROSS JOIN commands k ON k.id = c.value AND k.machine_id = ?1 AND k.finished_at IS NULL
         JOIN users u ON u.id = k.user_id JOIN organizations o ON o.id = u.organization_id JOIN machines m ON m.id = k.machine_id
         WHERE m.status <> 'revoked' AND ", is_active!(), "
           AND ", may_reach!(), "
           AND (k.sudo = 0 OR ", may_sudo!(), ") AND (k.token_version IS NULL OR k.token_version = u.token_version)
           AND (k.key_id IS NULL OR EXISTS (SELECT 1 FROM api_keys a WHERE a.id = k.key_id AND a.user_id = u.id
               AND (a.expires_at IS NULL OR a.expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))))"
    );

    /// The machine's agent has this key. With it goes what commands may run there.
    HAS_KEY = "SELECT o.command_policy AS organization, m.command_policy AS machine
         FROM machines m JOIN organizations o ON o.id = m.organization_id
         WHERE m.id = ?1 AND m.agent_public_key = ?2 AND m.status <> 'revoked'";
}

#[derive(Debug, Deserialize)]
pub(super) struct Holds {
    claim: usize,
    /// From which networks its account may come; empty is from all.
    #[serde(deserialize_with = "json")]
    networks: Vec<String>,
}

impl Holds {
    /// Whether it holds of somebody at a socket, who came from an address. A shell did not come from anywhere.
    fn admits(&self, claims: &[Claim]) -> bool {
        let proof = claims.get(self.claim).and_then(|claim| claim.proof.as_ref());
        proof.is_none_or(|proof| admits(&self.networks, &proof.address))
    }
}

/// What commands may run on a machine.
#[derive(Debug, Deserialize)]
pub(super) struct PoliciesRow {
    #[serde(deserialize_with = "json")]
    organization: CommandPolicy,
    #[serde(deserialize_with = "json")]
    machine: CommandPolicy,
}

/// Answers a relay. Handed to the relays' crate when the Worker starts.
pub fn answer(env: Env, machine: ObjectId, question: Question) -> LocalBoxFuture<'static, Result<Verdict, String>> {
    Box::pin(async move {
        let db = Db::new(&env).map_err(|error| error.cause().to_string())?;
        let rows = db.run(queries(&machine, &question)).await;
        Ok(verdict(&question, rows.map_err(|error| error.to_string())?))
    })
}

pub(super) type Queries = (Query<Holds>, Option<Query<Holds>>, Option<Query<PoliciesRow>>);

/// What answers a question.
pub(super) fn queries(machine: &ObjectId, question: &Question) -> Queries {
    let claims = serde_json::Value::from_iter(question.claims.iter().map(claim)).to_string();
    let key = question.agent_key.as_deref();
    let commands = question.commands.iter().map(|claim| &claim.command_id);
    let commands = (!question.commands.is_empty()).then(|| value!(commands.collect::<Vec<_>>()).to_string());
    (
        holding(machine, claims),
        commands.map(|commands| Query::new(MAY_RUN, [machine.into(), commands.into()])),
        key.map(|key| Query::new(HAS_KEY, [machine.into(), key.into()])),
    )
}

/// Which of some claims hold.
pub(super) fn holding(machine: &ObjectId, claims: String) -> Query<Holds> {
    Query::new(HOLD, [machine.into(), claims.into()])
}

fn claim(claim: &Claim) -> serde_json::Value {
    value!({
        "session": claim.session,
        "user": claim.user,
        "sudo": claim.sudo,
        "tie": match claim.tie {
            Tie::Owner => "owner",
            Tie::Player => "player",
            Tie::Guest { .. } => "guest",
        },
        "can_type": claim.tie == Tie::Guest { can_type: true },
        "sign_in": claim.proof.as_ref().map(|proof| &proof.sign_in),
        "token_version": claim.proof.as_ref().and_then(|proof| proof.token_version),
    })
}

/// The answer that the rows give.
pub(super) fn verdict(
    question: &Question,
    (mut holding, running, agent): (Vec<Holds>, Option<Vec<Holds>>, Option<Vec<PoliciesRow>>),
) -> Verdict {
    holding.retain(|holds| holds.admits(&question.claims));
    Verdict {
        claims: places(question.claims.len(), holding),
        commands: places(question.commands.len(), running.unwrap_or_default()),
        agent: agent.as_ref().is_none_or(|rows| !rows.is_empty()),
        policies: agent.and_then(|rows| rows.into_iter().next()).map(|row| Policies {
            organization: row.organization,
            machine: row.machine,
        }),
    }
}

/// Of so many, which hold.
fn places(count: usize, holding: Vec<Holds>) -> Vec<bool> {
    let mut places = vec![false; count];
    for holds in holding {
        if let Some(place) = places.get_mut(holds.claim) {
            *place = true;
        }
    }
    places
}

#[cfg(test)]
mod tests;
