//! SQL of lists of things. What a caller may not see is in no list and no number. A list of all of a type comes in the order of an index, a
//! page at a time, and its length is kept; one that is narrowed is found first, by what narrows it most.
use super::caller_and_type;
use super::objects::object;
use crate::features::inventory::rights::{held, may, ruled};
use crate::features::inventory::row::{Exported, Listed};
use crate::features::inventory::wanted::{Order, Wanted};
use crate::platform::db::{Arg, Query, statements};
use protocol::ids::ObjectId;

/// SQL: the things that rules and tags let the caller (?1) see, without what roles let them.
macro_rules! given {
    () => {
        "(SELECT a.object_id AS id FROM user_roles h JOIN inventory_acl a ON a.role_id = h.role_id AND a.permission = 'view'
              AND a.effect = 'allow' WHERE h.user_id = ?1
            UNION SELECT x.object_id FROM user_roles h JOIN inventory_tag_permissions p ON p.role_id = h.role_id AND p.permission = 'view'
              JOIN inventory_object_tags x ON x.tag_id = p.tag_id WHERE h.user_id = ?1)"
    };
}

/// SQL: the caller may see all of the type that no rule keeps from them.
macro_rules! sees_all {
    () => {
        held!("'view'")
    };
}

/// SQL: no rule keeps the thing from the caller.
macro_rules! not_denied {
    () => {
        concat!("(u.role <> 'user' OR NOT ", ruled!("deny", "'view'"), ")")
    };
}

/// SQL: whether the caller may see any of the type.
macro_rules! sees {
    () => {
        concat!(
            "(",
            sees_all!(),
            " OR EXISTS (SELECT 1 FROM ",
            given!(),
            " listed_for CROSS JOIN inventory_objects o ON o.id = listed_for.id AND o.type_id = t.id WHERE ",
            not_denied!(),
            "))"
        )
    };
}

/// A page (?3, ?4) of all things of a type in an order, of which a table with numbers (`$from`, joined to things as `o`) has them.
macro_rules! page {
    ($from:literal, $order:literal, $given_order:literal) => {
        concat!(
            "SELECT body, 0 AS total, 1 AS sees FROM (SELECT ",
            object!(),
            " AS body FROM ",
            caller_and_type!(),
            $from,
            " WHERE u.id = ?1 AND ",
            sees_all!(),
            " AND ",
            not_denied!(),
            " ORDER BY ",
            $order,
            " LIMIT ?3 OFFSET ?4) UNION ALL SELECT body, 0, 1 FROM (SELECT ",
            object!(),
            " AS body FROM ",
            caller_and_type!(),
            " JOIN ",
            given!(),
            " listed_for CROSS JOIN inventory_objects o ON o.id = listed_for.id AND o.type_id = t.id
               LEFT JOIN inventory_values v ON v.object_id = o.id AND v.field = ?5
             WHERE u.id = ?1 AND NOT ",
            sees_all!(),
            " AND ",
            not_denied!(),
            " ORDER BY ",
            $given_order,
            " LIMIT ?3 OFFSET ?4)"
        )
    };
}

/// What is narrowed by: a text (?5), a tag (?6), and values (?7, a JSON object of lists).
macro_rules! narrowed {
    () => {
        "(?5 IS NULL OR instr(o.search, ?5) > 0)
         AND (?6 IS NULL OR EXISTS (SELECT 1 FROM inventory_tags g JOIN inventory_object_tags x ON x.tag_id = g.id AND x.object_id = o.id
                WHERE g.organization_id = u.organization_id AND g.name = ?6))
         AND NOT EXISTS (SELECT 1 FROM json_each(?7) w WHERE NOT EXISTS (SELECT 1 FROM inventory_values v
                WHERE v.object_id = o.id AND v.field = w.key AND v.value IN (SELECT value FROM json_each(w.value))))"
    };
}

/// How many things there are that are meant, then a page (?3, ?4) of them, by number or by a field (?8), upwards or downwards (?9). `$lead`
/// finds them for who may see all of the type.
macro_rules! narrow {
    ($lead:literal) => {
        concat!(
            "WITH listed AS MATERIALIZED (SELECT o.id FROM ",
            caller_and_type!(),
            $lead,
            " WHERE u.id = ?1 AND ",
            sees_all!(),
            " AND ",
            not_denied!(),
            " AND ",
            narrowed!(),
            " UNION ALL SELECT o.id FROM ",
            caller_and_type!(),
            " JOIN ",
            given!(),
            " listed_for CROSS JOIN inventory_objects o ON o.id = listed_for.id AND o.type_id = t.id WHERE u.id = ?1 AND NOT ",
            sees_all!(),
            " AND ",
            not_denied!(),
            " AND ",
            narrowed!(),
            ") SELECT NULL AS body, (SELECT COUNT(*) FROM listed) AS total, ",
            sees!(),
            " AS sees FROM ",
            caller_and_type!(),
            " WHERE u.id = ?1 UNION ALL SELECT body, 0, 1 FROM (SELECT ",
            object!(),
            " AS body FROM listed CROSS JOIN inventory_objects o ON o.id = listed.id JOIN inventory_types t ON t.id = o.type_id
               LEFT JOIN inventory_values v ON v.object_id = o.id AND v.field = ?8
             ORDER BY iif(?9, v.value, NULL), iif(?9, NULL, v.value) DESC, iif(?9, o.id, NULL), o.id DESC LIMIT ?3 OFFSET ?4)"
        )
    };
}

