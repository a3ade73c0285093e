//! Signing in with another provider.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which providers this server knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OidcProviders {
    /// Whether `/api/auth/oidc/microsoft` works.
    pub microsoft_enabled: bool,
    /// Whether `/api/auth/oidc/github` works.
    pub github_enabled: bool,
    /// Whether `/api/auth/oidc/sso` works.
    pub oidc_enabled: bool,
    /// What its button says; empty without it.
    pub oidc_name: String,
}
