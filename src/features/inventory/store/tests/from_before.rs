//! Organizations and people that were there before there was an inventory.
use crate::platform::db::{Exists, Query};
use crate::testing::{TestDb, id};

/// The first migration of the inventory.
const FIRST: &str = "0048_inventory.sql";

/// What there is of an organization, told from what there is of another.
const OTHERWISE: &str =
    "SELECT 1 FROM (SELECT slug, definition, is_builtin FROM inventory_types WHERE organization_id = ?1
       EXCEPT SELECT slug, definition, is_builtin FROM inventory_types WHERE organization_id = ?2)";

#[test]
fn an_organization_from_before_the_inventory_has_the_types_that_a_new_one_has() {
    let db = TestDb::before(FIRST);
    db.user("ann", "old", "company_admin");
    db.user("bob", "older", "company_admin");
    db.migrate(|_| true);
    db.user("cas", "new", "company_admin");
    assert_eq!(db.count("inventory_types"), 3 * db.count("inventory_builtin_types"));
    for (one, other) in [("old", "new"), ("new", "old"), ("older", "new")] {
        let rows: Vec<Exists> = db.run(Query::of(OTHERWISE, vec![id(one).into(), id(other).into()]));
        assert!(rows.is_empty(), "{one} has what {other} has not");
    }
    // Whatever there was is looked at once: each source of both.
    let sources = "SELECT 1 FROM inventory_stale WHERE organization_id IN (?1, ?2)";
    let stale: Vec<Exists> = db.run(Query::of(sources, vec![id("old").into(), id("older").into()]));
    assert_eq!(stale.len(), 2 * 4);
}
