//! D1: typed statements, and several of them in one round trip. The statements themselves are in the stores of the features.
use std::fmt;
use std::marker::PhantomData;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use js_sys::{Array, JSON};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use wasm_bindgen::JsValue;
use worker::d1::serde_wasm_bindgen;
use worker::{D1Database, D1Result};

use super::error::ApiError;
use super::row;

/// The name of the D1 binding.
pub const BINDING: &str = "DB";

/// Declares SQL constants, and in tests hands them all in, so that none escapes the test that prepares them.
macro_rules! statements {
    ($($declared:tt)*) => {
        protocol::sql::statements! { $($declared)* }
        #[cfg(test)]
        inventory::submit! { $crate::platform::db::Declared(STATEMENTS, file!()) }
    };
}
pub(crate) use statements;

/// The statements that a file declares, and which file it is.
#[cfg(test)]
pub struct Declared(pub &'static [(&'static str, &'static str)], pub &'static str);

#[cfg(test)]
inventory::collect!(Declared);

/// SQL: what, once it is reached, fails the batch and so undoes all of it: [`DbError::Refused`]. For rules that must hold after
/// a change whatever else happens at the same time. It needs a column to depend on, or SQLite works it out beforehand.
macro_rules! refuse {
    ($column:literal) => {
        concat!("json_extract('{}', 'refused by ' || ", $column, ")")
    };
}
pub(crate) use refuse;

