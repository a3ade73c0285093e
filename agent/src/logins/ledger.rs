//! What was seen of logins and what of it was told: pure rules. Each message has all that last, so that what is listed elsewhere and
//! does not is closed; of new ones it has a few, and the rest is counted or waits.
use std::collections::BTreeMap;

use protocol::terminal::logins::{ExternalLogin, Logins, MAX_LOGINS, MAX_NEW_LOGINS};

/// Logins that are known at once. A machine with more of them has no room in a message for more than a part anyway.
const KNOWN: usize = 4 * MAX_LOGINS;

/// A login, and whether the edge has it.
#[derive(Debug, Clone)]
struct Known {
    login: ExternalLogin,
    told: bool,
}

/// All that is known.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Those that last and those that are over and were not told of as such.
    known: BTreeMap<String, Known>,
    /// How many were left out since the last message.
    left_out: u32,
    /// Whether the edge is to be told which last although nothing has happened.
    all: bool,
    number: u64,
    /// What the message under way says.
    under_way: Option<Logins>,
}

impl Ledger {
    /// Nobody knows what the edge has: it is told again.
    pub fn tell_all(&mut self) {
        self.all = true;
        // What was under way may have come, and is no news then.
        self.take_back();
    }

    /// These are logged in now.
    pub fn observe(&mut self, now: u64, seen: Vec<ExternalLogin>) {
        let seen: BTreeMap<String, ExternalLogin> = seen.into_iter().map(|login| (login.seed.clone(), login)).collect();
        for known in self.known.values_mut() {
            known.login.logout_at = match seen.contains_key(&known.login.seed) {
                true => None,
                false => known.login.logout_at.or(Some(now)),
            };
        }
        for (seed, login) in seen {
            if !self.known.contains_key(&seed) {
                match self.known.len() < KNOWN {
                    true => drop(self.known.insert(seed, Known { login, told: false })),
                    false => self.left_out = self.left_out.saturating_add(1),
                }
            }
        }
        self.forget_many();
    }

    /// Of those that have come and gone without being told of, a few are kept.
    fn forget_many(&mut self) {
        let missed = |known: &&Known| !known.told && known.login.logout_at.is_some();
        let mut kept = MAX_NEW_LOGINS;
        let spare: Vec<String> = self
            .known
            .values()
            .filter(missed)
            .filter(|_| {
                let spare = kept == 0;
                kept = kept.saturating_sub(1);
                spare
            })
            .map(|known| known.login.seed.clone())
            .collect();
        self.left_out = self
            .left_out
            .saturating_add(u32::try_from(spare.len()).unwrap_or(u32::MAX));
        for seed in spare {
            self.known.remove(&seed);
        }
    }

    /// Whether there is something to tell.
    pub fn has_news(&self) -> bool {
        let has_room = self.told() < MAX_LOGINS;
        let is_news = |known: &Known| match known.told {
            true => known.login.logout_at.is_some(),
            false => has_room,
        };
        self.all || self.left_out > 0 || self.known.values().any(is_news)
    }

    /// How many the edge has.
    fn told(&self) -> usize {
        self.known.values().filter(|known| known.told).count()
    }

    /// What there is to tell, which is under way from now on.
    pub fn message(&mut self) -> Option<Logins> {
        self.take_back();
        if !self.has_news() {
            return None;
        }
        self.number += 1;
        let (told, fresh): (Vec<&Known>, Vec<&Known>) = self.known.values().partition(|known| known.told);
        // Those that do not fit are not told of before others are over: what a message lacks counts as over.
        let room = (MAX_LOGINS - told.len()).min(MAX_NEW_LOGINS);
        let logins = told.into_iter().chain(fresh.into_iter().take(room));
        let message = Logins {
            number: self.number,
            logins: logins.map(|known| known.login.clone()).collect(),
            left_out: std::mem::take(&mut self.left_out),
        };
        self.all = false;
        self.under_way = Some(message.clone());
        Some(message)
    }

    /// The edge has a message. Answers whether it is the one under way.
    pub fn stored(&mut self, number: u64) -> bool {
        let Some(message) = self.under_way.take_if(|message| message.number == number) else {
            return false;
        };
        for login in message.logins {
            if login.logout_at.is_some() {
                self.known.remove(&login.seed);
            } else if let Some(known) = self.known.get_mut(&login.seed) {
                known.told = true;
            }
        }
        true
    }

