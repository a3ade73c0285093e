//! Signing in, and who is signed in.
use protocol::api::auth::{Login, LoginAnswer, User, VerifySecondFactor};
use protocol::api::secret::Secret;
use reqwest::Method;

use super::Client;
use crate::error::Error;

impl Client {
    /// Trades a password for a token, or the question for a code. A name with `@` in it is an email address.
    pub async fn login(&self, name: String, password: Secret) -> Result<LoginAnswer, Error> {
        let (email, username) = if name.contains('@') {
            (Some(name), None)
        } else {
            (None, Some(name))
        };
        let request = self.request(Method::POST, "/api/login");
        self.ask(request.json(&Login {
            email,
            username,
            password,
        }))
        .await
    }

    /// Answers that question.
    pub async fn verify(&self, mfa_token: Secret, code: Secret) -> Result<LoginAnswer, Error> {
        let request = self.request(Method::POST, "/api/auth/mfa/verify");
        self.ask(request.json(&VerifySecondFactor { mfa_token, code })).await
    }

    /// Who the token belongs to.
    pub async fn me(&self) -> Result<User, Error> {
        self.ask(self.request(Method::GET, "/api/auth/me")).await
    }
}
