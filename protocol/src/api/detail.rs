//! Bodies with the fields of one thing twice, as clients of either published form want them: below its name, and at the top.

/// Declares such a body, and makes it of the thing.
macro_rules! detail {
    ($(#[$about:meta])* $name:ident { $(#[$doc:meta])* $field:ident: $of:ty $(,)? }) => {
        $(#[$about])*
        pub struct $name {
            $(#[$doc])*
            pub $field: $of,
            /// Its fields once more.
            #[serde(flatten)]
            pub flat: $of,
        }

        impl From<$of> for $name {
            fn from($field: $of) -> Self {
                Self {
                    flat: $field.clone(),
                    $field,
                }
            }
        }
    };
}
pub(crate) use detail;
