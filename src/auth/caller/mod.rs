//! Who is calling. [`Credentials`] prove an account; [`Caller`] is that account as the database has it at this moment.
//!
//! Handlers take `Credentials` as an argument and turn them into a `Caller` with [`Credentials::load`], together with the
//! rows they need themselves, in one round trip.
mod account;
mod credentials;
mod proof;

pub use account::{Caller, CallerRow, INVALID_TOKEN, network_not_allowed};
pub use credentials::{Credentials, ShownCredentials, SocketCredentials, bearer};
