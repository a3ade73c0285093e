//! The inventory: types of things, things of these types, tags on them, and rules about single ones (`docs/inventory.md`).
pub mod access;
pub mod credentials;
mod escalation;
mod export;
mod handlers;
pub mod rights;
pub mod row;
pub mod store;
pub mod sync;
pub mod value;
mod wanted;

use crate::auth::rule::{Routes, routes};

use handlers::{change, files, objects, rules, synced, tag_permissions, tags, types};

/// The routes of this feature. What is about single things asks for the right to them itself.
pub fn routes() -> Routes {
    routes![
        tag = "inventory";
        types::list_types => SignedIn,
        types::find_type => SignedIn,
        types::create_type => Needs(InventoryTypesManage),
        types::update_type => Needs(InventoryTypesManage),
        types::delete_type => Needs(InventoryTypesManage),
        tags::list_tags => SignedIn,
        tags::create_tag => Needs(InventoryTagsManage),
        tags::update_tag => Needs(InventoryTagsManage),
        tags::delete_tag => Needs(InventoryTagsManage),
        tag_permissions::list_tag_permissions => Needs(InventoryAclManage),
        tag_permissions::add_tag_permission => Needs(InventoryAclManage),
        tag_permissions::remove_tag_permission => Needs(InventoryAclManage),
        objects::list_objects => Object,
        objects::find_object => Object,
        files::export_objects => Object,
        objects::reveal_secret => Object,
        change::create_object => Object,
        synced::sync_type => Object,
        change::update_object => Object,
        change::delete_object => Object,
        change::add_object_tags => Object,
        change::remove_object_tag => Object,
        rules::list_rules => Object,
        rules::set_rules => Object,
        rules::remove_rule => Object,
    ]
}
