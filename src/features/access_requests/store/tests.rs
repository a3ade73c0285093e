use protocol::api::access_requests::{AccessRequest, AccessRequestStatus};

use super::*;
use crate::features::access_requests::row::Listed;
use crate::features::machines::access::MachineAccess;
use crate::features::machines::store::{self as machines, Key};
use crate::http::page::Page;
use crate::platform::db::Count;
use crate::platform::error::ApiError;
use crate::testing::{TestDb, id, published};

const NOW: &str = "2026-02-01T00:00:00.000Z";
const PAST: &str = "2020-01-01T00:00:00.000Z";
const FUTURE: &str = "2999-01-01T00:00:00.000Z";

/// `web` of `ann`'s in `acme`, where `admin` administers and `bob` and `cid` are; `eve` administers `evil`; `root` is a super
/// administrator elsewhere.
fn db() -> TestDb {
    let db = TestDb::new();
    for (name, organization, role) in [
        ("admin", "acme", "company_admin"),
        ("ann", "acme", "user"),
        ("bob", "acme", "user"),
        ("cid", "acme", "user"),
        ("eve", "evil", "company_admin"),
        ("root", "platform", "super_admin"),
    ] {
        db.user(name, organization, role);
    }
    db.machine("web", "ann");
    db.execute("UPDATE machines SET allow_sudo = 1");
    db
}

fn access(db: &TestDb, caller: &str) -> Result<MachineAccess, u16> {
    let caller = db.caller(caller);
    let found = db.run(machines::find(caller.id(), &Key::Id(id("web").parse().unwrap())));
    MachineAccess::decide(caller, found).map_err(|error| error.status().as_u16())
}

fn ask(db: &TestDb, who: &str, sudo: bool) -> Result<ObjectId, String> {
    let caller = db.caller(who);
    let found = db.run(machines::find(caller.id(), &Key::Id(id("web").parse().unwrap())));
    let askable = Askable::decide(caller, found, sudo).map_err(|error| error.text().to_owned())?;
    let new = NewRequest {
        id: id(&format!("{who} {}", db.count("access_requests"))).parse().unwrap(),
        note: "to repair it",
        sudo,
        duration_hours: 2,
        now: NOW.to_owned(),
    };
    db.try_run(insert(&askable, &new))?;
    Ok(new.id)
}

fn control(db: &TestDb, who: &str, request: &ObjectId) -> Result<RequestControl, ApiError> {
    let caller = db.caller(who);
    let found = db.run(find(caller.id(), request));
    RequestControl::decide(caller, found)
}

fn approve_as(db: &TestDb, who: &str, request: &ObjectId, expires_at: Option<&str>) -> Result<usize, u16> {
    let approval = control(db, who, request).and_then(RequestControl::approval);
    let approval = approval.map_err(|error| error.status().as_u16())?;
    Ok(db.run(approve(&approval, NOW, expires_at)).len())
}

fn read(db: &TestDb, request: &ObjectId) -> AccessRequest {
    control(db, "admin", request).unwrap().request().clone()
}

#[test]
fn a_machine_is_asked_for_by_those_of_its_organization_who_do_not_own_it_and_once() {
    let db = db();
    let request = ask(&db, "bob", false).unwrap();
    assert!(ask(&db, "bob", true).unwrap_err().contains("UNIQUE"));
    ask(&db, "cid", false).unwrap();
    ask(&db, "admin", false).unwrap();
    assert_eq!(ask(&db, "ann", false).unwrap_err(), "You own this machine");
    assert_eq!(ask(&db, "eve", false).unwrap_err(), "Machine not found");
    assert_eq!(
        ask(&db, "root", false).unwrap_err(),
        "The machine belongs to another organization"
    );
    db.execute("UPDATE machines SET allow_sudo = 0; DELETE FROM access_requests WHERE requester_id <> (SELECT id FROM users WHERE username = 'bob')");
    assert!(ask(&db, "cid", true).unwrap_err().contains("machine_role"));

    let request = read(&db, &request);
    assert_eq!(request.status, AccessRequestStatus::Pending);
    assert_eq!(
        (
            request.requester_username.as_str(),
            request.owner_username.as_str(),
            request.tenant_id.as_str()
        ),
        ("bob", "ann", "acme")
    );
    assert_eq!(
        (request.request_note.as_str(), request.duration_hours),
        ("to repair it", 2)
    );
    assert_eq!((request.machine_role.as_str(), request.approved_by), ("", None));
}

