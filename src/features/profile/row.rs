//! What the database gives of one's own account, beside the account.
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::platform::db::flag;

/// Where an account's avatar is, if it has one.
#[derive(Debug, Deserialize)]
pub struct OwnAvatar {
    pub avatar_url: Option<String>,
}

/// An account's SSH key and the name of its owner.
#[derive(Debug, Deserialize)]
pub struct OwnKey {
    pub display_name: Option<String>,
    pub ssh_public_key: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct ListedKey {
    pub int_id: i64,
    pub id: ObjectId,
    pub username: String,
    pub display_name: Option<String>,
    pub ssh_public_key: String,
    #[serde(deserialize_with = "flag")]
    pub is_self: bool,
}
