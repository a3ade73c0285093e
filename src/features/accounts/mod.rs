//! Accounts as they are made, proven and secured, whoever's they are. `users/` has the people of an organization, `profile/` one's
//! own account.
pub mod body;
pub mod claim_address;
pub mod email_link;
pub mod new_account;
pub mod password;
pub mod password_change;
pub mod row;
pub mod second_factor;
pub mod store;
pub mod totp;
