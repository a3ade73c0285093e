//! SQL of credentials that deployments gave out. They are known by a tag of their service and by their names.
use protocol::api::inventory::tags::MAX_TAGS_OF_ORGANIZATION;
use protocol::ids::ObjectId;

use super::objects::numbers;
use crate::features::inventory::row::{KnownCredential, SyncedType};
use crate::platform::db::{Nothing, Query, statements};

/// The type of these things (contract).
const TYPE: &str = "credential";

/// The colour of their tags (contract).
const COLOR: &str = "#e8984a";

statements! {
    CREDENTIALS = "SELECT t.id, t.definition, NULL AS changes FROM inventory_types t WHERE t.organization_id = ?1 AND t.slug = ?2";

    /// Those of a service that are there, by its tag (?2).
    KNOWN = "SELECT o.id, o.data, o.secrets, o.updated_at AS read_at FROM inventory_tags g JOIN inventory_object_tags x ON x.tag_id = g.id
           JOIN inventory_objects o ON o.id = x.object_id JOIN inventory_types t ON t.id = o.type_id AND t.slug = ?3
         WHERE g.organization_id = ?1 AND g.name = ?2 ORDER BY o.id";

    /// The tag, unless it is there, or there is no room for it (?5).
    ADD_TAG = "INSERT INTO inventory_tags (organization_id, name, color, created_at)
         SELECT ?1, ?2, ?3, ?4 WHERE (SELECT COUNT(*) FROM inventory_tags g WHERE g.organization_id = ?1) < ?5
         ON CONFLICT (organization_id, name) DO NOTHING";

    /// What is new (?3, a JSON array) gets it.
    TAGGED = "INSERT INTO inventory_object_tags (tag_id, object_id)
         SELECT g.id, o.id FROM inventory_tags g JOIN inventory_objects o ON o.organization_id = g.organization_id
           AND o.id IN (SELECT value FROM json_each(?3))
         WHERE g.organization_id = ?1 AND g.name = ?2 ON CONFLICT DO NOTHING";

    /// Without it they would not be known again: what is new (?3) does not stay without one.
    UNTAGGED = "DELETE FROM inventory_objects WHERE id IN (SELECT value FROM json_each(?3)) AND organization_id = ?1
         AND NOT EXISTS (SELECT 1 FROM inventory_tags g WHERE g.organization_id = ?1 AND g.name = ?2)";
}

/// The type of credentials.
pub fn of_type(organization: &ObjectId) -> Query<SyncedType> {
    Query::new(CREDENTIALS, [organization.into(), TYPE.into()])
}

/// Those of a service that are there.
pub fn known(organization: &ObjectId, tag: &str) -> Query<KnownCredential> {
    Query::new(KNOWN, [organization.into(), tag.into(), TYPE.into()])
}

/// Makes their tag.
pub fn add_tag(organization: &ObjectId, tag: &str, now: &str) -> Query<Nothing> {
    Query::new(
        ADD_TAG,
        [
            organization.into(),
            tag.into(),
            COLOR.into(),
            now.into(),
            MAX_TAGS_OF_ORGANIZATION.into(),
        ],
    )
}

/// Gives it to what is new.
pub fn tagged(organization: &ObjectId, tag: &str, new: &[i64]) -> [Query<Nothing>; 2] {
    [TAGGED, UNTAGGED].map(|sql| Query::new(sql, [organization.into(), tag.into(), numbers(new)]))
}