statements! {
    /// How many things of a type the caller may see.
    TOTAL = concat!(
        "SELECT NULL AS body, ", sees!(), " AS sees, CASE WHEN u.role <> 'user' THEN t.object_count WHEN ", sees_all!(),
        " THEN t.object_count - (SELECT COUNT(DISTINCT a.object_id) FROM user_roles h JOIN inventory_acl a ON a.role_id = h.role_id
              AND a.permission = 'view' AND a.effect = 'deny' JOIN inventory_objects o ON o.id = a.object_id AND o.type_id = t.id
            WHERE h.user_id = ?1)
          ELSE (SELECT COUNT(*) FROM ", given!(), " listed_for CROSS JOIN inventory_objects o ON o.id = listed_for.id AND o.type_id = t.id WHERE ", not_denied!(),
        ") END AS total FROM ", caller_and_type!(), " WHERE u.id = ?1"
    );

    NEWEST = page!(" JOIN inventory_objects o ON o.type_id = t.id", "o.id DESC", "o.id DESC, ?5");
    OLDEST = page!(" JOIN inventory_objects o ON o.type_id = t.id", "o.id", "o.id, ?5");
    BY_VALUE = page!(
        " JOIN inventory_values s ON s.type_id = t.id AND s.field = ?5 CROSS JOIN inventory_objects o ON o.id = s.object_id",
        "s.value, s.object_id", "v.value, o.id"
    );
    BY_VALUE_DOWN = page!(
        " JOIN inventory_values s ON s.type_id = t.id AND s.field = ?5 CROSS JOIN inventory_objects o ON o.id = s.object_id",
        "s.value DESC, s.object_id DESC", "v.value DESC, o.id DESC"
    );

    WITH_TEXT = narrow!(" JOIN inventory_objects o ON o.type_id = t.id");
    WITH_TAG = narrow!(
        " JOIN inventory_tags k ON k.organization_id = u.organization_id AND k.name = ?6 JOIN inventory_object_tags l ON l.tag_id = k.id
          CROSS JOIN inventory_objects o ON o.id = l.object_id AND o.type_id = t.id"
    );
    WITH_VALUE = narrow!(
        " JOIN inventory_values l ON l.type_id = t.id AND l.field = ?10 AND l.value IN (SELECT value FROM json_each(?11))
          CROSS JOIN inventory_objects o ON o.id = l.object_id"
    );

    /// Those after one (?3), oldest first, as many as fit (?4), for files.
    AFTER = concat!(
        "SELECT o.id, o.name, o.data, (SELECT json_group_array(g.name) FROM inventory_object_tags x
            JOIN inventory_tags g ON g.id = x.tag_id WHERE x.object_id = o.id) AS tags
         FROM ", caller_and_type!(), " JOIN inventory_objects o ON o.type_id = t.id AND o.id > CAST(?3 AS INTEGER)
         WHERE u.id = ?1 AND ", may!("'view'"), " ORDER BY o.id LIMIT ?4"
    );
}

/// How many things of a type there are that a caller may see, if they may see any.
pub fn total(caller: &ObjectId, slug: &str) -> Query<Listed> {
    Query::new(TOTAL, [caller.into(), slug.into()])
}

/// Those that a caller may see after one, so many at most.
pub fn after(caller: &ObjectId, slug: &str, after: i64, most: i64) -> Query<Exported> {
    Query::new(AFTER, [caller.into(), slug.into(), after.into(), most.into()])
}

/// What is known of the whole, and a page: in one or in two.
pub type List = (Option<Query<Listed>>, Query<Listed>);

/// The things of a type that are wanted, as far as the caller may see them.
pub fn list(caller: &ObjectId, slug: &str, wanted: &Wanted) -> List {
    let (limit, offset) = wanted.page.window();
    let page: [Arg; 4] = [caller.into(), slug.into(), limit.into(), offset.into()];
    let field = wanted.order.field();
    if wanted.is_narrowed() {
        return (None, narrowed(page.into(), wanted));
    }
    let sql = match &wanted.order {
        Order::Number { down: true } => NEWEST,
        Order::Number { down: false } => OLDEST,
        Order::Field { down: true, .. } => BY_VALUE_DOWN,
        Order::Field { down: false, .. } => BY_VALUE,
    };
    let mut args = Vec::from(page);
    args.push(field.into());
    (Some(total(caller, slug)), Query::of(sql, args))
}

fn narrowed(mut args: Vec<Arg>, wanted: &Wanted) -> Query<Listed> {
    args.extend([
        wanted.search.as_deref().into(),
        wanted.tag.as_deref().into(),
        wanted.values().into(),
        wanted.order.field().into(),
        (!wanted.order.is_down()).into(),
    ]);
    match (wanted.filters.first(), &wanted.tag) {
        (Some((field, values)), _) => {
            args.extend([field.as_str().into(), values.to_string().into()]);
            Query::of(WITH_VALUE, args)
        }
        (None, Some(_)) => Query::of(WITH_TAG, args),
        (None, None) => Query::of(WITH_TEXT, args),
    }
}
