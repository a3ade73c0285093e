//! Rules of request fields. A request checks all its fields and reports every fault at once.
use super::error::FieldError;

/// A request body that knows its own rules.
pub trait Validate {
    /// Other names that its fields may be given by, each with the field's own.
    const OTHER_NAMES: &'static [(&'static str, &'static str)] = &[];

    /// Reports each field that breaks its rule.
    fn validate(&self, faults: &mut Faults);
}

/// The fields of one request that were not accepted.
#[derive(Debug, Default)]
pub struct Faults(Vec<FieldError>);

impl Faults {
    /// Reports one field.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(FieldError {
            field: field.into(),
            message: message.into(),
        });
    }

    /// Reports `field` unless `valid`.
    pub fn check(&mut self, valid: bool, field: impl Into<String>, message: impl Into<String>) {
        if !valid {
            self.add(field, message);
        }
    }

    /// A name or similar, on one line: at least `min` characters without white space around them, and at most `max` with it.
    pub fn line(&mut self, field: &str, text: &str, min: usize, max: usize) {
        if text.trim().chars().count() < min || text.chars().count() > max {
            self.add(field, format!("must have {min} to {max} characters"));
        } else if text.chars().any(char::is_control) {
            self.add(field, "must not contain control characters");
        }
    }

    /// Free text of at most `max` characters. Line breaks are welcome, NUL is not: databases and shells cut text there.
    pub fn text(&mut self, field: &str, text: &str, max: usize) {
        self.check(
            text.chars().count() <= max,
            field,
            format!("must have at most {max} characters"),
        );
        self.check(!text.contains('\0'), field, "must not contain NUL characters");
    }

    /// The faults, none if the request is in order.
    pub fn into_vec(self) -> Vec<FieldError> {
        self.0
    }
}

/// Whether a text looks like a mail address: something, `@`, a domain with a dot in it, no white space. More than that
/// only a mail to it can tell.
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let labels: Vec<&str> = domain.split('.').collect();
    !local.is_empty()
        && labels.len() >= 2
        && labels.iter().all(|label| !label.is_empty())
        && !domain.contains('@')
        && text.chars().all(|c| !c.is_whitespace() && !c.is_control())
}

/// Which fields of a body are not accepted, for the tests of bodies.
#[cfg(test)]
pub fn refused_fields<T: Validate + serde::de::DeserializeOwned>(json: &str) -> Vec<String> {
    let mut faults = Faults::default();
    serde_json::from_str::<T>(json).unwrap().validate(&mut faults);
    faults.into_vec().into_iter().map(|fault| fault.field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_a_name_and_a_domain_with_a_dot() {
        for good in ["a@b.c", "first.last+tag@sub.example.org", "ü@example.org"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "a", "@b.c", "a@b", "a@b.", "a@.c", "a b@c.d", "a@b@c.d", "a@b.c\n"] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn a_line_has_enough_characters_without_white_space_and_not_too_many_with_it() {
        let faults = |text: &str| {
            let mut faults = Faults::default();
            faults.line("name", text, 1, 3);
            faults
                .into_vec()
                .into_iter()
                .map(|fault| fault.message)
                .collect::<Vec<_>>()
        };
        assert!(faults(" ä ").is_empty());
        assert_eq!(faults(" äö "), ["must have 1 to 3 characters"]);
        assert_eq!(faults("   "), ["must have 1 to 3 characters"]);
        assert_eq!(faults("abcd"), ["must have 1 to 3 characters"]);
        assert_eq!(faults("a\tb"), ["must not contain control characters"]);
    }
}
