//! Sessions on hosts other than the machine that opens them.
use protocol::ids::ObjectId;

/// On which other host a session is, and by whom that is opened.
#[derive(Debug)]
pub struct OnHost<'a> {
    pub organization: &'a ObjectId,
    /// The machine whose agent opens it.
    pub runner: &'a ObjectId,
    /// The host, as inventories name it.
    pub hostname: &'a str,
    /// As whom, if not as the inventory says.
    pub user: Option<&'a str>,
    /// The permission that whoever has it keeps it by; or, with a thing, what they may do with that.
    pub permission: &'a str,
    /// The thing of the inventory that the host is, where it is had by the right over that one.
    pub thing: Option<i64>,
}
