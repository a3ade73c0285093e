//! SQL of lists of requests, and of what can be asked for.
use protocol::api::access_requests::AccessRequestStatus;
use protocol::ids::ObjectId;

use super::{around, request_row};
use crate::features::access_requests::row::Listed;
use crate::features::machines::predicates::{manages, reaches};
use crate::http::json_text::{BodyRow, json_flag};
use crate::http::page::Page;
use crate::platform::db::{Arg, Count, Query, statements};

/// Requests newest first, each part of a page.
macro_rules! newest_first {
    ($from:ident, $window:literal) => {
        concat!(
            "SELECT ",
            request_row!(),
            $from!(),
            " ORDER BY q.requested_at DESC, q.id DESC ",
            $window
        )
    };
}

macro_rules! of_requester {
    () => {
        concat!(" FROM access_requests q ", around!(), " WHERE q.requester_id = ?1")
    };
}

macro_rules! of_machine {
    () => {
        concat!(" FROM access_requests q ", around!(), " WHERE m.agent_id = ?1")
    };
}

/// Others' pending requests for machines that the caller (?1) manages.
macro_rules! to_decide {
    () => {
        concat!(
            " FROM users u JOIN access_requests q ON q.organization_id = u.organization_id AND q.status = 'pending' ",
            around!(),
            " WHERE u.id = ?1 AND q.requester_id <> u.id AND ",
            manages!()
        )
    };
}

/// The requests in a state (?3) of one organization: that of the super administrator's choice (?2) or the caller's (?1) own.
/// Narrowed by a part of a name, address or reason (?4).
macro_rules! of_organization {
    () => {
        concat!(
            " FROM users u JOIN organizations c ON c.id =
               CASE WHEN u.role = 'super_admin' AND ?2 IS NOT NULL THEN (SELECT id FROM organizations WHERE slug = ?2) ELSE u.organization_id END
             JOIN access_requests q ON q.organization_id = c.id AND q.status = ?3 ",
            around!(),
            " WHERE u.id = ?1 AND (?4 IS NULL OR instr(lower(v.username), lower(?4)) > 0 OR instr(lower(v.email), lower(?4)) > 0
               OR instr(lower(m.name), lower(?4)) > 0 OR instr(lower(q.note), lower(?4)) > 0)"
        )
    };
}

/// The machines of the caller's (?1) organization that the caller does not reach, narrowed by a part of the name (?2).
macro_rules! askable {
    () => {
        concat!(
            " FROM users u JOIN machines m ON m.organization_id = u.organization_id JOIN users w ON w.id = m.owner_id
             WHERE u.id = ?1 AND m.status <> 'revoked' AND NOT ",
            reaches!(),
            " AND (?2 IS NULL OR instr(lower(m.name), lower(?2)) > 0)"
        )
    };
}

statements! {
    OF_REQUESTER = newest_first!(of_requester, "LIMIT ?2 OFFSET ?3");

    COUNT_OF_REQUESTER = concat!("SELECT COUNT(*) AS total", of_requester!());

    OF_MACHINE = newest_first!(of_machine, "LIMIT ?2 OFFSET ?3");

    COUNT_OF_MACHINE = concat!("SELECT COUNT(*) AS total", of_machine!());

    COUNT_PENDING = concat!("SELECT COUNT(*) AS total", of_machine!(), " AND q.status = 'pending'");

    TO_DECIDE = newest_first!(to_decide, "LIMIT ?2 OFFSET ?3");

    COUNT_TO_DECIDE = concat!("SELECT COUNT(*) AS total", to_decide!());

    OF_ORGANIZATION = newest_first!(of_organization, "LIMIT ?5 OFFSET ?6");

    COUNT_OF_ORGANIZATION = concat!("SELECT COUNT(*) AS total", of_organization!());

    ASKABLE = concat!(
        "SELECT json_object('machine_id', m.id, 'agent_id', m.agent_id, 'name', m.name, 'owner', w.username, 'pending', ",
        json_flag!("EXISTS (SELECT 1 FROM access_requests p WHERE p.machine_id = m.id AND p.requester_id = u.id AND p.status = 'pending')"),
        ") AS body", askable!(), " ORDER BY m.name, m.id LIMIT ?3 OFFSET ?4"
    );

    COUNT_ASKABLE = concat!("SELECT COUNT(*) AS total", askable!());
}

/// Which requests of an organization to list.
#[derive(Debug)]
pub struct Filter<'a> {
    pub status: AccessRequestStatus,
    pub search: Option<&'a str>,
    pub tenant_id: Option<&'a str>,
}

/// A part of a list, and how long the list is.
pub type Part<T> = (Query<T>, Query<Count>);

/// What somebody asked for.
pub fn of_requester(requester: &ObjectId, page: Page) -> Part<Listed> {
    part(OF_REQUESTER, COUNT_OF_REQUESTER, requester.into(), page)
}

/// What was asked of a machine. To be shown only to those who manage it.
pub fn of_machine(agent_id: &str, page: Page) -> Part<Listed> {
    part(OF_MACHINE, COUNT_OF_MACHINE, agent_id.into(), page)
}

/// How much of it waits.
pub fn count_pending(agent_id: &str) -> Query<Count> {
    Query::new(COUNT_PENDING, [agent_id.into()])
}

/// What waits for somebody.
pub fn to_decide(caller: &ObjectId, page: Page) -> Part<Listed> {
    part(TO_DECIDE, COUNT_TO_DECIDE, caller.into(), page)
}

/// What was asked in an organization.
pub fn of_organization(caller: &ObjectId, filter: &Filter, page: Page) -> Part<Listed> {
    let (limit, offset) = page.window();
    let [caller, tenant, status, search]: [Arg; 4] = [
        caller.into(),
        given(filter.tenant_id),
        filter.status.as_str().into(),
        given(filter.search),
    ];
    (
        Query::new(
            OF_ORGANIZATION,
            [
                caller.clone(),
                tenant.clone(),
                status.clone(),
                search.clone(),
                limit.into(),
                offset.into(),
            ],
        ),
        Query::new(COUNT_OF_ORGANIZATION, [caller, tenant, status, search]),
    )
}

/// What somebody can ask for.
pub fn askable(caller: &ObjectId, search: Option<&str>, page: Page) -> Part<BodyRow> {
    let (limit, offset) = page.window();
    (
        Query::new(ASKABLE, [caller.into(), given(search), limit.into(), offset.into()]),
        Query::new(COUNT_ASKABLE, [caller.into(), given(search)]),
    )
}

fn part(list: &'static str, count: &'static str, of: Arg, page: Page) -> Part<Listed> {
    let (limit, offset) = page.window();
    (
        Query::new(list, [of.clone(), limit.into(), offset.into()]),
        Query::new(count, [of]),
    )
}

/// A text that narrows, unless it is empty.
fn given(text: Option<&str>) -> Arg {
    text.filter(|text| !text.is_empty()).into()
}
