use durable_objects::relay::{Claimant, CommandClaim, Question, Verdict};
use protocol::ids::{CommandId, StreamId};
use protocol::relay_contract::SignIn;

use super::*;
use crate::testing::{TestDb, id};

/// `bob` has a session on `web`, a machine of `ann`'s, which a group lets him reach.
fn db() -> TestDb {
    let db = TestDb::new();
    db.user("ann", "acme", "company_admin");
    db.user("bob", "acme", "user");
    db.machine("web", "ann");
    db.group("ops", "acme", &["bob"], &["web"]);
    db.session("s1", "bob", "web");
    db
}

fn bobs(sudo: bool, proof: Option<SignIn>) -> Claim {
    Claim {
        claimant: Claimant::Session(StreamId(1)),
        session: "s1".parse().unwrap(),
        user: id("bob").parse().unwrap(),
        sudo,
        tie: Tie::Owner,
        proof,
    }
}

fn token(sign_in: &str, version: i64) -> Option<SignIn> {
    Some(SignIn {
        sign_in: sign_in.to_owned(),
        token_version: Some(version),
        until: None,
        ..SignIn::default()
    })
}

fn asked(db: &TestDb, claims: Vec<Claim>) -> Vec<bool> {
    let mut question = Question::of_agent("");
    question.claims = claims;
    let (hold, ..) = queries(&id("web").parse().unwrap(), &question);
    verdict(&question, (db.run(hold), None, None)).claims
}

fn holds(db: &TestDb, claim: Claim) -> bool {
    asked(db, vec![claim])[0]
}

#[test]
fn a_claim_holds_while_the_row_is_active_and_its_owner_may() {
    let db = db();
    assert!(holds(&db, bobs(false, None)));
    assert!(holds(&db, bobs(false, token("s", 0))));
    let mut anns = bobs(false, None);
    anns.user = id("ann").parse().unwrap();
    let mut other = bobs(false, None);
    other.session = "s2".parse().unwrap();
    assert_eq!(asked(&db, vec![anns, bobs(false, None), other]), [false, true, false]);
}

#[test]
fn whatever_is_withdrawn_ends_it() {
    for sql in [
        "UPDATE terminal_sessions SET status = 'closed'",
        "DELETE FROM group_members",
        "UPDATE users SET disabled_at = 'x' WHERE username = 'bob'",
        "UPDATE users SET deleted_at = 'x' WHERE username = 'bob'",
        "UPDATE organizations SET disabled_at = 'x'",
        "UPDATE machines SET status = 'revoked'",
        "DELETE FROM terminal_sessions",
    ] {
        let db = db();
        db.execute(sql);
        assert!(!holds(&db, bobs(false, None)), "{sql}");
    }
}

#[test]
fn privileges_are_a_right_of_their_own() {
    let db = db();
    assert!(!holds(&db, bobs(true, None)));
    db.execute(
        "UPDATE machines SET allow_sudo = 1; UPDATE users SET machine_role = 'allow_sudo' WHERE username = 'bob'",
    );
    assert!(holds(&db, bobs(true, None)));
}

#[test]
fn a_sign_in_ends_with_the_tokens_of_its_account_and_with_its_sign_out() {
    let db = db();
    db.execute("INSERT INTO revoked_sign_ins VALUES ('gone', '2099-01-01T00:00:00.000Z')");
    assert!(!holds(&db, bobs(false, token("gone", 0))));
    assert!(holds(&db, bobs(false, token("here", 0))));
    db.execute("UPDATE users SET token_version = 1 WHERE username = 'bob'");
    assert!(!holds(&db, bobs(false, token("here", 0))));
    assert!(holds(&db, bobs(false, token("here", 1))));
    assert!(
        holds(&db, bobs(false, None)),
        "the shell waits for its owner to sign in again"
    );
}

#[test]
fn whoever_watches_needs_a_right_of_their_own() {
    let db = db();
    db.user("cid", "acme", "user");
    let plays = |tie| Claim {
        user: id("cid").parse().unwrap(),
        tie,
        ..bobs(false, None)
    };
    assert!(!holds(&db, plays(Tie::Player)));
    db.grant("web", "cid", "", None);
    assert!(holds(&db, plays(Tie::Player)));
    assert!(!holds(&db, plays(Tie::Owner)), "the session is bob's");
    db.execute("UPDATE users SET disabled_at = 'x' WHERE username = 'cid'");
    assert!(!holds(&db, plays(Tie::Player)));
}

