//! Lists in pages. Asking for no page gives everything.
use serde::Deserialize;
use utoipa::IntoParams;

/// The size of a page when the one asked for is out of bounds (contract).
const DEFAULT_LIMIT: u64 = 10;

/// Largest page. Whoever wants more asks for everything.
const MAX_LIMIT: u64 = 500;

/// Last page that can be asked for; what lies beyond is empty for any list D1 can hold.
const MAX_PAGE: u64 = 1_000_000_000;

/// Which part of a list to give. Values that are not whole numbers count as absent.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The page, from 1.
    #[param(value_type = Option<u64>, minimum = 1)]
    page: Option<String>,
    /// How many fit on a page, 1 to 500. Without it, everything is one page.
    #[param(value_type = Option<u64>, minimum = 1)]
    limit: Option<String>,
    /// The same, under another name; `limit` counts first.
    #[param(value_type = Option<u64>, minimum = 1)]
    per_page: Option<String>,
}

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// All of it.
    Everything,
    /// One page.
    One {
        /// Which, from 1.
        page: u64,
        /// How many fit on it.
        limit: u64,
    },
}

/// What an answer says about its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging {
    /// How many rows there are in all.
    pub total: u64,
    /// Which page it is.
    pub page: u64,
    /// How many fit on a page.
    pub limit: u64,
    /// How many pages there are.
    pub total_pages: u64,
}

impl PageQuery {
    /// The page that is meant.
    pub fn page(&self) -> Page {
        match self.size() {
            None => Page::Everything,
            Some(_) => self.always_of(DEFAULT_LIMIT, MAX_LIMIT),
        }
    }

    /// The page that is meant, for lists that always come in pages.
    pub fn always(&self) -> Page {
        self.always_of(DEFAULT_LIMIT, MAX_LIMIT)
    }

    /// The same, of lists with bounds of their own: `default` rows on a page, or as many as are asked for up to `max`.
    pub fn always_of(&self, default: u64, max: u64) -> Page {
        let limit = self.size().and_then(|limit| u64::try_from(limit).ok());
        let page = self.page.as_deref().and_then(|text| text.parse().ok()).unwrap_or(1);
        Page::One {
            page: page.clamp(1, MAX_PAGE),
            limit: limit.filter(|limit| (1..=max).contains(limit)).unwrap_or(default),
        }
    }

    /// How many are asked for.
    fn size(&self) -> Option<i64> {
        let number = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
        number(&self.limit).or_else(|| number(&self.per_page))
    }
}

impl Page {
    /// `LIMIT` and `OFFSET`; a limit of -1 is none.
    pub fn window(self) -> (i64, i64) {
        match self {
            Self::Everything => (-1, 0),
            Self::One { page, limit } => {
                let bound = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
                (bound(limit), bound((page - 1) * limit))
            }
        }
    }

    /// What to say about this page of a list of `total` rows.
    pub fn of(self, total: u64) -> Paging {
        match self {
            Self::Everything => Paging {
                total,
                page: 1,
                limit: total,
                total_pages: 1,
            },
            Self::One { page, limit } => Paging {
                total,
                page,
                limit,
                total_pages: total.div_ceil(limit),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(page: Option<&str>, limit: Option<&str>) -> Page {
        PageQuery {
            page: page.map(Into::into),
            limit: limit.map(Into::into),
            per_page: None,
        }
        .page()
    }

    #[test]
    fn without_a_limit_everything_is_one_page() {
        for given in [page(None, None), page(Some("3"), None), page(None, Some("many"))] {
            assert_eq!(given, Page::Everything);
        }
        assert_eq!(Page::Everything.window(), (-1, 0));
        assert_eq!(
            Page::Everything.of(7),
            Paging {
                total: 7,
                page: 1,
                limit: 7,
                total_pages: 1
            }
        );
    }

    #[test]
    fn a_page_has_a_window_and_a_count() {
        let page = page(Some("3"), Some("20"));
        assert_eq!(page.window(), (20, 40));
        assert_eq!(
            page.of(41),
            Paging {
                total: 41,
                page: 3,
                limit: 20,
                total_pages: 3
            }
        );
        assert_eq!(page.of(0).total_pages, 0);
    }

    #[test]
    fn the_size_of_a_page_has_two_names() {
        let of = |limit: Option<&str>, per_page: &str| {
            PageQuery {
                page: None,
                limit: limit.map(Into::into),
                per_page: Some(per_page.into()),
            }
            .page()
        };
        assert_eq!(of(None, "20"), Page::One { page: 1, limit: 20 });
        assert_eq!(of(Some("30"), "20"), Page::One { page: 1, limit: 30 });
    }

    #[test]
    fn a_list_that_always_comes_in_pages_may_have_bounds_of_its_own() {
        let query = |page: Option<&str>, limit: Option<&str>| PageQuery {
            page: page.map(Into::into),
            limit: limit.map(Into::into),
            per_page: None,
        };
        assert_eq!(query(Some("2"), None).always(), Page::One { page: 2, limit: 10 });
        for (limit, expected) in [(None, 25), (Some("200"), 200), (Some("201"), 25), (Some("0"), 25)] {
            let page = query(None, limit).always_of(25, 200);
            assert_eq!(
                page,
                Page::One {
                    page: 1,
                    limit: expected
                },
                "{limit:?}"
            );
        }
    }

    #[test]
    fn values_out_of_bounds_fall_back() {
        assert_eq!(page(Some("0"), Some("0")), Page::One { page: 1, limit: 10 });
        assert_eq!(page(Some("-2"), Some("501")), Page::One { page: 1, limit: 10 });
        assert_eq!(page(Some("x"), Some("500")), Page::One { page: 1, limit: 500 });
        let last = page(Some("18446744073709551615"), Some("500"));
        assert_eq!(last.window(), (500, 499_999_999_500));
    }
}
