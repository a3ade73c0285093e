//! SQL of who may do what with a thing (`o`) of a type (`t`), of the account that asks (`u`). The order is the published one: who
//! administers may do everything; a rule about the thing that denies counts before one that allows; then what its tags allow; then what
//! roles allow with all things of the type. Where a thing is looked up and where things are listed, it is this one expression.

/// A rule about the thing says so to one of the account's roles.
macro_rules! ruled {
    ($effect:literal, $right:expr) => {
        concat!(
            "EXISTS (SELECT 1 FROM inventory_acl a JOIN user_roles h ON h.role_id = a.role_id AND h.user_id = u.id
               WHERE a.object_id = o.id AND a.permission = ",
            $right,
            " AND a.effect = '",
            $effect,
            "')"
        )
    };
}

/// One of the thing's tags allows it to one of the account's roles.
macro_rules! tagged {
    ($right:expr) => {
        concat!(
            "EXISTS (SELECT 1 FROM inventory_object_tags x JOIN inventory_tag_permissions p ON p.tag_id = x.tag_id AND p.permission = ",
            $right,
            " JOIN user_roles h ON h.role_id = p.role_id AND h.user_id = u.id WHERE x.object_id = o.id)"
        )
    };
}

/// One of the account's roles allows it with all things of the type. To open terminals there is a permission for all of them, too (contract).
macro_rules! held {
    ($right:expr) => {
        concat!(
            "(u.role <> 'user' OR EXISTS (SELECT 1 FROM user_roles h JOIN role_permissions p ON p.role_id = h.role_id
               WHERE h.user_id = u.id AND p.permission IN ('inventory.' || t.slug || '.' || ",
            $right,
            ", CASE ",
            $right,
            " WHEN 'ssh' THEN 'instances.ssh' END)))"
        )
    };
}

/// The account may do it.
macro_rules! may {
    ($right:expr) => {
        concat!(
            "CASE WHEN u.role <> 'user' THEN 1 WHEN ",
            $crate::features::inventory::rights::ruled!("deny", $right),
            " THEN 0 WHEN ",
            $crate::features::inventory::rights::ruled!("allow", $right),
            " THEN 1 WHEN ",
            $crate::features::inventory::rights::tagged!($right),
            " THEN 1 ELSE ",
            $crate::features::inventory::rights::held!($right),
            " END"
        )
    };
}

pub(crate) use {held, may, ruled, tagged};