#[test]
fn a_guest_needs_an_invitation_and_no_right_to_the_machine() {
    let db = db();
    db.user("cid", "acme", "user");
    db.user("eve", "other", "company_admin");
    let guest = |name: &str, can_type| Claim {
        user: id(name).parse().unwrap(),
        tie: Tie::Guest { can_type },
        ..bobs(false, None)
    };
    let both = |db: &TestDb, name| asked(db, vec![guest(name, false), guest(name, true)]);
    assert_eq!(both(&db, "cid"), [false, false]);
    // Who reaches the machine is no guest by that.
    assert_eq!(both(&db, "ann"), [false, false]);
    db.share("s1", "cid", false, None);
    assert_eq!(both(&db, "cid"), [true, false]);
    assert!(!holds(
        &db,
        Claim {
            tie: Tie::Owner,
            ..guest("cid", false)
        }
    ));
    assert!(!holds(
        &db,
        Claim {
            tie: Tie::Player,
            ..guest("cid", false)
        }
    ));
    db.execute("UPDATE session_shares SET can_type = 1");
    assert_eq!(
        both(&db, "cid"),
        [false, true],
        "one who was invited to watch before is let in anew"
    );
    db.share("s1", "eve", true, None);
    assert_eq!(both(&db, "eve"), [false, false], "of another organization");
    for sql in [
        "UPDATE session_shares SET removed_at = 'x'",
        "UPDATE session_shares SET expires_at = '2026-01-01T00:00:00.000Z'",
        "UPDATE terminal_sessions SET status = 'closed'",
        "UPDATE users SET disabled_at = 'x' WHERE username = 'cid'",
        "DELETE FROM session_shares",
    ] {
        let db = self::db();
        db.user("cid", "acme", "user");
        db.share("s1", "cid", false, Some("2099-01-01T00:00:00.000Z"));
        assert!(holds(&db, guest("cid", false)));
        db.execute(sql);
        assert!(!holds(&db, guest("cid", false)), "{sql}");
    }
}

#[test]
fn a_key_ends_with_its_time_and_with_its_row() {
    let db = db();
    let key = "a".repeat(24);
    let proof = Some(SignIn {
        sign_in: format!("key:{key}"),
        token_version: None,
        until: None,
        ..SignIn::default()
    });
    assert!(!holds(&db, bobs(false, proof.clone())));
    db.execute(&format!(
        "INSERT INTO api_keys (id, user_id, name, key_hash, key_prefix, created_at)
         SELECT '{key}', id, 'ci', 'hash', 'vsay_x', created_at FROM users WHERE username = 'bob'"
    ));
    assert!(holds(&db, bobs(false, proof.clone())));
    db.execute("UPDATE api_keys SET expires_at = '2026-01-01T00:00:00.000Z'");
    assert!(!holds(&db, bobs(false, proof)));
}

#[test]
fn an_agent_serves_while_its_key_is_the_machines() {
    let db = db();
    db.execute("UPDATE machines SET agent_public_key = 'new', status = 'offline'");
    let agent = |key: &str| {
        let question = Question::of_agent(key);
        let (hold, run, key) = queries(&id("web").parse().unwrap(), &question);
        assert!(run.is_none());
        verdict(&question, (db.run(hold), None, key.map(|key| db.run(key))))
            == Verdict {
                claims: vec![],
                commands: vec![],
                agent: true,
                policies: Some(Default::default()),
            }
    };
    assert!(agent("new"));
    assert!(!agent("old"));
    db.execute("UPDATE machines SET status = 'revoked'");
    assert!(!agent("new"));
}

#[test]
fn an_agent_is_told_what_commands_may_run_on_its_machine() {
    let db = db();
    db.execute(
        r#"UPDATE machines SET agent_public_key = 'key', status = 'offline', command_policy = '{"allowed_commands":["df"]}';
        UPDATE organizations SET command_policy = '{"blocked_commands":["rm"]}'"#,
    );
    let (hold, _, key) = queries(&id("web").parse().unwrap(), &Question::of_agent("key"));
    let told = verdict(
        &Question::of_agent("key"),
        (db.run(hold), None, key.map(|key| db.run(key))),
    )
    .policies;
    let told = told.expect("the key is the machine's");
    assert_eq!(told.machine.allowed_commands, ["df"]);
    assert_eq!(told.organization.blocked_commands, ["rm"]);
    assert!(told.machine.blocked_commands.is_empty());
}

/// Whether `bob`'s command may be run.
fn may_run(db: &TestDb) -> bool {
    let mut question = Question::of_agent("");
    question.commands = vec![CommandClaim {
        stream: StreamId(1),
        command_id: command_id(),
        starts: true,
    }];
    let (_, run, _) = queries(&id("web").parse().unwrap(), &question);
    verdict(&question, (Vec::new(), run.map(|run| db.run(run)), None)).commands[0]
}

fn command_id() -> CommandId {
    format!("cmd_{}", id("c1")).parse().unwrap()
}

/// `bob` has sent a command to `web`.
fn with_command() -> TestDb {
    let db = db();
    db.command(command_id().as_str(), "bob", "web");
    db
}

#[test]
fn a_command_may_be_run_until_it_is_over_or_its_sender_may_no_longer() {
    for (sql, expected) in [
        ("UPDATE users SET role = role", true),
        ("UPDATE commands SET finished_at = 'x'", false),
        ("DELETE FROM group_members", false),
        ("UPDATE users SET disabled_at = 'x' WHERE username = 'bob'", false),
        ("UPDATE organizations SET disabled_at = 'x'", false),
        ("UPDATE machines SET status = 'revoked'", false),
        ("UPDATE commands SET sudo = 1", false),
        (
            "UPDATE commands SET sudo = 1; UPDATE machines SET allow_sudo = 1; UPDATE users SET machine_role = 'allow_sudo'",
            true,
        ),
        ("INSERT INTO revoked_sign_ins VALUES ('s', 'x')", true),
        ("UPDATE commands SET token_version = 0", true),
        (
            "UPDATE commands SET token_version = 0; UPDATE users SET token_version = 1",
            false,
        ),
        ("UPDATE commands SET key_id = 'gone'", false),
    ] {
        let db = with_command();
        db.execute(sql);
        assert_eq!(may_run(&db), expected, "{sql}");
    }
}

