//! People: accounts as others see them, and what may be asked of them.
mod body;
mod request;

pub use body::{Deactivated, Invited, People, Person, PersonDetail, PersonRoles, RolesAssigned};
pub use request::{AssignRoles, CreateUser, ResetPassword, UpdateUser};
