//! Things that cells refer to by a number, such as links.
use std::collections::HashMap;
use std::hash::Hash;

/// As many are kept before those are forgotten that no cell refers to any more.
const FIRST_LIMIT: usize = 256;

/// Values, each once, by numbers from 1 on.
#[derive(Debug)]
pub struct Table<T> {
    values: Vec<Option<T>>,
    numbers: HashMap<T, u16>,
    free: Vec<u16>,
    limit: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            numbers: HashMap::new(),
            free: Vec::new(),
            limit: FIRST_LIMIT,
        }
    }
}

impl<T: Clone + Eq + Hash> Table<T> {
    pub fn get(&self, number: u16) -> Option<&T> {
        self.values.get(usize::from(number).checked_sub(1)?)?.as_ref()
    }

    /// The number of a value. `in_use` names the numbers that cells refer to; it is asked seldom. Nothing if each of the
    /// numbers is taken, which a screen of the largest size could bring about.
    pub fn number<I: Iterator<Item = u16>>(&mut self, value: T, in_use: impl FnOnce() -> I) -> Option<u16> {
        if let Some(number) = self.numbers.get(&value) {
            return Some(*number);
        }
        if self.free.is_empty() && self.values.len() >= self.limit {
            self.sweep(in_use());
        }
        let number = match self.free.pop() {
            Some(number) => number,
            None => {
                let number = u16::try_from(self.values.len() + 1).ok()?;
                self.values.push(None);
                number
            }
        };
        self.values[usize::from(number) - 1] = Some(value.clone());
        self.numbers.insert(value, number);
        Some(number)
    }

    fn sweep(&mut self, in_use: impl Iterator<Item = u16>) {
        let mut kept = vec![false; self.values.len() + 1];
        for number in in_use {
            if let Some(kept) = kept.get_mut(usize::from(number)) {
                *kept = true;
            }
        }
        for (index, value) in self.values.iter_mut().enumerate() {
            if !kept[index + 1]
                && let Some(value) = value.take()
            {
                self.numbers.remove(&value);
                self.free.push(index as u16 + 1);
            }
        }
        // So that a full table is not swept at each new value.
        if self.free.len() < self.values.len() / 2 {
            self.limit = (self.limit * 2).min(usize::from(u16::MAX));
        }
    }
}
