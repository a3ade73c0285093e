//! Who is admitted, and which rules let whom pass.
use super::*;
use crate::auth::{api_key, token};
use protocol::api::api_keys::KeyScope;

fn row() -> CallerRow {
    CallerRow {
        id: "0".repeat(24).parse().unwrap(),
        organization_id: "1".repeat(24).parse().unwrap(),
        username: "john".into(),
        role: Role::User,
        token_version: 3,
        is_active: true,
        revoked: false,
        must_reset_password: false,
        permissions: vec!["users.view".to_owned()],
        networks: Vec::new(),
    }
}

fn writes(rule: Rule) -> Operation {
    Operation {
        rule,
        effect: Effect::Writes,
        acts: false,
        before_password_change: false,
        of_people: false,
        in_person: false,
    }
}

fn reads(rule: Rule) -> Operation {
    Operation {
        effect: Effect::Reads,
        ..writes(rule)
    }
}

fn admit(row: Option<CallerRow>) -> Result<Caller, ApiError> {
    let proof = token::Proof {
        user_id: "0".repeat(24).parse().unwrap(),
        version: 3,
        sign_in: "s".into(),
        source: "ui".into(),
    };
    Caller::admit(row, Proof::Token(proof), RequestContext::of_a_test())
}

#[test]
fn a_token_is_dead_once_its_account_is_gone_or_does_not_stand_or_has_a_newer_version_or_signed_out() {
    assert!(admit(Some(row())).is_ok());
    for dead in [
        None,
        Some(CallerRow {
            is_active: false,
            ..row()
        }),
        Some(CallerRow { revoked: true, ..row() }),
        Some(CallerRow {
            token_version: 4,
            ..row()
        }),
    ] {
        assert!(admit(dead).is_err());
    }
}

#[test]
fn rules_let_pass_whom_they_name() {
    let of = |role| admit(Some(CallerRow { role, ..row() })).unwrap();
    let callers = [of(Role::User), of(Role::CompanyAdmin), of(Role::SuperAdmin)];
    for (rule, expected) in [
        (Rule::SignedIn, [true, true, true]),
        (Rule::Object, [true, true, true]),
        (Rule::Needs(Permission::UsersView), [true, true, true]),
        (Rule::Needs(Permission::RolesEdit), [false, true, true]),
        (Rule::AdminOr(Permission::UsersView), [true, true, true]),
        (Rule::AdminOr(Permission::UsersEdit), [false, true, true]),
        (Rule::Admin, [false, true, true]),
        (Rule::SuperAdmin, [false, false, true]),
    ] {
        let passed = callers.each_ref().map(|caller| caller.pass(writes(rule)).is_ok());
        assert_eq!(passed, expected, "{rule:?}");
    }
}

#[test]
fn a_key_that_only_reads_passes_no_write() {
    let key = api_key::UsedKey::of_a_test(row().id, KeyScope::Read);
    let caller = Caller::admit(Some(row()), Proof::Key(key), RequestContext::of_a_test()).unwrap();
    assert!(caller.pass(reads(Rule::SignedIn)).is_ok());
    assert!(caller.pass(writes(Rule::SignedIn)).is_err());
}

#[test]
fn a_key_passes_no_rule_that_wants_a_person() {
    let key = api_key::UsedKey::of_a_test(row().id, KeyScope::Full);
    let caller = Caller::admit(Some(row()), Proof::Key(key), RequestContext::of_a_test()).unwrap();
    assert!(caller.pass(writes(Rule::SignedIn)).is_ok());
    assert!(caller.pass(writes(Rule::InPerson)).is_err());
    assert!(caller.pass(Rule::Object.in_person()).is_err());
    let person = admit(Some(row())).unwrap();
    assert!(person.pass(writes(Rule::InPerson)).is_ok());
    assert!(person.pass(Rule::Object.in_person()).is_ok());
}

#[test]
fn a_key_administers_people_only_if_it_was_made_for_that() {
    for (scope, may) in [
        (KeyScope::Full, false),
        (KeyScope::Read, false),
        (KeyScope::PeopleAdmin, true),
    ] {
        let key = api_key::UsedKey::of_a_test(row().id, scope);
        let admin = CallerRow {
            role: Role::SuperAdmin,
            ..row()
        };
        let caller = Caller::admit(Some(admin), Proof::Key(key), RequestContext::of_a_test()).unwrap();
        assert_eq!(caller.pass(Rule::Admin.of_people()).is_ok(), may, "{scope:?}");
    }
}

#[test]
fn whose_password_somebody_else_chose_passes_only_what_leads_to_a_new_one() {
    let caller = admit(Some(CallerRow {
        must_reset_password: true,
        role: Role::SuperAdmin,
        ..row()
    }))
    .unwrap();
    let error = caller.pass(reads(Rule::SignedIn)).unwrap_err();
    assert_eq!(error.status().as_u16(), 403);
    let first = Operation {
        before_password_change: true,
        ..writes(Rule::InPerson)
    };
    assert!(caller.pass(first).is_ok());
}

#[test]
fn who_comes_from_a_network_that_is_not_let_in_passes_nothing_and_is_told_from_where() {
    let from = |networks: &[&str]| {
        let networks = networks.iter().map(|&network| network.to_owned()).collect();
        let caller = admit(Some(CallerRow { networks, ..row() })).unwrap();
        caller.pass(reads(Rule::SignedIn))
    };
    assert!(from(&[]).is_ok() && from(&["10.0.0.0/8", "192.0.2.0/24"]).is_ok());
    let refused = from(&["10.0.0.0/8"]).unwrap_err();
    assert!(
        refused.status().as_u16() == 403 && refused.text().contains("192.0.2.1"),
        "{refused:?}"
    );
}

#[test]
fn nobody_is_shut_out_of_all_organizations_by_one() {
    let db = crate::testing::TestDb::new();
    db.user("ann", "acme", "company_admin");
    db.user("root", "acme", "super_admin");
    db.execute("UPDATE organizations SET allowed_networks = '[\"10.0.0.0/8\"]'");
    let networks = |name: &str| {
        db.run(crate::auth::account_store::find_caller(
            &crate::testing::id(name).parse().unwrap(),
            "",
        ))[0]
            .networks
            .clone()
    };
    assert_eq!(networks("ann"), ["10.0.0.0/8"]);
    assert!(networks("root").is_empty());
}
