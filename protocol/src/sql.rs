//! How the REST side and the relay declare their SQL.

/// Declares SQL constants, and in tests lists them all, for a test that prepares them.
#[doc(hidden)]
#[macro_export]
macro_rules! __statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* const $name: &str = $sql;)*
        /// Every statement above.
        #[cfg(test)]
        pub const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}
#[doc(inline)]
pub use __statements as statements;
