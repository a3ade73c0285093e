//! An account as its owner sees it: with the one secret that is shown again.
use protocol::api::auth::User;
use protocol::ids::ObjectId;

use super::store::AccountRow;
use crate::auth::caller::Caller;
use crate::features::users;
use crate::platform::config::Config;
use crate::platform::error::ApiError;

/// The account as its owner sees it, with its API key.
pub fn user(config: &Config, row: &AccountRow) -> Result<User, ApiError> {
    let api_key = config.sealing.open(&api_key_place(&row.id), &row.api_key_sealed)?;
    Ok(users::body::user(row.clone(), api_key))
}

/// The account as a caller sees it whose own it is. The key that enrols machines is for its owner, not for a program that was
/// given another key.
pub fn own(config: &Config, caller: &Caller, row: &AccountRow) -> Result<User, ApiError> {
    match caller.uses_key() {
        true => Ok(users::body::user(row.clone(), String::new().into())),
        false => user(config, row),
    }
}

/// Where an account's key is sealed for.
pub fn api_key_place(user: &ObjectId) -> String {
    format!("users.api_key:{user}")
}
