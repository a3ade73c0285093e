use super::*;
use crate::features::sharing::access::GuestAccess;
use crate::testing::{TestDb, id};

const SOON: &str = "2099-01-01T00:00:00.000Z";
const NOW: &str = "2026-01-02T00:00:00.000Z";

/// Bob's session on Ann's machine, which a group lets him reach; Cid is a colleague, Eve is not.
fn db() -> TestDb {
    let db = TestDb::new();
    db.user("ann", "acme", "company_admin");
    db.user("bob", "acme", "user");
    db.user("cid", "acme", "user");
    db.user("eve", "other", "company_admin");
    db.machine("web", "ann");
    db.group("ops", "acme", &["bob"], &["web"]);
    db.session("s1", "bob", "web");
    db
}

fn control(db: &TestDb, caller: &str) -> Result<SharingControl, String> {
    let caller = db.caller(caller);
    let found = db.run(find_session(caller.id(), "s1"));
    SharingControl::decide(caller, found).map_err(|error| format!("{error:?}"))
}

fn inviting(db: &TestDb, caller: &str) -> Result<Inviting, String> {
    control(db, caller)?.inviting().map_err(|error| format!("{error:?}"))
}

fn terms(can_type: bool) -> Terms<'static> {
    Terms {
        can_type,
        expires_at: Some(SOON),
        now: NOW,
    }
}

fn invited(db: &TestDb, name: &str, can_type: bool) -> Option<ShareRow> {
    let caller = id("bob").parse().unwrap();
    let invitee = db
        .run(find_invitee(&caller, "s1", None, Some(name)))
        .into_iter()
        .next()?;
    let (invite, find) = invite(&inviting(db, "bob").unwrap(), &invitee, &terms(can_type)).unwrap();
    db.run(invite);
    db.run(find).into_iter().next()
}

/// The token of a new link.
fn link(db: &TestDb, can_type: bool) -> Secret {
    let token = mint().unwrap();
    let (make, find) = make_link(&inviting(db, "bob").unwrap(), &token, &terms(can_type)).unwrap();
    db.run(make);
    assert_eq!(db.run(find).len(), 1);
    token
}

/// What somebody gets by a link: whether they may type.
fn joined(db: &TestDb, name: &str, token: &Secret) -> Result<bool, String> {
    let caller = db.caller(name);
    let found = db.run(find_link(caller.id(), token));
    let link = LinkAccess::decide(caller, found).map_err(|error| format!("{error:?}"))?;
    let (join, find) = join(&link, NOW).unwrap();
    db.run(join);
    Ok(db.run(find).remove(0).can_type)
}

fn ends(db: &TestDb, share: &ObjectId) {
    let control = control(db, "bob").unwrap();
    let found = db.run(find(&control, share.as_str()));
    db.run(end(&control.share(found).unwrap()));
}

fn listed(db: &TestDb) -> Vec<(Option<String>, bool)> {
    let rows = db.run(list(&control(db, "bob").unwrap()));
    rows.into_iter().map(|row| (row.username, row.can_type)).collect()
}

#[test]
fn whose_session_it_is_shares_it_and_who_may_end_it_sees_that() {
    let db = db();
    assert!(inviting(&db, "bob").is_ok());
    assert!(control(&db, "ann").is_ok());
    assert!(inviting(&db, "ann").unwrap_err().contains("not_your_session"));
    assert!(control(&db, "cid").is_err());
    let (foreign, unknown) = (control(&db, "eve").unwrap_err(), {
        let caller = db.caller("eve");
        let found = db.run(find_session(caller.id(), "nothing"));
        format!("{:?}", SharingControl::decide(caller, found).unwrap_err())
    });
    assert_eq!(foreign, unknown);
    db.execute("DELETE FROM group_members");
    assert!(inviting(&db, "bob").is_err(), "he has lost the machine");
}

#[test]
fn people_of_the_organization_are_invited_and_nobody_else() {
    let db = db();
    assert!(invited(&db, "eve", false).is_none());
    assert!(invited(&db, "nobody", false).is_none());
    assert!(!invited(&db, "cid", false).unwrap().can_type);
    assert!(
        invited(&db, "CID", true).unwrap().can_type,
        "invited again, it is as it was meant last"
    );
    assert_eq!(listed(&db), [(Some("cid".to_owned()), true)]);
    db.execute("UPDATE users SET disabled_at = 'x' WHERE username = 'ann'");
    assert!(invited(&db, "ann", false).is_none());
    // Their own they have.
    assert!(invited(&db, "bob", false).is_none());
}

