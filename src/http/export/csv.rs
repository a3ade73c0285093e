//! A list for spreadsheets (RFC 4180).
use std::borrow::Cow;

use csv::{Terminator, WriterBuilder};

use super::row::Row;

/// A spreadsheet takes a cell that begins so for a formula, and somebody else chose the text.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The text of one page.
pub fn page<R: Row>(columns: &[String], rows: &[R], first: bool) -> Result<Vec<u8>, String> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    if first {
        writer.write_record(columns).map_err(|error| error.to_string())?;
    }
    for row in rows {
        let cells = row.cells().into_iter().map(harmless);
        writer
            .write_record(cells.map(|cell| cell.into_owned()))
            .map_err(|error| error.to_string())?;
    }
    writer.into_inner().map_err(|error| error.to_string())
}

/// The cell as text that no spreadsheet computes: an apostrophe in front says so.
fn harmless(cell: Cow<'_, str>) -> Cow<'_, str> {
    match cell.starts_with(FORMULA) {
        true => format!("'{cell}").into(),
        false => cell,
    }
}

#[cfg(test)]
pub mod tests {
    use serde::Serialize;

    use super::*;

    /// A row with one column.
    #[derive(Serialize)]
    pub struct Line(pub String);

    impl Row for Line {
        fn number(&self) -> i64 {
            1
        }

        fn cells(&self) -> Vec<Cow<'_, str>> {
            vec![self.0.as_str().into(), self.0.as_str().into()]
        }
    }

    fn text(names: &[&str], first: bool) -> String {
        let rows: Vec<Line> = names.iter().map(|name| Line((*name).to_owned())).collect();
        let columns = ["name", "twice"].map(str::to_owned);
        String::from_utf8(page(&columns, &rows, first).unwrap()).unwrap()
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(text(&["a"], true), "name,twice\r\na,a\r\n");
        assert_eq!(
            text(&["a,\"b\"\nc"], false),
            "\"a,\"\"b\"\"\nc\",\"a,\"\"b\"\"\nc\"\r\n"
        );
        assert_eq!(text(&[], false), "");
    }

    #[test]
    fn a_spreadsheet_computes_nothing() {
        for name in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1"] {
            let text = text(&[name], false);
            assert!(text.starts_with('\'') || text.starts_with("\"'"), "{text:?}");
        }
        assert_eq!(text(&["a=1"], false), "a=1,a=1\r\n");
    }
}