#[test]
fn those_who_manage_the_machine_decide_and_nobody_upon_a_request_of_their_own() {
    let db = db();
    let request = ask(&db, "bob", false).unwrap();
    for (who, status) in [("bob", 403), ("cid", 403), ("eve", 404)] {
        assert_eq!(approve_as(&db, who, &request, None), Err(status), "{who}");
    }
    for who in ["ann", "admin", "root"] {
        assert_eq!(approve_as(&db, who, &request, None), Ok(1), "{who}");
        db.execute("UPDATE access_requests SET status = 'pending'");
    }
    let own = ask(&db, "admin", false).unwrap();
    assert_eq!(approve_as(&db, "admin", &own, None), Err(403));
    assert_eq!(approve_as(&db, "ann", &own, None), Ok(1));
}

#[test]
fn privileges_are_given_only_by_those_who_have_them_there() {
    let db = db();
    let request = ask(&db, "bob", true).unwrap();
    db.execute("UPDATE users SET machine_role = 'non_sudo' WHERE username = 'ann'");
    assert_eq!(approve_as(&db, "ann", &request, None), Err(403));
    assert_eq!(approve_as(&db, "admin", &request, None), Ok(1));
    assert!(access(&db, "bob").unwrap().may_sudo());
}

#[test]
fn an_approved_request_is_a_way_to_the_machine_until_its_time() {
    let db = db();
    assert_eq!(access(&db, "bob").unwrap_err(), 403);
    let request = ask(&db, "bob", false).unwrap();
    assert_eq!(access(&db, "bob").unwrap_err(), 403);
    approve_as(&db, "ann", &request, Some(FUTURE)).unwrap();
    assert_eq!(access(&db, "ann").unwrap().found().machine.granted_to, ["bob"]);
    assert!(!access(&db, "bob").unwrap().may_sudo());
    let request = read(&db, &request);
    assert_eq!(
        (request.status, request.approved_by.as_deref()),
        (AccessRequestStatus::Approved, Some("ann"))
    );

    // Also before the scheduled handler notes it.
    db.execute(&format!("UPDATE access_requests SET expires_at = '{PAST}'"));
    assert_eq!(access(&db, "bob").unwrap_err(), 403);
    assert!(access(&db, "ann").unwrap().found().machine.granted_to.is_empty());
    assert_eq!(read(&db, &request.id).status, AccessRequestStatus::Expired);
}

#[test]
fn a_request_adds_to_other_ways_and_ends_alone() {
    let db = db();
    db.grant("web", "bob", "non_sudo", None);
    let request = ask(&db, "bob", true).unwrap();
    approve_as(&db, "ann", &request, None).unwrap();
    assert!(access(&db, "bob").unwrap().may_sudo());
    // What was asked for without privileges takes none away.
    db.execute("UPDATE machine_grants SET machine_role = 'allow_sudo'; UPDATE access_requests SET sudo = 0");
    assert!(access(&db, "bob").unwrap().may_sudo());
    assert_eq!(db.run(revoke(&control(&db, "admin", &request).unwrap(), NOW)).len(), 1);
    assert!(access(&db, "bob").is_ok(), "the grant is left");
    db.execute("DELETE FROM machine_grants");
    assert!(access(&db, "bob").is_err());
    let request = read(&db, &request);
    assert_eq!(
        (request.status, request.revoked_by.as_deref()),
        (AccessRequestStatus::Revoked, Some("admin"))
    );
}

#[test]
fn a_request_is_decided_once() {
    let db = db();
    let request = ask(&db, "bob", false).unwrap();
    let approval = control(&db, "ann", &request)
        .and_then(RequestControl::approval)
        .unwrap();
    let admin = control(&db, "admin", &request).unwrap();
    let own = OwnRequest::decide(db.caller("bob"), db.run(find(db.caller("bob").id(), &request))).unwrap();
    assert!(db.run(revoke(&admin, NOW)).is_empty());
    assert_eq!(db.run(reject(&admin, "no", NOW)).len(), 1);
    assert!(db.run(approve(&approval, NOW, None)).is_empty());
    assert!(db.run(cancel(&own)).is_empty());
    let read = read(&db, &request);
    assert_eq!(
        (read.rejected_by.as_deref(), read.reject_comment.as_str()),
        (Some("admin"), "no")
    );
    assert!(OwnRequest::decide(db.caller("ann"), db.run(find(db.caller("ann").id(), &request))).is_err());
    // And may be asked for again.
    let again = ask(&db, "bob", false).unwrap();
    let own = OwnRequest::decide(db.caller("bob"), db.run(find(db.caller("bob").id(), &again))).unwrap();
    assert_eq!(db.run(cancel(&own)).len(), 1);
}