    /// What was under way may never have come.
    fn take_back(&mut self) {
        if let Some(message) = self.under_way.take() {
            self.left_out = self.left_out.saturating_add(message.left_out);
            self.all = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn login(n: u64) -> ExternalLogin {
        ExternalLogin {
            seed: format!("{n:06}"),
            protocol: "ssh".to_owned(),
            os_user: "ada".to_owned(),
            source_ip: String::new(),
            line: String::new(),
            login_at: n,
            logout_at: None,
        }
    }

    fn logins(numbers: impl IntoIterator<Item = u64>) -> Vec<ExternalLogin> {
        numbers.into_iter().map(login).collect()
    }

    fn told(ledger: &mut Ledger) -> Option<(Vec<u64>, Vec<u64>, u32)> {
        let message = ledger.message()?;
        assert!(ledger.stored(message.number));
        let (last, over): (Vec<_>, Vec<_>) = message.logins.into_iter().partition(|login| login.logout_at.is_none());
        let numbers = |logins: Vec<ExternalLogin>| logins.iter().map(|login| login.login_at).collect();
        Some((numbers(last), numbers(over), message.left_out))
    }

    #[test]
    fn a_login_is_told_of_when_it_begins_and_when_it_ends() {
        let mut ledger = Ledger::default();
        assert_eq!(told(&mut ledger), None);
        ledger.observe(10, logins([1]));
        assert_eq!(told(&mut ledger), Some((vec![1], vec![], 0)));
        assert_eq!(told(&mut ledger), None);
        ledger.observe(20, logins([2]));
        assert_eq!(told(&mut ledger), Some((vec![2], vec![1], 0)));
        ledger.observe(30, logins([]));
        assert_eq!(told(&mut ledger), Some((vec![], vec![2], 0)));
        assert_eq!(told(&mut ledger), None);
    }

    #[test]
    fn who_came_and_went_between_two_messages_is_told_of_and_many_are_counted() {
        let mut ledger = Ledger::default();
        for n in 0..100 {
            ledger.observe(n, logins([n]));
        }
        ledger.observe(100, logins([]));
        let (last, over, left_out) = told(&mut ledger).unwrap();
        assert_eq!(
            (last.len(), over.len(), left_out),
            (0, MAX_NEW_LOGINS, 100 - MAX_NEW_LOGINS as u32)
        );
        assert_eq!(told(&mut ledger), None);
    }

    #[test]
    fn many_who_stay_are_told_of_one_after_another() {
        let mut ledger = Ledger::default();
        let all = MAX_NEW_LOGINS as u64 * 2 + 1;
        ledger.observe(0, logins(0..all));
        for expected in [MAX_NEW_LOGINS, 2 * MAX_NEW_LOGINS, 2 * MAX_NEW_LOGINS + 1] {
            assert_eq!(told(&mut ledger).unwrap().0.len(), expected);
        }
        assert_eq!(told(&mut ledger), None);
    }

    #[test]
    fn of_more_than_fit_a_message_as_many_are_told_of_and_never_listed_as_over() {
        let mut ledger = Ledger::default();
        let more = MAX_LOGINS as u64 + 30;
        ledger.observe(0, logins(0..more));
        let mut last = 0;
        while let Some((lasting, over, _)) = told(&mut ledger) {
            assert!(over.is_empty() && lasting.len() > last);
            last = lasting.len();
        }
        assert_eq!(last, MAX_LOGINS);
        ledger.observe(1, logins(1..more));
        assert_eq!(told(&mut ledger).unwrap().1, [0]);
        assert_eq!(told(&mut ledger).unwrap().0.len(), MAX_LOGINS, "a place is free");
    }

    #[test]
    fn on_a_new_link_all_that_last_are_told_of_again_also_that_none_does() {
        let mut ledger = Ledger::default();
        ledger.tell_all();
        assert_eq!(told(&mut ledger), Some((vec![], vec![], 0)));
        ledger.observe(10, logins([1]));
        told(&mut ledger);
        ledger.tell_all();
        assert_eq!(told(&mut ledger), Some((vec![1], vec![], 0)));
    }

    #[test]
    fn what_nobody_has_acknowledged_is_told_again() {
        let mut ledger = Ledger::default();
        ledger.observe(10, logins([1]));
        let first = ledger.message().unwrap();
        ledger.observe(20, logins([]));
        let second = ledger.message().unwrap();
        assert!(
            !ledger.stored(first.number),
            "an answer to what was said before is none to what is said now"
        );
        assert_eq!(second.logins[0].logout_at, Some(20));
        assert!(ledger.stored(second.number));
        assert_eq!(ledger.message(), None);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Observe(BTreeSet<u64>),
        Tell,
        Lose,
        Reconnect,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => prop::collection::btree_set(0u64..60, 0..50).prop_map(Step::Observe),
            3 => Just(Step::Tell),
            1 => Just(Step::Lose),
            1 => Just(Step::Reconnect),
        ]
    }

    proptest! {
        #[test]
        fn the_edge_comes_to_know_who_is_there_whatever_is_lost(steps in prop::collection::vec(step(), 1..40)) {
            let mut ledger = Ledger::default();
            let (mut there, mut now) = (BTreeSet::new(), 0);
            // What the edge lists as lasting: by each message, all that do.
            let mut listed = BTreeSet::new();
            let take = |listed: &mut BTreeSet<u64>, message: &Logins| {
                let last = message.logins.iter().filter(|login| login.logout_at.is_none());
                *listed = last.map(|login| login.login_at).collect();
            };
            for step in steps {
                now += 1;
                match step {
                    Step::Observe(seen) => {
                        ledger.observe(now, logins(seen.iter().copied()));
                        there = seen;
                    }
                    Step::Tell => {
                        if let Some(message) = ledger.message() {
                            prop_assert!(message.logins.len() <= MAX_LOGINS);
                            take(&mut listed, &message);
                            prop_assert!(ledger.stored(message.number));
                        }
                    }
                    Step::Lose => drop(ledger.message()),
                    Step::Reconnect => ledger.tell_all(),
                }
            }
            for _ in 0..10 {
                if let Some(message) = ledger.message() {
                    take(&mut listed, &message);
                    ledger.stored(message.number);
                }
            }
            prop_assert_eq!(listed, there);
            prop_assert!(!ledger.has_news());
        }
    }
}
