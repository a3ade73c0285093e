//! Parts of a file: the header `Range` (RFC 9110, section 14). A client may ask for more than one; then it gets the whole.

/// What a client asked for of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// All of it.
    Whole,
    /// From one byte up to another, which is not part of it.
    Part { from: usize, to: usize },
    /// Bytes that it does not have.
    Unsatisfiable,
}

/// What a header asks for of something that has `size` bytes. One that makes no sense asks for nothing.
pub fn wanted(header: Option<&str>, size: usize) -> Wanted {
    let Some((first, last)) = header
        .and_then(|header| header.trim().strip_prefix("bytes="))
        .filter(|ranges| !ranges.contains(','))
        .and_then(|range| range.split_once('-'))
    else {
        return Wanted::Whole;
    };
    let number = |text: &str| match text.trim() {
        "" => Some(None),
        text if text.bytes().all(|byte| byte.is_ascii_digit()) => Some(Some(text.parse().unwrap_or(usize::MAX))),
        _ => None,
    };
    let (from, to) = match (number(first), number(last)) {
        (Some(Some(first)), Some(None)) => (first, size),
        (Some(Some(first)), Some(Some(last))) if first <= last => (first, last.saturating_add(1).min(size)),
        // The last so many.
        (Some(None), Some(Some(count))) => (if count == 0 { size } else { size.saturating_sub(count) }, size),
        _ => return Wanted::Whole,
    };
    match from < size {
        true => Wanted::Part { from, to },
        false => Wanted::Unsatisfiable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_a_part_and_nonsense_is_the_whole() {
        for (header, expected) in [
            ("bytes=0-0", Wanted::Part { from: 0, to: 1 }),
            ("bytes=3-", Wanted::Part { from: 3, to: 10 }),
            ("bytes=3-99", Wanted::Part { from: 3, to: 10 }),
            ("bytes=-4", Wanted::Part { from: 6, to: 10 }),
            ("bytes=-99", Wanted::Part { from: 0, to: 10 }),
            ("bytes=10-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=99999999999999999999-", Wanted::Unsatisfiable),
            ("bytes=4-3", Wanted::Whole),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("lines=1-2", Wanted::Whole),
            ("", Wanted::Whole),
        ] {
            assert_eq!(wanted(Some(header), 10), expected, "{header}");
        }
        assert_eq!(wanted(None, 10), Wanted::Whole);
        assert_eq!(wanted(Some("bytes=0-"), 0), Wanted::Unsatisfiable);
    }
}