#[test]
fn a_guest_sees_what_is_shared_with_them_while_it_stands() {
    let db = db();
    let of = |db: &TestDb, name: &str| db.run(list_of_guest(&id(name).parse().unwrap())).len();
    let share = invited(&db, "cid", false).unwrap();
    assert_eq!((of(&db, "cid"), of(&db, "bob"), of(&db, "eve")), (1, 0, 0));
    let load = |name: &str| {
        let caller = db.caller(name);
        let found = db.run(find_of_guest(caller.id(), share.id.as_str()));
        GuestAccess::decide(caller, found).map(|access| access.share().owner.clone())
    };
    assert_eq!(load("cid").unwrap(), "bob");
    assert!(load("ann").is_err(), "an invitation is one person's");
    ends(&db, &share.id);
    assert_eq!(of(&db, "cid"), 0);
    invited(&db, "cid", false);
    db.execute("UPDATE session_shares SET expires_at = '2026-01-01T00:00:00.000Z'");
    assert_eq!((of(&db, "cid"), listed(&db).len()), (0, 0));
}

#[test]
fn what_is_shared_goes_with_its_session_and_does_not_come_back_with_it() {
    let db = db();
    invited(&db, "cid", false);
    link(&db, false);
    db.execute("UPDATE terminal_sessions SET status = 'closed'");
    assert_eq!(db.count("session_shares"), 0);
    db.execute("UPDATE terminal_sessions SET status = 'active'");
    invited(&db, "cid", false);
    db.execute("DELETE FROM terminal_sessions");
    assert_eq!(db.count("session_shares"), 0);
}

#[test]
fn a_link_lets_members_in_and_takes_them_along() {
    let db = db();
    let token = link(&db, false);
    assert_eq!(joined(&db, "cid", &token), Ok(false));
    assert_eq!(joined(&db, "cid", &token), Ok(false), "twice is once");
    assert!(joined(&db, "bob", &token).unwrap_err().contains("own_session"));
    let foreign = joined(&db, "eve", &token).unwrap_err();
    assert_eq!(foreign, joined(&db, "cid", &mint().unwrap()).unwrap_err());
    assert_eq!(db.count("session_shares"), 2);
    // Another gives more; one that gives less takes nothing.
    assert_eq!(joined(&db, "cid", &link(&db, true)), Ok(true));
    assert_eq!(joined(&db, "cid", &token), Ok(true));
    let of = db.run(list(&control(&db, "bob").unwrap()));
    let came_by = of.iter().find_map(|row| row.link.clone()).unwrap();
    ends(&db, &came_by);
    assert_eq!(listed(&db), [(None, false)], "the other link");
}

#[test]
fn whoever_was_sent_away_does_not_come_back_by_a_link() {
    let db = db();
    let token = link(&db, true);
    joined(&db, "cid", &token).unwrap();
    let of = db.run(list(&control(&db, "bob").unwrap()));
    ends(&db, &of.iter().find(|row| row.username.is_some()).unwrap().id);
    assert_eq!(listed(&db), [(None, true)]);
    assert!(joined(&db, "cid", &token).unwrap_err().contains("share_removed"));
    assert!(
        joined(&db, "cid", &link(&db, true))
            .unwrap_err()
            .contains("share_removed")
    );
    assert!(
        !invited(&db, "cid", false).unwrap().can_type,
        "unless they are invited by name"
    );
}

#[test]
fn a_link_that_has_expired_is_like_none() {
    let db = db();
    let token = link(&db, true);
    db.execute("UPDATE session_shares SET expires_at = '2026-01-01T00:00:00.000Z'");
    assert_eq!(joined(&db, "cid", &token), joined(&db, "cid", &mint().unwrap()));
}

#[test]
fn a_session_is_shared_with_a_bounded_number() {
    let db = db();
    for _ in 1..MAX_SHARES {
        link(&db, false);
    }
    assert!(invited(&db, "cid", false).is_some());
    assert!(
        invited(&db, "cid", true).is_some(),
        "who is invited already can be invited anew"
    );
    assert!(invited(&db, "ann", false).is_none());
    let (make, found) = make_link(&inviting(&db, "bob").unwrap(), &mint().unwrap(), &terms(false)).unwrap();
    db.run(make);
    assert!(db.run(found).is_empty());
}

#[test]
fn a_database_that_is_read_by_somebody_gives_no_link_away() {
    let db = db();
    let token = link(&db, true);
    let found = format!(
        "session_shares WHERE instr(id || COALESCE(digest, ''), '{}')",
        token.expose()
    );
    assert_eq!(db.count(&found), 0);
}
