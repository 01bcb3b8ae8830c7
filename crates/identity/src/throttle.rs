//! Slows down password guessing: each account and each address waits longer after each attempt that
//! fails. Nobody is locked out for good, so nobody can lock somebody else out for good.

use domain::Millis;
use std::{collections::HashMap, net::IpAddr};

/// Rows of the table; a row is about 100 bytes.
const MAX_ROWS: usize = 20_000;
/// A row untouched for so long is forgotten.
const FORGET_MS: Millis = 15 * 60_000;

struct Rule {
    /// Attempts that need no waiting.
    free: u32,
    /// The longest wait.
    longest: Millis,
}

const ACCOUNT: Rule = Rule {
    free: 5,
    longest: 60_000,
};
/// Many people may share an address.
const ADDRESS: Rule = Rule {
    free: 20,
    longest: 300_000,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Account(String),
    Address(String),
}

#[derive(Debug, Clone, Copy)]
struct Row {
    attempts: u32,
    last: Millis,
    open_at: Millis,
}

/// Login attempts of late. One per process, behind a mutex.
#[derive(Debug, Default)]
pub struct Throttle {
    rows: HashMap<Key, Row>,
}

impl Throttle {
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for an attempt and counts it as failed, so that attempts in parallel do not all pass;
    /// [`Throttle::succeeded`] takes it back.
    ///
    /// # Errors
    /// Milliseconds to wait. A refused attempt is not counted.
    pub fn attempt(&mut self, account: &str, address: &str, now: Millis) -> Result<(), Millis> {
        let keys = keys(account, address);
        let wait = keys
            .iter()
            .filter_map(|(key, _)| self.rows.get(key))
            .map(|row| row.open_at - now)
            .max()
            .unwrap_or(0);
        if wait > 0 {
            return Err(wait);
        }
        for (key, rule) in keys {
            self.count(key, &rule, now);
        }
        Ok(())
    }

    /// The attempt was right: the account starts anew, the address gets its attempt back. The rest
    /// of the address's attempts stay, else a guesser with one account of his own could reset it.
    pub fn succeeded(&mut self, account: &str, address: &str) {
        let [(account, _), (address, _)] = keys(account, address);
        self.rows.remove(&account);
        if let Some(row) = self.rows.get_mut(&address) {
            row.attempts = row.attempts.saturating_sub(1);
            row.open_at = row.last;
        }
    }

    fn count(&mut self, key: Key, rule: &Rule, now: Millis) {
        if self.rows.len() >= MAX_ROWS && !self.rows.contains_key(&key) {
            self.make_room(now);
        }
        let row = self.rows.entry(key).or_insert(Row {
            attempts: 0,
            last: now,
            open_at: now,
        });
        if now - row.last > FORGET_MS {
            row.attempts = 0;
        }
        row.attempts = row.attempts.saturating_add(1);
        row.last = now;
        row.open_at = now + delay(rule, row.attempts);
    }

    /// Drops forgotten rows; when that is not enough, the tenth that was used longest ago.
    fn make_room(&mut self, now: Millis) {
        self.rows.retain(|_, row| now - row.last <= FORGET_MS);
        if self.rows.len() >= MAX_ROWS {
            let mut ages: Vec<Millis> = self.rows.values().map(|row| row.last).collect();
            let (_, &mut border, _) = ages.select_nth_unstable(MAX_ROWS / 10);
            self.rows.retain(|_, row| row.last > border);
        }
    }
}

fn keys(account: &str, address: &str) -> [(Key, Rule); 2] {
    // Names are compared without case, and nobody's name is longer than this.
    let account: String = account.trim().to_lowercase().chars().take(120).collect();
    let address: String = address.chars().take(64).collect();
    [(Key::Account(account), ACCOUNT), (Key::Address(address), ADDRESS)]
}

fn delay(rule: &Rule, attempts: u32) -> Millis {
    match attempts.checked_sub(rule.free) {
        None => 0,
        Some(over) => (1000 << over.min(20)).min(rule.longest),
    }
}

/// How an address is counted: IPv4 as it is, IPv6 by its /64, which is what one subscriber gets.
pub fn address_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let s = v6.segments();
            format!("{:x}:{:x}:{:x}:{:x}::/64", s[0], s[1], s[2], s[3])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Attempts that pass in `seconds` when somebody tries ten times a second.
    fn passed(throttle: &mut Throttle, seconds: i64, name: impl Fn(i64) -> (String, String)) -> usize {
        (0..seconds * 10)
            .filter(|i| {
                let (account, address) = name(*i);
                throttle.attempt(&account, &address, i * 100).is_ok()
            })
            .count()
    }

    #[test]
    fn an_account_slows_down_whatever_the_address() {
        let n = passed(&mut Throttle::new(), 60, |i| ("li".into(), format!("10.0.0.{i}")));
        assert!((8..=11).contains(&n), "{n}");
    }

    #[test]
    fn an_address_slows_down_whatever_the_account() {
        let n = passed(&mut Throttle::new(), 60, |i| {
            (format!("user{i}"), "10.0.0.1".into())
        });
        assert!((20..=27).contains(&n), "{n}");
    }

    #[test]
    fn the_wait_is_told_and_ends() {
        let mut throttle = Throttle::new();
        for _ in 0..5 {
            assert_eq!(throttle.attempt("li", "a", 0), Ok(()));
        }
        assert_eq!(throttle.attempt("LI ", "b", 0), Err(1000));
        assert_eq!(throttle.attempt("li", "a", 1000), Ok(()));
        assert_eq!(throttle.attempt("li", "a", 1001), Err(1999));
        assert_eq!(throttle.attempt("wang", "c", 1001), Ok(()));
        assert_eq!(
            throttle.attempt("li", "a", 1000 + 60_000),
            Ok(()),
            "no wait is longer than a minute"
        );
    }

    #[test]
    fn success_clears_the_account_and_not_the_address() {
        let mut throttle = Throttle::new();
        for i in 0..19 {
            throttle.attempt(&format!("u{i}"), "a", 0).unwrap();
        }
        throttle.attempt("mine", "a", 0).unwrap();
        throttle.succeeded("mine", "a");
        throttle.attempt("x", "a", 0).unwrap();
        assert!(throttle.attempt("y", "a", 0).is_err());
        let mut throttle = Throttle::new();
        for _ in 0..5 {
            throttle.attempt("li", "a", 0).unwrap();
        }
        throttle.succeeded("li", "a");
        assert_eq!(throttle.attempt("li", "a", 0), Ok(()));
    }

    #[test]
    fn the_table_is_bounded_and_keeps_the_newest() {
        let mut throttle = Throttle::new();
        for i in 0..60_000i64 {
            let _ = throttle.attempt(&format!("u{i}"), &format!("a{i}"), i);
            assert!(throttle.rows.len() <= MAX_ROWS + 1);
        }
        assert!(throttle.rows.contains_key(&Key::Account("u59999".into())));
    }

    #[test]
    fn addresses_are_grouped_as_they_are_given_out() {
        let key = |text: &str| address_key(text.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:10.0.0.1"), "10.0.0.1");
    }
}