/// Who asked, in the order of a list, which counts them itself.
fn listed((rows, count): list::Part<Listed>, db: &TestDb) -> Vec<String> {
    let names: Vec<_> = db
        .run(rows)
        .into_iter()
        .map(|row| row.request.requester_username)
        .collect();
    assert_eq!(Count::of(&db.run(count)), names.len() as u64);
    names
}

#[test]
fn everybody_lists_what_concerns_them() {
    let db = db();
    db.machine("db", "admin");
    ask(&db, "bob", false).unwrap();
    ask(&db, "cid", false).unwrap();
    db.execute("UPDATE access_requests SET requested_at = '2026-02-02T00:00:00.000Z' WHERE requester_id = (SELECT id FROM users WHERE username = 'cid')");
    let of = |who: &str| db.caller(who).id().clone();
    let everything = Page::Everything;
    assert_eq!(listed(list::of_requester(&of("bob"), everything), &db), ["bob"]);
    assert_eq!(
        listed(list::of_machine(&id("web")[..12], everything), &db),
        ["cid", "bob"]
    );
    for (who, waiting) in [("ann", 2), ("admin", 2), ("bob", 0), ("eve", 0)] {
        assert_eq!(
            listed(list::to_decide(&of(who), everything), &db).len(),
            waiting,
            "{who}"
        );
    }
    let all = |who: &str, search, tenant_id| {
        let filter = list::Filter {
            status: AccessRequestStatus::Pending,
            search,
            tenant_id,
        };
        listed(list::of_organization(&of(who), &filter, everything), &db)
    };
    assert_eq!(all("admin", None, None), ["cid", "bob"]);
    assert_eq!(all("admin", Some("BOB@"), Some("evil")), ["bob"]);
    assert_eq!(all("admin", Some("%"), None), [""; 0]);
    assert_eq!(all("root", None, Some("acme")).len(), 2);
    assert!(all("root", None, None).is_empty() && all("eve", None, Some("acme")).is_empty());
    assert_eq!(Count::of(&db.run(list::count_pending(&id("web")[..12]))), 2);
}

#[test]
fn the_owner_and_administrators_are_told_and_not_whoever_asks() {
    let db = db();
    db.user("second", "acme", "company_admin");
    db.execute("UPDATE users SET disabled_at = 'x' WHERE username = 'second'");
    let told = |who: &str| -> Vec<String> {
        let caller = db.caller(who);
        let found = db.run(machines::find(caller.id(), &Key::Id(id("web").parse().unwrap())));
        let askable = Askable::decide(caller, found, false).unwrap();
        db.run(deciders(&askable))
            .into_iter()
            .map(|decider| decider.email)
            .collect()
    };
    assert_eq!(told("bob"), ["ann@example.org", "admin@example.org"]);
    assert_eq!(told("admin"), ["ann@example.org"]);
}

#[test]
fn what_can_be_asked_for_is_what_one_does_not_reach() {
    let db = db();
    db.machine("db", "admin");
    ask(&db, "bob", false).unwrap();
    let askable = |who: &str, search| {
        let (rows, count) = list::askable(db.caller(who).id(), search, Page::Everything);
        let rows = db.run(rows);
        assert_eq!(Count::of(&db.run(count)), rows.len() as u64);
        rows.iter()
            .map(|row| published::<protocol::api::access_requests::AskableMachine>(&row.body))
            .map(|machine| (machine.name, machine.owner, machine.pending))
            .collect::<Vec<_>>()
    };
    let machine = |name: &str, owner: &str, pending| (name.to_owned(), owner.to_owned(), pending);
    let both = [machine("db", "admin", false), machine("web", "ann", true)];
    assert_eq!(askable("bob", None), both);
    assert_eq!(askable("bob", Some("WE")), both[1..]);
    assert_eq!(askable("ann", None), both[..1]);
    assert!(askable("admin", None).is_empty() && askable("eve", None).is_empty());
}
