//! The first screen of the jobs list, cut out of all rows by the server.

#[cfg(feature = "ssr")]
use domain::filter::{Filter, Sort};
use domain::{filter::View, job::JobRow};
use serde::{Deserialize, Serialize};

/// Rows the page is drawn with before the browser has them all; the grid draws that many without a window.
#[cfg(feature = "ssr")]
const HEAD: usize = 60;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobsHead {
    /// All rows when `complete`, else the first of those that match, in order.
    pub rows: Vec<JobRow>,
    pub complete: bool,
    pub total: u32,
    /// One per [`View::ALL`].
    pub counts: Vec<u32>,
    pub matching: u32,
}

/// Rows of each view.
pub fn counts<'a>(rows: impl Iterator<Item = &'a JobRow>, me: &str) -> Vec<u32> {
    let mut counts = vec![0; View::ALL.len()];
    for row in rows {
        for (count, view) in counts.iter_mut().zip(View::ALL) {
            *count += u32::from(view.holds(row, me));
        }
    }
    counts
}

#[cfg(feature = "ssr")]
impl JobsHead {
    pub fn of(rows: Vec<JobRow>, q: &str, view: &str, sort: &str, me: &str) -> Self {
        let total = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let counts = counts(rows.iter(), me);
        let (filter, view) = (Filter::parse(q), View::from_name(view).unwrap_or_default());
        let holds = |row: &JobRow| view.holds(row, me) && filter.holds(row, me);
        let matching = rows.iter().filter(|row| holds(row)).count();
        let complete = rows.len() <= HEAD;
        let mut rows: Vec<_> = rows.into_iter().filter(|row| complete || holds(row)).collect();
        Sort::parse(sort).unwrap_or_default().apply(&mut rows);
        rows.truncate(HEAD);
        Self {
            rows,
            complete,
            total,
            counts,
            matching: u32::try_from(matching).unwrap_or(u32::MAX),
        }
    }
}
