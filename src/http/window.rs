//! Which part of a list to give, where a published API counts in rows and not in pages.
use serde::Deserialize;
use utoipa::IntoParams;

/// How many are listed if nobody says how many (contract).
const DEFAULT_LIMIT: i64 = 50;

/// How many are listed at most (contract).
pub const MAX_LIMIT: i64 = 200;

/// The last that can be asked for; what lies beyond is empty for any list D1 can hold.
const MAX_SKIP: i64 = 1_000_000_000;

/// Which part of a list to give. Values that are no numbers or out of bounds count as absent.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WindowQuery {
    /// How many to list, 1 to 200; 50 if absent.
    #[param(value_type = Option<u64>, minimum = 1)]
    limit: Option<String>,
    /// How many to leave out before them.
    #[param(value_type = Option<u64>)]
    skip: Option<String>,
}

impl WindowQuery {
    /// Limit and offset.
    pub fn window(&self) -> (i64, i64) {
        let number = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<i64>().ok());
        let limit = number(&self.limit).filter(|limit| (1..=MAX_LIMIT).contains(limit));
        let skip = number(&self.skip).filter(|skip| *skip >= 0);
        (limit.unwrap_or(DEFAULT_LIMIT), skip.unwrap_or(0).min(MAX_SKIP))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_out_of_bounds_is_the_first_50() {
        let window = |limit: &str, skip: &str| {
            let text = |text: &str| Some(text.to_owned());
            WindowQuery {
                limit: text(limit),
                skip: text(skip),
            }
            .window()
        };
        assert_eq!(WindowQuery::default().window(), (50, 0));
        assert_eq!(window("200", "7"), (200, 7));
        for (limit, skip) in [("201", "-1"), ("0", "x"), ("", ""), ("1.5", "1e3")] {
            assert_eq!(window(limit, skip), (50, 0));
        }
        assert_eq!(window("1", "9999999999"), (1, MAX_SKIP));
    }
}
