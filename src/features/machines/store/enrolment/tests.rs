use super::*;
use crate::features::machines::store as machines;
use crate::testing::TestDb;

const ALPHA: &str = "000000000000000000000000";

/// `ann` and `bob`, and `ann`'s machine `alpha`, which waits for the agent with the token of digest `token`.
fn db() -> TestDb {
    let db = TestDb::new();
    db.user("ann", "acme", "user");
    db.user("bob", "acme", "user");
    let new = machines::NewMachine {
        id: ALPHA.parse().unwrap(),
        agent_id: "000000000000".parse().unwrap(),
        request: protocol::api::machines::CreateMachine {
            name: "alpha".into(),
            linux_user: "deploy".into(),
            ..Default::default()
        },
        token_hash: "token".into(),
        token_sealed: "sealed".into(),
        now: "2026-01-01T00:00:00.000Z".into(),
    };
    db.run(machines::insert(&db.caller("ann"), &new).unwrap());
    db
}

fn request(host_id: &str) -> Enroll {
    Enroll {
        token: String::new().into(),
        public_key: format!("key of {host_id}"),
        hostname: "host".into(),
        os: "Debian 12".into(),
        host_id: Some(host_id.into()),
        name: None,
        linux_user: None,
        allow_sudo: Some(true),
        version: "0.1.0".into(),
    }
}

fn by_token(db: &TestDb, token: &str, host_id: &str) -> Vec<Enrolled> {
    let (release, enroll) = enroll_by_token(token, &request(host_id));
    db.run(release);
    db.run(enroll)
}

fn by_key(db: &TestDb, key: &str, host_id: &str) -> (Vec<KeyOwner>, Vec<KnownHost>, Vec<String>) {
    let (owner, (host, names)) = find_by_key(key, request(host_id).host(), "host");
    (
        db.run(owner),
        db.run(host),
        db.run(names).into_iter().map(|row| row.name).collect(),
    )
}

fn add_host(db: &TestDb, n: usize, name: &str, host_id: &str) -> Enrolled {
    let new = NewHost {
        id: format!("{n:024x}").parse().unwrap(),
        agent_id: format!("{n:012x}").parse().unwrap(),
        name,
        now: "2026-01-01T00:00:00.000Z",
    };
    db.run(insert_enrolled("key of ann", &new, &request(host_id))).remove(0)
}

#[test]
fn a_registration_token_enrols_its_machine_once() {
    let db = db();
    let machine = db.run(find_by_token("token")).remove(0);
    assert_eq!(
        (
            machine.id.as_str(),
            machine.name.as_str(),
            machine.owner.as_str(),
            machine.status
        ),
        (ALPHA, "alpha", "ann", MachineStatus::Pending)
    );
    let enrolled = by_token(&db, "token", "aa");
    assert_eq!(
        (enrolled[0].machine_id.as_str(), enrolled[0].name.as_str()),
        (ALPHA, "alpha")
    );
    assert!(db.run(find_by_token("token")).is_empty());
    assert!(by_token(&db, "token", "aa").is_empty());
    let identity = db.run(find_identity(&"000000000000".parse().unwrap())).remove(0);
    assert_eq!(
        (identity.status, identity.agent_public_key.as_deref()),
        (MachineStatus::Offline, Some("key of aa"))
    );
}

#[test]
fn an_enrolment_keeps_what_the_agent_does_not_say() {
    let db = db();
    by_token(&db, "token", "aa");
    let found = db
        .run(machines::find(
            db.caller("ann").id(),
            &machines::Key::Id(ALPHA.parse().unwrap()),
        ))
        .remove(0);
    assert_eq!(
        (found.machine.linux_user.as_str(), found.machine.allow_sudo),
        ("deploy", true)
    );
    assert_eq!(found.registration_token_sealed, None);
}

#[test]
fn a_revoked_machine_is_not_enrolled_and_its_token_says_so() {
    let db = db();
    db.execute("UPDATE machines SET status = 'revoked'");
    assert!(by_token(&db, "token", "aa").is_empty());
    assert_eq!(db.run(find_by_token("token"))[0].status, MachineStatus::Revoked);
}

