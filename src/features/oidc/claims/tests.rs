use serde_json::json;

use super::*;

const NOW: i64 = 1_800_000_000;
const TENANT: &str = "11111111-2222-3333-4444-555555555555";

fn claims(change: impl FnOnce(&mut Value)) -> Claims {
    let mut claims = json!({"iss": "https://id.example.org", "aud": "edge", "exp": NOW + 300, "iat": NOW, "nonce": "n", "sub": "1",
        "email": "ann@example.org", "email_verified": true});
    change(&mut claims);
    serde_json::from_value(claims).unwrap()
}

fn check(change: impl FnOnce(&mut Value)) -> Result<(), &'static str> {
    claims(change).check(&Expected {
        issuer: &Issuer::Exactly("https://id.example.org".to_owned()),
        audience: "edge",
        nonce: "n",
        now: NOW,
    })
}

fn microsoft(tenant: &str) -> Issuer {
    Issuer::Microsoft {
        authority: "https://login.example.org".to_owned(),
        tenant: tenant.to_owned(),
    }
}

#[test]
fn a_token_is_for_us_from_its_issuer_of_this_attempt_and_of_now() {
    assert_eq!(check(|_| {}), Ok(()));
    assert_eq!(check(|claims| claims["aud"] = json!(["edge"])), Ok(()));
    assert_eq!(check(|claims| claims["exp"] = json!(NOW - 59)), Ok(()), "clocks differ");
    for (field, value, rule) in [
        ("iss", json!("https://id.example.org/"), "iss"),
        ("aud", json!("other"), "aud"),
        ("aud", json!(["edge", "other"]), "azp"),
        ("azp", json!("other"), "azp"),
        ("exp", json!(NOW - 60), "exp"),
        ("nbf", json!(NOW + 61), "nbf"),
        ("iat", json!(NOW + 61), "iat"),
        ("nonce", json!("other"), "nonce"),
        ("nonce", json!(""), "nonce"),
        ("sub", json!(""), "sub"),
    ] {
        assert_eq!(
            check(|claims| claims[field] = value.clone()),
            Err(rule),
            "{field} {value}"
        );
    }
}

#[test]
fn a_microsoft_token_is_of_a_tenant_that_is_let_in() {
    let issued = |tenant: &str, tid: &str, iss: &str| {
        let claims = claims(|claims| {
            claims["tid"] = json!(tid);
            claims["iss"] = json!(format!("https://login.example.org/{iss}/v2.0"));
        });
        microsoft(tenant).issued(&claims)
    };
    for (tenant, tid, expected) in [
        ("common", TENANT, true),
        ("common", PERSONAL, true),
        ("common", "", false),
        ("organizations", PERSONAL, false),
        ("organizations", TENANT, true),
        ("consumers", TENANT, false),
        ("consumers", PERSONAL, true),
        (TENANT, TENANT, true),
        (TENANT, PERSONAL, false),
    ] {
        assert_eq!(issued(tenant, tid, tid), expected, "{tenant} {tid}");
    }
    assert!(!issued("common", TENANT, PERSONAL), "the issuer is another tenant's");
}

#[test]
fn an_address_counts_if_it_is_proven() {
    let any = Issuer::Exactly(String::new());
    for (verified, proven) in [
        (json!(true), true),
        (json!("true"), true),
        (json!(false), false),
        (json!("yes"), false),
        (Value::Null, false),
    ] {
        let claims = claims(|claims| claims["email_verified"] = verified.clone());
        assert_eq!(
            claims.mail(&any),
            (Some("ann@example.org".to_owned()), proven),
            "{verified}"
        );
    }
}

#[test]
fn a_microsoft_address_counts_if_the_tenant_owns_it_or_is_trusted() {
    let proven = |tenant: &str, tid: &str, more: Value| {
        let claims = claims(|claims| {
            claims["email_verified"] = Value::Null;
            claims["tid"] = json!(tid);
            claims
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
        });
        claims.mail(&microsoft(tenant)).1
    };
    assert!(!proven("common", TENANT, json!({})), "any tenant may claim any address");
    assert!(proven("common", TENANT, json!({"xms_edov": "1"})));
    assert!(proven("common", PERSONAL, json!({})));
    assert!(proven(TENANT, TENANT, json!({})));
    assert!(!proven(TENANT, TENANT, json!({"email_verified": false})));
    let claims = claims(|claims| {
        claims["email"] = Value::Null;
        claims["preferred_username"] = json!("ann@acme.example");
    });
    assert_eq!(claims.mail(&microsoft("common")).0.as_deref(), Some("ann@acme.example"));
}

#[test]
fn a_provider_vouches_for_a_second_factor_by_name() {
    for (amr, vouches) in [
        (json!(["pwd", "mfa"]), true),
        (json!(["pwd"]), false),
        (json!("mfa"), false),
        (Value::Null, false),
    ] {
        assert_eq!(
            claims(|claims| claims["amr"] = amr.clone()).vouches_for_second_factor(),
            vouches,
            "{amr}"
        );
    }
}

#[test]
fn a_token_without_a_public_key_signature_is_none() {
    let token = |header: Value| {
        format!(
            "{}.e30.AA",
            Base64UrlUnpadded::encode_string(header.to_string().as_bytes())
        )
    };
    let good = token(json!({"alg": "RS256", "kid": "1"}));
    let parsed = Unverified::parse(&good).unwrap();
    assert_eq!(
        (parsed.header.alg, parsed.header.kid.as_deref()),
        (Algorithm::Rs256, Some("1"))
    );
    assert!(good.starts_with(parsed.signed) && parsed.claims().is_none());
    for bad in [
        token(json!({"alg": "none"})),
        token(json!({"alg": "HS256"})),
        "a.b".to_owned(),
        String::new(),
        "x".repeat(MAX_TOKEN + 1),
    ] {
        assert!(Unverified::parse(&bad).is_none(), "{bad}");
    }
}
