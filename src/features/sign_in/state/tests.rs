//! What a sign-in needs, what it proves, and how long.
use super::*;
use crate::auth::token::{Subject, TokenFault};
use crate::features::accounts::store::find_account;
use crate::testing::TestDb;

fn row(sql: &str) -> AccountRow {
    let db = TestDb::new();
    db.user("ann", "acme", "user");
    db.execute(sql);
    db.run(find_account(db.caller("ann").id())).remove(0)
}

#[test]
fn a_mailed_code_is_needed_as_the_organization_says_and_once_in_a_sign_in() {
    for (otp, source, needed) in [
        ("off", "ui", false),
        ("ui", "ui", true),
        ("ui", "cli", false),
        ("ui", "vscode", false),
        ("on", "ui", true),
        ("on", "cli", true),
        ("on", "vscode", true),
    ] {
        let row = row(&format!("UPDATE organizations SET otp = '{otp}'"));
        let state = SignInState::begin(source, "password", false, std::slice::from_ref(&row)).unwrap();
        assert_eq!(state.needs(&row).is_some(), needed, "{otp} {source}");
        assert_eq!(state.with(Factor::Mail, &row.id).needs(&row), None);
    }
}

#[test]
fn an_authenticator_app_is_asked_for_in_place_of_mail_and_by_every_source() {
    let row = row("UPDATE organizations SET otp = 'on'; UPDATE users SET totp_confirmed_at = 'x'");
    for source in ["ui", "cli", "vscode"] {
        let state = SignInState::begin(source, "password", true, std::slice::from_ref(&row)).unwrap();
        assert_eq!(state.needs(&row), Some(Factor::Totp));
        let other = "f".repeat(24).parse().unwrap();
        assert_eq!(state.clone().with(Factor::Totp, &other).needs(&row), Some(Factor::Totp));
        assert_eq!(state.with(Factor::Totp, &row.id).needs(&row), None);
    }
}

#[test]
fn it_closes_with_a_new_token_version_of_any_account() {
    let before = row("UPDATE users SET token_version = 3");
    let state = SignInState::begin("ui", "password", false, std::slice::from_ref(&before)).unwrap();
    assert!(state.is_current(&[before]));
    assert!(!state.is_current(&[]));
    assert!(!state.is_current(&[row("UPDATE users SET token_version = 4")]));
}

#[test]
fn a_sign_in_knows_when_it_began() {
    let state = SignInState::begin("ui", "password", false, &[]).unwrap();
    let age = Utc::now() - began_at(state.sid.as_str()).unwrap();
    assert!(age.num_seconds().abs() < 5);
    assert_eq!(began_at("key:1"), None);
}

fn key() -> TokenKey {
    TokenKey::new(&"k".repeat(32).into(), TimeDelta::hours(24))
}

fn subject(account: &ObjectId) -> Subject<'_> {
    Subject {
        user_id: account,
        uid: 7,
        username: "john",
        email: "john@example.org",
        tenant_id: "acme",
        tenant_name: "Acme",
        role: "user",
        machine_role: "",
        groups: Vec::new(),
        source: "cli",
        sid: "5e551f",
        ver: 3,
    }
}

#[test]
fn no_token_is_taken_for_one_of_another_kind() {
    let account: ObjectId = "0123456789abcdef01234567".parse().unwrap();
    let state = SignInState::begin("ui", "password", false, &[]).unwrap();
    let challenged = Challenged {
        account: account.clone(),
        factor: Factor::Totp,
    };
    let bearer = key().issue(&subject(&account)).unwrap();
    let session = state.session_token(&key()).unwrap();
    let challenge = state.challenge_token(&key(), challenged.clone()).unwrap();
    let (session, challenge) = (session.expose(), challenge.expose());
    assert_eq!(key().verify(session), Err(TokenFault::NoUser));
    assert_eq!(key().verify(challenge), Err(TokenFault::NoUser));
    assert_eq!(SignInState::of_session_token(&key(), session), Some(state.clone()));
    assert!(
        SignInState::of_session_token(&key(), challenge).is_none()
            && SignInState::of_session_token(&key(), bearer.expose()).is_none()
    );
    assert_eq!(
        SignInState::of_challenge_token(&key(), challenge),
        Some((state, challenged))
    );
    assert!(
        SignInState::of_challenge_token(&key(), session).is_none()
            && SignInState::of_challenge_token(&key(), bearer.expose()).is_none()
    );
    let other = TokenKey::new(&"x".repeat(32).into(), TimeDelta::hours(24));
    assert!(
        SignInState::of_session_token(&other, session).is_none()
            && SignInState::of_challenge_token(&other, challenge).is_none()
    );
}
