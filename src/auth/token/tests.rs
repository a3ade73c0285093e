//! What tokens prove.
use base64ct::{Base64UrlUnpadded, Encoding};

use super::*;

fn key() -> TokenKey {
    TokenKey::new(&"k".repeat(32).into(), TimeDelta::hours(24))
}

fn issue(key: &TokenKey) -> String {
    let user_id = "0123456789abcdef01234567".parse().unwrap();
    let subject = Subject {
        user_id: &user_id,
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
    };
    key.issue(&subject).unwrap().expose().to_owned()
}

#[test]
fn a_token_proves_what_it_was_issued_for() {
    let proof = key().verify(&issue(&key())).unwrap();
    assert_eq!(
        (proof.user_id.as_str(), proof.version, &*proof.sign_in, &*proof.source),
        ("0123456789abcdef01234567", 3, "5e551f", "cli")
    );
}

#[test]
fn a_token_carries_the_claims_of_both_apis() {
    let token = issue(&key());
    let payload = token.split('.').nth(1).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&Base64UrlUnpadded::decode_vec(payload).unwrap()).unwrap();
    assert_eq!(claims["iss"], "vsay-auth");
    assert_eq!(claims["sub"], claims["user_id"]);
    assert_eq!(claims["uid"], 7);
    assert_eq!(claims["tenant_id"], "acme");
    assert_eq!(claims["keycloak_id"], "");
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        86_400
    );
    assert_eq!(claims["nbf"], claims["iat"]);
    assert_eq!(claims["jti"].as_str().unwrap().len(), 24);
    assert!(claims.get("machine_role").is_none() && claims.get("groups").is_none());
}

#[test]
fn a_token_expires_to_the_second() {
    let token = issue(&key());
    let in_hours = |hours| Utc::now() + TimeDelta::hours(hours);
    assert!(key().verify_at(&token, in_hours(23)).is_ok());
    assert_eq!(key().verify_at(&token, in_hours(25)), Err(TokenFault::Invalid));
}

#[test]
fn a_token_of_another_key_or_changed_or_of_no_form_is_refused() {
    let token = issue(&key());
    let other = TokenKey::new(&"x".repeat(32).into(), TimeDelta::hours(24));
    assert_eq!(other.verify(&token), Err(TokenFault::Invalid));
    let (body, signature) = token.rsplit_once('.').unwrap();
    let unsigned = Base64UrlUnpadded::encode_string(br#"{"alg":"none"}"#);
    for bad in [
        String::new(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        body.to_owned(),
        format!("{body}."),
        format!("{body}.AAAA"),
        format!("{body}.{}", signature.to_uppercase()),
        format!("{unsigned}.{}.", body.split('.').nth(1).unwrap()),
        "x".repeat(MAX_TOKEN + 1),
    ] {
        assert_eq!(key().verify(&bad), Err(TokenFault::Invalid), "{bad}");
    }
}
