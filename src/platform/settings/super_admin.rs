//! The super administrator that the settings name, to be made when there is none.
use protocol::api::auth::{MAX_PASSWORD, is_username};
use protocol::api::secret::Secret;
use protocol::api::validate::is_email;

/// Shortest password, in characters. Longer than people's: everybody can try it from the first second on, and nobody has to
/// remember it.
const MIN_PASSWORD: usize = 12;

/// The account to be made.
#[derive(Debug, Clone)]
pub struct SuperAdmin {
    pub username: String,
    /// Its address, lower case.
    pub email: String,
    pub password: Secret,
}

impl SuperAdmin {
    /// The account that the settings name, if any; otherwise what is wrong with them, without their values.
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        let names = ["SUPER_ADMIN_USERNAME", "SUPER_ADMIN_EMAIL", "SUPER_ADMIN_PASSWORD"];
        let (username, email, password) = match names.map(get) {
            [None, None, None] => return Ok(None),
            [Some(username), Some(email), Some(password)] => (username, email.to_lowercase(), password),
            _ => return Err(format!("{} are needed together", names.join(", "))),
        };
        if !is_username(&username) {
            return Err("SUPER_ADMIN_USERNAME must have 3 to 50 characters of A-Z a-z 0-9 . _ -".to_owned());
        }
        if !is_email(&email) {
            return Err("SUPER_ADMIN_EMAIL must be a mail address".to_owned());
        }
        let long_enough = (MIN_PASSWORD..=MAX_PASSWORD).contains(&password.chars().count());
        if !long_enough || password.to_lowercase().contains(&username.to_lowercase()) {
            return Err(format!(
                "SUPER_ADMIN_PASSWORD must have at least {MIN_PASSWORD} characters and not contain the username"
            ));
        }
        Ok(Some(Self {
            username,
            email,
            password: password.into(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(username: &str, email: &str, password: &str) -> Result<Option<SuperAdmin>, String> {
        SuperAdmin::parse(|name| {
            let value = match name {
                "SUPER_ADMIN_USERNAME" => username,
                "SUPER_ADMIN_EMAIL" => email,
                _ => password,
            };
            Some(value.to_owned()).filter(|value| !value.is_empty())
        })
    }

    #[test]
    fn an_account_needs_all_three_settings_and_a_password_worth_the_name() {
        assert!(parse("", "", "").unwrap().is_none());
        let account = parse("root", "Root@Example.org", "correct horse").unwrap().unwrap();
        assert_eq!(
            (account.username.as_str(), account.email.as_str()),
            ("root", "root@example.org")
        );
        for (username, email, password, name) in [
            ("root", "", "correct horse", "SUPER_ADMIN_EMAIL"),
            ("root", "root@example.org", "", "SUPER_ADMIN_PASSWORD"),
            ("r", "root@example.org", "correct horse", "SUPER_ADMIN_USERNAME"),
            ("root", "root", "correct horse", "SUPER_ADMIN_EMAIL"),
            ("root", "root@example.org", "hunter2", "SUPER_ADMIN_PASSWORD"),
            (
                "root",
                "root@example.org",
                "hunter2-Root-hunter2",
                "SUPER_ADMIN_PASSWORD",
            ),
        ] {
            let error = parse(username, email, password).unwrap_err();
            assert!(error.contains(name) && !error.contains("hunter2"), "{error}");
        }
    }
}
