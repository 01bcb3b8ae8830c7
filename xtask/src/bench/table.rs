//! Numbers and how they are shown.

use serde_json::{Value, json};

/// The value below which the given share of them lies; `share` from 0 to 1.
pub(super) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )]
    let at = (share * sorted.len().saturating_sub(1) as f64).ceil() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

pub(super) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// What was measured beside what was aimed at.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

/// What, how much, and the aim if there is one.
type Row = (String, f64, Option<Aim>);
type Aim = (Bound, f64);

#[derive(Clone, Copy)]
pub(super) enum Bound {
    AtMost,
    AtLeast,
}

impl Table {
    /// A number without an aim.
    pub(super) fn tell(&mut self, what: &str, value: f64) {
        self.rows.push((what.to_owned(), value, None));
    }

    pub(super) fn aim(&mut self, what: &str, value: f64, bound: Bound, limit: f64) {
        self.rows.push((what.to_owned(), value, Some((bound, limit))));
    }

    /// How many aims were missed. A number that could not be had misses its aim.
    pub(super) fn missed(&self) -> usize {
        let missed = |row: &&Row| row.2.is_some_and(|aim| !met(row.1, aim));
        self.rows.iter().filter(missed).count()
    }

    pub(super) fn print(&self) {
        let width = self
            .rows
            .iter()
            .map(|row| row.0.chars().count())
            .max()
            .unwrap_or(0);
        for (what, value, aim) in &self.rows {
            let number = round(*value);
            match aim {
                None => println!("{what:<width$}  {number:>10}"),
                Some(aim) => {
                    let sign = match aim.0 {
                        Bound::AtMost => "≤",
                        Bound::AtLeast => "≥",
                    };
                    let verdict = if met(*value, *aim) { "met" } else { "MISSED" };
                    println!("{what:<width$}  {number:>10}  aim {sign} {:<8} {verdict}", aim.1);
                }
            }
        }
    }

    pub(super) fn json(&self) -> Value {
        let rows = self.rows.iter().map(|(what, value, aim)| {
            let limit = aim.map(|(_, limit)| limit);
            json!({"what": what, "value": value, "aim": limit, "met": aim.map(|aim| met(*value, aim))})
        });
        rows.collect()
    }
}

fn met(value: f64, (bound, limit): Aim) -> bool {
    match bound {
        Bound::AtMost => value <= limit,
        Bound::AtLeast => value >= limit,
    }
}

fn round(value: f64) -> String {
    if value.abs() >= 100.0 {
        format!("{value:.0}")
    } else if value.abs() >= 1.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_measured_values() {
        let values: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        assert!((median(&values) - 11.0).abs() < f64::EPSILON);
        assert!((quantile(&values, 0.95) - 20.0).abs() < f64::EPSILON);
        assert!((quantile(&[7.0], 0.95) - 7.0).abs() < f64::EPSILON);
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn a_missing_number_misses_its_aim() {
        let mut table = Table::default();
        table.aim("a", f64::NAN, Bound::AtMost, 1.0);
        table.aim("b", 100.0, Bound::AtLeast, 100.0);
        table.tell("c", 5.0);
        assert_eq!(table.missed(), 1);
    }
}
