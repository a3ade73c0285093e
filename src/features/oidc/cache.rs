//! What providers say of themselves, kept for a while: it changes rarely, and every sign-in needs it.
use std::rc::Rc;

/// Most documents kept: the keys of two providers and one discovery, with room for a change of settings.
const MAX_ENTRIES: usize = 8;

/// Documents by address, oldest first.
#[derive(Debug, Default)]
pub struct Cache(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    url: String,
    /// Milliseconds of the clock.
    fetched_at: i64,
    body: Rc<[u8]>,
}

impl Cache {
    /// Nothing.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// A document that is at most `max_age` milliseconds old.
    pub fn get(&self, url: &str, now: i64, max_age: i64) -> Option<Rc<[u8]>> {
        let entry = self.0.iter().find(|entry| entry.url == url)?;
        (0..=max_age)
            .contains(&now.saturating_sub(entry.fetched_at))
            .then(|| entry.body.clone())
    }

    /// Keeps a document in place of an older one.
    pub fn put(&mut self, url: &str, now: i64, body: Rc<[u8]>) {
        self.0.retain(|entry| entry.url != url);
        if self.0.len() == MAX_ENTRIES {
            self.0.remove(0);
        }
        self.0.push(Entry {
            url: url.to_owned(),
            fetched_at: now,
            body,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_kept_until_it_is_too_old_for_whoever_asks() {
        let mut cache = Cache::new();
        cache.put("a", 1000, Rc::from(*b"1"));
        assert_eq!(cache.get("a", 1500, 500).as_deref(), Some(&b"1"[..]));
        assert_eq!(cache.get("a", 1501, 500), None);
        assert_eq!(cache.get("a", 900, 500), None, "the clock went back");
        assert_eq!(cache.get("b", 1000, 500), None);
        cache.put("a", 2000, Rc::from(*b"2"));
        assert_eq!(cache.get("a", 2000, 500).as_deref(), Some(&b"2"[..]));
    }

    #[test]
    fn the_oldest_document_makes_room() {
        let mut cache = Cache::new();
        for n in 0..=MAX_ENTRIES {
            cache.put(&n.to_string(), 0, Rc::from(*b""));
        }
        assert!(cache.get("0", 0, 1).is_none());
        assert!(cache.get("1", 0, 1).is_some());
        assert_eq!(cache.0.len(), MAX_ENTRIES);
    }
}