#[test]
fn an_api_key_finds_its_owner_the_host_and_the_names_that_are_taken() {
    let db = db();
    add_host(&db, 1, "host", "aa");
    add_host(&db, 2, "host-2", "bb");
    let (owner, host, mut names) = by_key(&db, "key of ann", "aa");
    names.sort();
    assert_eq!(
        (owner.len(), host[0].id.as_str(), names),
        (1, "000000000000000000000001", vec!["host".to_owned(), "host-2".into()])
    );
    let (owner, host, names) = by_key(&db, "key of bob", "aa");
    assert_eq!(
        (owner.len(), host.len(), names.len()),
        (1, 0, 0),
        "another account's machines are its own business"
    );
    assert_eq!(by_key(&db, "no such key", "aa").0.len(), 0);
}

#[test]
fn the_key_of_an_account_that_is_disabled_or_whose_organization_is_enrols_nothing() {
    for table in ["users", "organizations"] {
        let db = db();
        db.execute(&format!("UPDATE {table} SET disabled_at = '2026-01-01T00:00:00.000Z'"));
        assert!(by_key(&db, "key of ann", "aa").0.is_empty(), "{table}");
    }
}

#[test]
fn where_only_administrators_make_machines_a_key_says_so() {
    let db = db();
    assert!(by_key(&db, "key of ann", "aa").0[0].may_create);
    db.execute("UPDATE organizations SET admins_create_machines = 1");
    assert!(!by_key(&db, "key of ann", "aa").0[0].may_create);
    db.execute("UPDATE users SET role = 'company_admin' WHERE username = 'ann'");
    assert!(by_key(&db, "key of ann", "aa").0[0].may_create);
}

#[test]
fn the_same_host_enrolled_again_is_the_same_machine_with_a_new_key() {
    let db = db();
    let first = add_host(&db, 1, "host", "aa");
    let again = db.run(enroll_again(
        "key of ann",
        &first.machine_id,
        &Enroll {
            public_key: "new key".into(),
            ..request("aa")
        },
    ));
    assert_eq!(again.as_slice(), std::slice::from_ref(&first));
    assert_eq!(
        db.run(find_identity(&first.agent_id))
            .remove(0)
            .agent_public_key
            .as_deref(),
        Some("new key")
    );
}

#[test]
fn a_key_that_was_replaced_while_a_machine_enrolled_enrols_it_no_more() {
    for change in [
        "UPDATE users SET api_key_hash = 'new key' WHERE username = 'ann'",
        "UPDATE users SET disabled_at = 'x' WHERE username = 'ann'",
        "UPDATE organizations SET disabled_at = 'x'",
    ] {
        let db = db();
        let first = add_host(&db, 1, "host", "aa");
        // Both were looked up while the key was good.
        let again = enroll_again("key of ann", &first.machine_id, &request("aa"));
        let new = NewHost {
            id: "2".repeat(24).parse().unwrap(),
            agent_id: "222222222222".parse().unwrap(),
            name: "host-2",
            now: "2026-01-01T00:00:00.000Z",
        };
        let another = insert_enrolled("key of ann", &new, &request("bb"));
        db.execute(change);
        assert!(db.run(again).is_empty(), "{change}");
        assert!(db.run(another).is_empty(), "{change}");
        assert_eq!(db.count("machines"), 2, "{change}");
    }
}

#[test]
fn a_key_enrols_no_host_again_that_is_anothers() {
    let db = db();
    let first = add_host(&db, 1, "host", "aa");
    assert!(
        db.run(enroll_again("key of bob", &first.machine_id, &request("aa")))
            .is_empty()
    );
}

#[test]
fn a_host_that_enrols_with_a_token_becomes_that_tokens_machine() {
    let db = db();
    add_host(&db, 1, "host", "aa");
    assert_eq!(by_token(&db, "token", "aa")[0].machine_id.as_str(), ALPHA);
    assert_eq!(by_key(&db, "key of ann", "aa").1[0].id.as_str(), ALPHA);
}

#[test]
fn a_token_that_is_unknown_releases_nothing() {
    let db = db();
    add_host(&db, 1, "host", "aa");
    assert!(by_token(&db, "guess", "aa").is_empty());
    assert_eq!(
        by_key(&db, "key of ann", "aa").1[0].id.as_str(),
        "000000000000000000000001"
    );
}
