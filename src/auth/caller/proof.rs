//! What proves an account: a token that somebody signed in for, or a key that a program was given.
use protocol::ids::ObjectId;

use crate::auth::{api_key, token};

/// In which way a caller proved its account.
#[derive(Debug, Clone)]
pub(super) enum Proof {
    Token(token::Proof),
    Key(api_key::UsedKey),
}

impl Proof {
    pub(super) fn user_id(&self) -> &ObjectId {
        match self {
            Self::Token(proof) => &proof.user_id,
            Self::Key(key) => &key.user_id,
        }
    }

    /// Whether it is a key that may only read.
    pub(super) fn only_reads(&self) -> bool {
        matches!(self, Self::Key(key) if key.only_reads())
    }

    /// Whether it is good for administering people, if the account is.
    pub(super) fn administers_people(&self) -> bool {
        match self {
            Self::Token(_) => true,
            Self::Key(key) => key.administers_people(),
        }
    }

    /// What ends everything that was opened with this proof when it is withdrawn.
    pub(super) fn sign_in(&self) -> String {
        match self {
            Self::Token(proof) => proof.sign_in.clone(),
            Self::Key(key) => key.sign_in(),
        }
    }
}
