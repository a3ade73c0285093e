//! Templates of variables: texts in which `{{ field }}` stands for a value of a thing.

/// How a field is named: exactly one space on both sides (contract).
const OPEN: &str = "{{ ";
const CLOSE: &str = " }}";

/// What stands before the first field of a template, the field, and what stands behind it.
pub fn next(template: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let at = from + template.get(from..)?.find(OPEN)?;
        let behind = template.get(at + OPEN.len()..)?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = behind.find(|c: char| !is_name(c)).unwrap_or(behind.len());
        let (field, after) = behind.split_at_checked(end)?;
        match after.strip_prefix(CLOSE) {
            Some(after) if !field.is_empty() => return Some((template.get(..at)?, field, after)),
            // It is no field that stands there, and stays as it is.
            _ => from = at + OPEN.len(),
        }
    }
}

/// The fields that a template names.
pub fn fields(template: &str) -> impl Iterator<Item = &str> {
    let mut rest = template;
    std::iter::from_fn(move || {
        let (_, field, after) = next(rest)?;
        rest = after;
        Some(field)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_template_are_those_that_stand_in_it_with_one_space_on_both_sides() {
        let named = |template| fields(template).collect::<Vec<_>>();
        assert_eq!(named("{{ name }}-{{ ip_address }}"), ["name", "ip_address"]);
        assert_eq!(named("{{ {{ name }} }}"), ["name"]);
        assert!(named("{{name}} {{  name }} {{ }} {{ a-b }} {{ name").is_empty());
    }
}
