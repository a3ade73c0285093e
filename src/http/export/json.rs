//! A list as a JSON array with one row per line.
use super::row::Row;

/// The text of one page.
pub fn page<R: Row>(rows: &[R], first: bool, last: bool) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    if first {
        text.push(b'[');
    }
    for (index, row) in rows.iter().enumerate() {
        text.extend_from_slice(if first && index == 0 { b"\n" } else { b",\n" });
        serde_json::to_writer(&mut text, row).map_err(|error| error.to_string())?;
    }
    if last {
        text.extend_from_slice(b"\n]\n");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::export::csv::tests::Line;

    #[test]
    fn pages_make_one_array() {
        let rows = |names: &[&str]| names.iter().map(|name| Line((*name).to_owned())).collect::<Vec<_>>();
        let whole = |pages: &[&[&str]]| {
            let last = pages.len() - 1;
            let text: Vec<u8> = pages
                .iter()
                .enumerate()
                .flat_map(|(n, names)| page(&rows(names), n == 0, n == last).unwrap())
                .collect();
            serde_json::from_slice::<Vec<String>>(&text).unwrap()
        };
        assert_eq!(whole(&[&[]]), [""; 0]);
        assert_eq!(whole(&[&["a"]]), ["a"]);
        assert_eq!(whole(&[&["a", "b"], &["c"], &[]]), ["a", "b", "c"]);
    }
}
