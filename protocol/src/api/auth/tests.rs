//! The rules of bodies.
use super::*;
use crate::api::validate::Validate;

fn fields(request: impl Validate) -> Vec<String> {
    let mut faults = Faults::default();
    request.validate(&mut faults);
    faults.into_vec().into_iter().map(|fault| fault.field).collect()
}

#[test]
fn a_signup_reports_every_field_that_is_wrong() {
    let signup = |username: &str, email: &str, password: &str| {
        fields(Signup {
            username: username.into(),
            email: email.into(),
            password: password.to_owned().into(),
        })
    };
    assert!(signup("john.doe-1", "john@example.org", "secret").is_empty());
    assert_eq!(signup("jo", "john", "short"), ["username", "email", "password"]);
    assert_eq!(
        signup("-john", "john@example.org", &"x".repeat(MAX_PASSWORD + 1)),
        ["username", "password"]
    );
    assert_eq!(
        signup("jöhn", &format!("{}@example.org", "x".repeat(250)), "secret"),
        ["username", "email"]
    );
}

#[test]
fn a_login_needs_a_name_and_prefers_the_mail_address() {
    let login = |text: &str| serde_json::from_str::<Login>(text).unwrap();
    assert_eq!(fields(login(r#"{"password":"x"}"#)), ["email"]);
    assert_eq!(
        fields(login(r#"{"username":"  ","password":""}"#)),
        ["email", "password"]
    );
    assert_eq!(
        login(r#"{"username":"a","email":"b@c.d","password":"x"}"#).name(),
        Some("b@c.d")
    );
    assert_eq!(
        login(r#"{"username":" a ","email":"","password":"x"}"#).name(),
        Some("a")
    );
}

#[test]
fn a_password_does_not_show_in_debug_output() {
    let login: Login = serde_json::from_str(r#"{"email":"a@b.c","password":"hunter2"}"#).unwrap();
    assert!(!format!("{login:?}").contains("hunter2"));
}
