//! Things as files. Secrets are in none, and neither is what a type has no field for.
pub mod ansible;
pub mod table;

use protocol::api::inventory::fields::{Field, FieldType};
use protocol::api::inventory::types::Definition;

/// The fields that files have.
fn shown(definition: &Definition) -> impl Iterator<Item = &Field> {
    definition
        .fields
        .iter()
        .filter(|field| field.r#type != FieldType::Secret)
}
