//! The patterns by which `ssh` names hosts: `*` for anything, `?` for one character, `!` for all but these, several with commas between.

/// Whether a list of patterns is about a name, which is in small letters. One that excludes it counts more than all others.
pub fn fits_list(list: &[u8], name: &[u8]) -> bool {
    let mut fits_one = false;
    for pattern in list.split(|byte| *byte == b',') {
        match pattern.strip_prefix(b"!") {
            Some(excluded) if fits(excluded, name) => return false,
            Some(_) => {}
            None => fits_one |= fits(pattern, name),
        }
    }
    fits_one
}

/// Whether a pattern is about all of a name. A star that took too little takes one more; no more than the last has to be remembered.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = name.get(seen) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted.to_ascii_lowercase() == *byte => {
                at += 1;
                seen += 1;
            }
            _ => match &mut star {
                Some((behind, taken)) => {
                    *taken += 1;
                    (at, seen) = (*behind + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn patterns_fit_as_ssh_has_it() {
        for (list, name, expected) in [
            ("web", "web", true),
            ("WEB", "web", true),
            ("web", "web1", false),
            ("web*", "web1", true),
            ("*", "", true),
            ("w?b", "web", true),
            ("w?b", "wb", false),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "example.com", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("[web]:22*", "[web]:2222", true),
            ("web,!web1", "web1", false),
            ("!web1,web*", "web1", false),
            ("!web1,web*", "web2", true),
            ("!web1", "web2", false),
            ("a,,b", "b", true),
            ("", "web", false),
        ] {
            assert_eq!(fits_list(list.as_bytes(), name.as_bytes()), expected, "{list} {name}");
        }
    }

    #[test]
    fn no_pattern_takes_for_ever() {
        let began = Instant::now();
        assert!(!fits("*a".repeat(500).as_bytes(), "a".repeat(400).as_bytes()));
        assert!(began.elapsed() < Duration::from_secs(1));
    }
}