#[test]
fn a_command_of_another_machine_may_not_be_run_here() {
    let db = db();
    db.machine("mail", "ann");
    db.group("mail", "acme", &["bob"], &["mail"]);
    db.command(command_id().as_str(), "bob", "mail");
    assert!(!may_run(&db));
}

#[test]
fn a_socket_ends_when_its_network_is_not_let_in_any_more_and_a_shell_stays() {
    let db = db();
    let from = |address: &str| {
        let proof = SignIn {
            address: address.to_owned(),
            ..token("s", 0).unwrap()
        };
        bobs(false, Some(proof))
    };
    let all = |db: &TestDb| {
        asked(
            db,
            vec![from("10.1.2.3"), from("192.0.2.1"), from(""), bobs(false, None)],
        )
    };
    assert_eq!(all(&db), [true; 4]);
    db.execute("UPDATE organizations SET allowed_networks = '[\"10.0.0.0/8\"]'");
    assert_eq!(all(&db), [true, false, false, true]);
    db.execute("UPDATE users SET role = 'super_admin' WHERE username = 'bob'");
    assert_eq!(all(&db), [true; 4]);
}

#[test]
fn a_session_on_another_host_is_had_by_a_permission_and_not_by_reaching_the_runner() {
    let db = db();
    db.execute("UPDATE terminal_sessions SET ssh_host = 'h', ssh_right = 'inventory.server.ssh'");
    assert!(
        !holds(&db, bobs(false, None)),
        "he reaches the machine, which gives him no other host"
    );
    db.execute(
        "INSERT INTO roles (id, organization_id, name, created_at) SELECT 100, organization_id, 'ssh', 'x' FROM users WHERE username = 'bob';
         INSERT INTO role_permissions VALUES (100, 'instances.view');
         INSERT INTO user_roles SELECT id, 100 FROM users WHERE username = 'bob'; DELETE FROM group_members",
    );
    assert!(!holds(&db, bobs(false, None)));
    for permission in ["inventory.server.ssh", "instances.ssh"] {
        db.execute(&format!("UPDATE role_permissions SET permission = '{permission}'"));
        assert!(holds(&db, bobs(false, None)), "{permission}");
        assert!(!holds(&db, bobs(true, None)), "never with privileges on the runner");
    }
    for sql in [
        "UPDATE role_permissions SET permission = 'instances.view'",
        "UPDATE users SET role = 'company_admin' WHERE username = 'bob'; UPDATE terminal_sessions SET status = 'closed'",
    ] {
        db.execute(sql);
        assert!(!holds(&db, bobs(false, None)), "{sql}");
    }
}

#[test]
fn a_session_on_a_host_that_is_a_server_of_the_inventory_goes_by_the_rules_about_that_too() {
    let db = db();
    db.execute(
        "INSERT INTO roles (id, organization_id, name, created_at) SELECT 100, organization_id, 'ops', 'x' FROM users WHERE username = 'bob';
         INSERT INTO user_roles SELECT id, 100 FROM users WHERE username = 'bob';
         INSERT INTO role_permissions VALUES (100, 'inventory.server.ssh');
         INSERT INTO inventory_objects (id, organization_id, type_id, name, data, search, created_at, updated_at)
           SELECT n.value, t.organization_id, t.id, 'thing', iif(n.value = 7, '{\"hostname\":\"h\"}', '{\"hostname\":\"other\"}'), 'h', 'x', 'x'
           FROM inventory_types t, json_each('[7, 8]') n WHERE t.slug = 'server' AND t.organization_id = (SELECT organization_id FROM users WHERE username = 'bob');
         UPDATE terminal_sessions SET ssh_host = 'h', ssh_right = 'ssh', ssh_object = 8",
    );
    let rule = |object: i64, effect: &str| {
        db.execute(&format!(
            "INSERT INTO inventory_acl (object_id, role_id, permission, effect) VALUES ({object}, 100, 'ssh', '{effect}')"
        ));
    };
    assert!(holds(&db, bobs(false, None)));
    rule(7, "deny");
    assert!(
        !holds(&db, bobs(false, None)),
        "the server of the host's name is denied him"
    );
    db.execute("UPDATE terminal_sessions SET ssh_object = NULL, ssh_right = 'inventory.server.ssh'");
    assert!(!holds(&db, bobs(false, None)), "by which way he came does not matter");
    db.execute("DELETE FROM inventory_acl");
    assert!(holds(&db, bobs(false, None)));
    rule(8, "deny");
    assert!(holds(&db, bobs(false, None)), "it is another host");
}
