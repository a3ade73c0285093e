//! In which order functions are compressed best: a compressor writes what it has seen shortly before as a reference, and gzip looks
//! back 32 KiB. So what has most in common with what was last comes next.
use std::collections::{HashMap, VecDeque};

/// How far gzip looks back, in bytes.
const WINDOW: usize = 32 * 1024;

/// How many bytes in a row are a piece that two functions can have in common. What is shorter is worth little as a reference.
const PIECE: usize = 6;

/// A piece that more functions have says nothing about any of them.
const COMMON: usize = 100;

/// Added to the size of a function where what it has in common is compared: what has a few bytes alone is not chosen for those.
const BIAS: f64 = 20.0;

/// The functions of a module, given their bodies, in the order of their being compressed.
pub fn order(bodies: &[&[u8]]) -> Vec<usize> {
    let mut known = Known::of(bodies);
    let mut waiting: Vec<usize> = (0..bodies.len()).collect();
    let mut ordered = Vec::with_capacity(bodies.len());
    let (mut window, mut size) = (VecDeque::new(), 0);
    while !waiting.is_empty() {
        let next = waiting.remove(known.most_alike(&waiting, bodies));
        ordered.push(next);
        known.enters(next);
        window.push_back(next);
        size += bodies[next].len();
        while size > WINDOW && window.len() > 1 {
            let gone = window.pop_front().unwrap_or_default();
            size -= bodies[gone].len();
            known.leaves(gone);
        }
    }
    ordered
}

/// What functions have in common with each other, and with those in the window.
struct Known {
    /// The pieces of each function.
    pieces: Vec<Vec<usize>>,
    /// The functions that have each piece.
    owners: Vec<Vec<usize>>,
    /// How many functions in the window have each piece.
    inside: Vec<usize>,
    /// How many pieces of each function are in the window.
    shared: Vec<usize>,
}

impl Known {
    fn of(bodies: &[&[u8]]) -> Self {
        let mut numbers = HashMap::new();
        let mut owners: Vec<Vec<usize>> = Vec::new();
        for (function, body) in bodies.iter().enumerate() {
            for piece in body.windows(PIECE) {
                let number = *numbers.entry(piece).or_insert(owners.len());
                if number == owners.len() {
                    owners.push(Vec::new());
                }
                if owners[number].last() != Some(&function) {
                    owners[number].push(function);
                }
            }
        }
        owners.retain(|owners| (2..=COMMON).contains(&owners.len()));
        let mut pieces = vec![Vec::new(); bodies.len()];
        for (number, owners) in owners.iter().enumerate() {
            for function in owners {
                pieces[*function].push(number);
            }
        }
        Self {
            pieces,
            inside: vec![0; owners.len()],
            owners,
            shared: vec![0; bodies.len()],
        }
    }

    /// Where in a list the function is that has most in common with the window, for its size; of several, the first.
    fn most_alike(&self, waiting: &[usize], bodies: &[&[u8]]) -> usize {
        let share = |function: usize| self.shared[function] as f64 / (bodies[function].len() as f64 + BIAS);
        let mut best = (0, -1.0);
        for (place, function) in waiting.iter().enumerate() {
            if share(*function) > best.1 {
                best = (place, share(*function));
            }
        }
        best.0
    }

    fn enters(&mut self, function: usize) {
        for piece in &self.pieces[function] {
            self.inside[*piece] += 1;
            if self.inside[*piece] == 1 {
                self.owners[*piece].iter().for_each(|owner| self.shared[*owner] += 1);
            }
        }
    }

    fn leaves(&mut self, function: usize) {
        for piece in &self.pieces[function] {
            self.inside[*piece] -= 1;
            if self.inside[*piece] == 0 {
                self.owners[*piece].iter().for_each(|owner| self.shared[*owner] -= 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_lies_together_and_nothing_is_lost() {
        let (a, b) = (vec![1; 100], vec![2; 100]);
        let (long_a, long_b) = ([a.as_slice(), &[3; 9]].concat(), [b.as_slice(), &[4; 9]].concat());
        assert_eq!(order(&[&a, &b, &long_a, &long_b]), [0, 2, 1, 3]);
        assert!(order(&[]).is_empty());
        assert_eq!(order(&[&[]]), [0]);
    }
}