/// A value bound to a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Arg {
    Null,
    /// INTEGER. Numbers travel as doubles, which hold whole numbers up to 2⁵³.
    Integer(i64),
    Text(String),
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Arg {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Arg {
    fn from(flag: bool) -> Self {
        Self::Integer(flag.into())
    }
}

impl<T: Into<Arg>> From<Option<T>> for Arg {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! arg_from_id {
    ($($id:ident),*) => {
        $(impl From<&protocol::ids::$id> for Arg {
            fn from(id: &protocol::ids::$id) -> Self {
                id.as_str().into()
            }
        })*
    };
}
arg_from_id!(ObjectId, AgentId, SessionId);

impl From<Arg> for JsValue {
    fn from(arg: Arg) -> Self {
        match arg {
            Arg::Null => Self::NULL,
            Arg::Integer(number) => Self::from_f64(number as f64),
            Arg::Text(text) => Self::from_str(&text),
        }
    }
}

/// A statement with its values, giving rows of `T`.
pub struct Query<T> {
    pub(crate) sql: &'static str,
    pub(crate) args: Vec<Arg>,
    row: PhantomData<T>,
}

impl<T> Query<T> {
    /// A statement with a value for each of `?1`, `?2`, ….
    pub fn new<const N: usize>(sql: &'static str, args: [Arg; N]) -> Self {
        Self::of(sql, args.into())
    }

    /// The same, where it depends how many there are.
    pub fn of(sql: &'static str, args: Vec<Arg>) -> Self {
        let row = PhantomData;
        Self { sql, args, row }
    }
}

/// The row of a statement that gives none.
#[derive(Debug, Deserialize)]
pub struct Nothing {}

/// The row of a statement of which only counts whether it gives one.
#[derive(Debug, Deserialize)]
pub struct Exists {}

/// How many there are.
#[derive(Debug, Deserialize)]
pub struct Count {
    pub total: u64,
}

impl Count {
    /// What a statement has counted that gives one row.
    pub fn of(rows: &[Self]) -> u64 {
        rows.first().map_or(0, |row| row.total)
    }
}

/// One or more queries that go to D1 together, in one transaction. What can fail is not done here but once for all of them, so
/// that what is compiled for each batch is no more than what its types make different.
pub trait Batch {
    /// What they give: a list of rows each.
    type Rows;
    /// How many there turned out to be, where that is not in the type.
    type Shape;

    /// Adds its statements.
    fn prepare(self, statements: &mut Statements) -> Self::Shape;

    /// Takes as many results as there are statements.
    fn take(shape: Self::Shape, results: &mut Results) -> Self::Rows;
}

impl<T: DeserializeOwned> Batch for Query<T> {
    type Rows = Vec<T>;
    type Shape = ();

    fn prepare(self, statements: &mut Statements) {
        statements.0.push((self.sql, self.args));
    }

    fn take((): (), results: &mut Results) -> Vec<T> {
        let rows = results.next().and_then(|json| row::all(&json).map_err(undecoded));
        rows.unwrap_or_else(|error| results.failed(error))
    }
}

/// As many as there are, perhaps none.
impl<B: Batch> Batch for Vec<B> {
    type Rows = Vec<B::Rows>;
    type Shape = Vec<B::Shape>;

    fn prepare(self, statements: &mut Statements) -> Self::Shape {
        self.into_iter().map(|batch| batch.prepare(statements)).collect()
    }

    fn take(shape: Self::Shape, results: &mut Results) -> Self::Rows {
        shape.into_iter().map(|shape| B::take(shape, results)).collect()
    }
}

/// It, or nothing.
impl<B: Batch> Batch for Option<B> {
    type Rows = Option<B::Rows>;
    type Shape = Option<B::Shape>;

    fn prepare(self, statements: &mut Statements) -> Self::Shape {
        self.map(|batch| batch.prepare(statements))
    }

    fn take(shape: Self::Shape, results: &mut Results) -> Self::Rows {
        shape.map(|shape| B::take(shape, results))
    }
}

macro_rules! batch_of_tuple {
    ($($batch:ident $index:tt),*) => {
        /// All of them, in order.
        impl<$($batch: Batch),*> Batch for ($($batch,)*) {
            type Rows = ($($batch::Rows,)*);
            type Shape = ($($batch::Shape,)*);

            #[allow(unused_variables, clippy::unused_unit, reason = "of the empty tuple")]
            fn prepare(self, statements: &mut Statements) -> Self::Shape {
                ($(self.$index.prepare(statements),)*)
            }

            #[allow(unused_variables, clippy::unused_unit, reason = "of the empty tuple")]
            fn take(shape: Self::Shape, results: &mut Results) -> Self::Rows {
                ($($batch::take(shape.$index, results),)*)
            }
        }
    };
}
batch_of_tuple!();
batch_of_tuple!(A 0);
batch_of_tuple!(A 0, B 1);
batch_of_tuple!(A 0, B 1, C 2);
batch_of_tuple!(A 0, B 1, C 2, D 3);
batch_of_tuple!(A 0, B 1, C 2, D 3, E 4);

/// A row as D1 gives it, not decoded.
#[derive(Deserialize)]
struct RawRow(#[serde(with = "serde_wasm_bindgen::preserve")] JsValue);

/// Statements with their values, in the order in which they are run.
#[derive(Default)]
pub struct Statements(Vec<(&'static str, Vec<Arg>)>);

/// What D1 gave for them.
pub struct Results {
    results: std::vec::IntoIter<D1Result>,
    /// Why what was taken is not what was given.
    failure: Option<DbError>,
}

impl Results {
    fn take<B: Batch>(mut self, shape: B::Shape) -> Result<B::Rows, DbError> {
        let rows = B::take(shape, &mut self);
        match self.failure {
            None => Ok(rows),
            Some(error) => Err(error),
        }
    }

    /// The rows of the next statement as one JSON text. Asking the JavaScript object for each field of each row takes five
    /// times as long.
    fn next(&mut self) -> Result<String, DbError> {
        let result = self.results.next();
        let result = result.ok_or_else(|| DbError::Other("D1 gave too few results".to_owned()))?;
        let rows: Array = result.results::<RawRow>()?.into_iter().map(|row| row.0).collect();
        Ok(JSON::stringify(&rows).map_err(worker::Error::from)?.into())
    }

    /// Remembers why there are no rows, and gives none.
    fn failed<T>(&mut self, error: DbError) -> Vec<T> {
        self.failure.get_or_insert(error);
        Vec::new()
    }

    /// How many bytes the database has, if it says so.
    fn size(&self) -> Option<u64> {
        let about = self.results.as_slice().last()?.meta().ok().flatten()?;
        about.size_after.map(|bytes| bytes as u64)
    }
}

fn undecoded(error: serde_json::Error) -> DbError {
    DbError::Other(format!("a row does not decode: {error}"))
}

pub struct Db(D1Database);

impl Db {
    /// The database bound to this Worker.
    pub fn new(env: &worker::Env) -> Result<Self, ApiError> {
        env.d1(BINDING).map(Self).map_err(|_| ApiError::unbound(BINDING))
    }

    /// Runs queries in one round trip and one transaction.
    pub fn run<B: Batch>(&self, batch: B) -> impl Future<Output = Result<B::Rows, DbError>> {
        let mut statements = Statements::default();
        let shape = batch.prepare(&mut statements);
        self.send(statements).map(move |results| results?.take::<B>(shape))
    }

    /// The same, and how many bytes the database has, if it says so.
    pub fn run_and_measure<B: Batch>(&self, batch: B) -> impl Future<Output = Result<(B::Rows, Option<u64>), DbError>> {
        let mut statements = Statements::default();
        let shape = batch.prepare(&mut statements);
        self.send(statements).map(move |results| {
            let results = results?;
            let size = results.size();
            Ok((results.take::<B>(shape)?, size))
        })
    }

    /// Boxed, so that it is compiled once instead of within everything that runs queries.
    fn send(&self, Statements(statements): Statements) -> LocalBoxFuture<'_, Result<Results, DbError>> {
        Box::pin(async {
            let mut prepared = Vec::with_capacity(statements.len());
            for (sql, args) in statements {
                let args: Vec<_> = args.into_iter().map(JsValue::from).collect();
                prepared.push(self.0.prepare(sql).bind(&args)?);
            }
            let results = match prepared.is_empty() {
                // D1 refuses a batch of nothing.
                true => Vec::new(),
                false => self.0.batch(prepared).await?,
            };
            Ok(Results {
                results: results.into_iter(),
                failure: None,
            })
        })
    }
}

/// Why a query failed.
#[derive(Debug, PartialEq, Eq)]
pub enum DbError {
    /// A row like it is there already.
    Duplicate,
    /// A `refuse!` was reached.
    Refused,
    /// A defect or an outage.
    Other(String),
}

impl DbError {
    fn from_text(text: String) -> Self {
        if text.contains("UNIQUE constraint failed") {
            Self::Duplicate
        } else if text.contains("'refused by ") {
            Self::Refused
        } else {
            Self::Other(text)
        }
    }
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate => f.write_str("D1: a unique index refused the row"),
            Self::Refused => f.write_str("D1: a rule refused the batch"),
            Self::Other(text) => write!(f, "D1: {text}"),
        }
    }
}

impl From<worker::Error> for DbError {
    fn from(error: worker::Error) -> Self {
        Self::from_text(error.to_string())
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        Self::internal(error)
    }
}

/// A time as it is stored: RFC 3339 in UTC with milliseconds, so that texts sort like the times they stand for.
pub fn stored(time: chrono::DateTime<chrono::Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// The same of milliseconds since the Unix epoch.
pub fn stored_ms(ms: u64) -> String {
    let ms = i64::try_from(ms).unwrap_or_default();
    stored(chrono::DateTime::from_timestamp_millis(ms).unwrap_or_default())
}

/// This moment, as it is stored.
pub fn now() -> String {
    stored(chrono::Utc::now())
}

/// Reads a truth value that SQLite stores as 0 or 1.
pub fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(f64::deserialize(deserializer)? != 0.0)
}

/// Reads a column that holds JSON text.
pub fn json<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
    protocol::json::from_str(&text).map_err(serde::de::Error::custom)
}

/// The same of one that may be NULL.
pub fn optional_json<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    let text = Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
    text.map(|text| protocol::json::from_str(&text).map_err(serde::de::Error::custom))
        .transpose()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;

    /// The files below a folder with a line that begins a `statements!`.
    fn declaring(folder: &Path) -> BTreeSet<String> {
        let paths = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
        let within = |path: PathBuf| match path.is_dir() {
            true => declaring(&path),
            false => {
                let text = std::fs::read_to_string(&path).unwrap();
                let declares = text.lines().any(|line| line.starts_with("statements! {"));
                declares
                    .then(|| path.to_str().unwrap().to_owned())
                    .into_iter()
                    .collect()
            }
        };
        paths.flat_map(within).collect()
    }

    #[test]
    fn every_file_with_statements_hands_them_in() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let handed_in = inventory::iter::<Declared>().map(|Declared(_, file)| root.join(file));
        let handed_in: BTreeSet<String> = handed_in.map(|path| path.to_str().unwrap().to_owned()).collect();
        assert_eq!(handed_in, declaring(&root.join("src")));
    }

    #[test]
    fn a_row_that_exists_already_is_told_from_other_failures() {
        let duplicate = "D1_ERROR: UNIQUE constraint failed: users.username: SQLITE_CONSTRAINT";
        assert_eq!(DbError::from_text(duplicate.to_owned()), DbError::Duplicate);
        assert_ne!(
            DbError::from_text("D1_ERROR: no such table: users".to_owned()),
            DbError::Duplicate
        );
    }

    #[test]
    fn columns_of_truth_values_and_json_are_read() {
        #[derive(Deserialize)]
        struct Row {
            #[serde(deserialize_with = "flag")]
            on: bool,
            #[serde(deserialize_with = "json")]
            tags: Vec<String>,
        }
        let row: Row = serde_json::from_str(r#"{"on":1,"tags":"[\"a\",\"b\"]"}"#).unwrap();
        assert!(row.on);
        assert_eq!(row.tags, ["a", "b"]);
    }
}
