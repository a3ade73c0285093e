//! One's own profile and SSH key.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{MAX_NAME, MIN_COMMUNITY_PASSWORD, User, check_email, check_password};
use super::secret::Secret;
use super::validate::{Faults, Validate};
use crate::ids::ObjectId;

/// Largest picture, in bytes: plenty for what is shown at the size of a thumb.
pub const MAX_AVATAR_BYTES: usize = 256 * 1024;

/// Longest address of a picture, in characters: what browsers and servers agree to handle.
pub const MAX_AVATAR_URL: usize = 2048;

/// One's own account: its fields, and once more as `user`, for clients of either published form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnUser {
    /// The fields.
    #[serde(flatten)]
    pub flat: User,
    /// The same.
    pub user: User,
}

impl From<User> for OwnUser {
    fn from(user: User) -> Self {
        Self {
            flat: user.clone(),
            user,
        }
    }
}

/// What changes in a profile; what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct UpdateProfile {
    /// A name for people, at most 100 characters; empty removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100, format = "line")]
    pub display_name: Option<String>,
    /// A new mail address. It must be proven anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 254, format = "mail")]
    pub email: Option<String>,
}

impl Validate for UpdateProfile {
    fn validate(&self, faults: &mut Faults) {
        if let Some(name) = &self.display_name {
            faults.line("display_name", name, 0, MAX_NAME);
        }
        if let Some(email) = &self.email {
            check_email(faults, "email", email);
        }
    }
}

/// A new password for one's own account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ResetOwnPassword {
    /// The one that holds now.
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 1024)]
    pub current_password: Secret,
    /// 6 to 1024 characters.
    #[schema(value_type = String, format = Password, min_length = 6, max_length = 1024)]
    pub new_password: Secret,
}

impl Validate for ResetOwnPassword {
    fn validate(&self, faults: &mut Faults) {
        check_password(faults, "current_password", &self.current_password, 1);
        check_password(faults, "new_password", &self.new_password, MIN_COMMUNITY_PASSWORD);
    }
}

/// Where a picture of the person is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UploadAvatar {
    /// An address that begins with `https://` or `http://`.
    #[schema(
        min_length = 8,
        max_length = 2048,
        pattern = r"^[hH][tT][tT][pP][sS]?://[!-~]+$",
        example = "https://example.org/me.png"
    )]
    pub avatar_url: String,
}

impl Validate for UploadAvatar {
    fn validate(&self, faults: &mut Faults) {
        faults.check(
            is_web_address(&self.avatar_url),
            "avatar_url",
            format!("must be an address of at most {MAX_AVATAR_URL} characters that begins with https:// or http://"),
        );
    }
}

/// Whether a text is an absolute `http` or `https` address: nothing else may be put where browsers load pictures from.
fn is_web_address(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    text.len() <= MAX_AVATAR_URL
        && rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic()))
}

/// A picture: PNG, JPEG, WebP or GIF.
#[derive(Debug, Clone, ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct AvatarFile(pub Vec<u8>);

/// A picture of the person as a file.
#[derive(Debug, Clone, ToSchema)]
pub struct AvatarForm {
    /// At most 256 KiB. The first file of the form is taken, whatever its field is called.
    pub avatar: AvatarFile,
}

/// The picture as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Avatar {
    /// Its address.
    pub avatar_url: String,
}

/// A new account API key.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RegeneratedKey {
    /// The key that enrols machines: `vsay_ak_` and 48 hex characters.
    #[schema(value_type = String)]
    pub api_key: Secret,
}

/// A new pair of SSH keys.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SshKeyPair {
    /// For `authorized_keys`.
    pub public_key: String,
    /// In OpenSSH's own form, without a passphrase. It is not kept, so this is the only time it is shown.
    #[schema(value_type = String)]
    pub private_key: Secret,
}

/// One's own SSH key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnSshKey {
    /// For `authorized_keys`, if there is one.
    pub ssh_public_key: Option<String>,
}

/// Somebody's SSH key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SshKey {
    /// The number of the account.
    pub user_id: i64,
    /// The account.
    pub id: ObjectId,
    /// Its name.
    pub username: String,
    /// Its name for people.
    pub display_name: Option<String>,
    /// For `authorized_keys`.
    pub ssh_public_key: String,
    /// Whether it is the caller's.
    pub is_self: bool,
}

/// The SSH keys of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SshKeyList {
    /// By username.
    pub keys: Vec<SshKey>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_a_web_address() {
        for good in [
            "https://example.org/me.png",
            "HTTP://example.org",
            "http://127.0.0.1:80/a?b#c",
        ] {
            assert!(is_web_address(good), "{good}");
        }
        for bad in [
            "",
            "https://",
            "javascript:alert(1)",
            "data:image/png;base64,AA",
            "//example.org/me.png",
            "https://example.org/a b",
            "https://example.org/\n",
            &format!("https://{}", "x".repeat(MAX_AVATAR_URL)),
        ] {
            assert!(!is_web_address(bad), "{bad}");
        }
    }
}
