//! The rows of the list, which of them are shown, and how both follow address and live stream.

use crate::{
    api,
    components::note_error,
    go::Go,
    head::{JobsHead, counts},
    i18n::T,
    live, paths, time,
    ui::{Batch, Ui, ui},
};
use domain::{
    event::Topic,
    filter::{Filter, Sort, View},
    id::JobId,
    job::JobRow,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use std::collections::{HashMap, HashSet};

/// More changed rows than this are cheaper to read with all the others.
const MANY: usize = 200;

#[derive(Clone, Copy)]
pub struct Table {
    pub ui: Ui,
    rows: RwSignal<HashMap<JobId, JobRow>>,
    /// Ids in the order shown.
    pub shown: RwSignal<Vec<JobId>>,
    /// Rows that would move, come or go if nobody were pointing at the list.
    pub waiting: RwSignal<usize>,
    /// Pointer or focus is within the list.
    pub busy: RwSignal<bool>,
    pub selected: RwSignal<HashSet<JobId>>,
    pub cursor: RwSignal<Option<JobId>>,
    /// Whether every row is here; before, only the first screen is.
    pub complete: RwSignal<bool>,
    /// The list could not be read anew; what is shown has an age.
    pub trouble: RwSignal<Option<api::ApiError>>,
    pub total: RwSignal<u32>,
    pub counts: RwSignal<Vec<u32>>,
    matching: RwSignal<u32>,
    /// The filter as typed; the address follows after a pause.
    pub q: RwSignal<String>,
    /// The filter this list has put into the address.
    written: StoredValue<String>,
    pub view: Memo<View>,
    pub sort: Memo<String>,
    go: Go,
}

impl Table {
    pub fn new(head: JobsHead) -> Self {
        let ui = ui();
        let query = use_query_map();
        let get = move |key: &str| query.read().get(key).unwrap_or_default();
        let table = Self {
            ui,
            shown: RwSignal::new(head.rows.iter().map(|row| row.id.clone()).collect()),
            rows: RwSignal::new(head.rows.into_iter().map(|row| (row.id.clone(), row)).collect()),
            waiting: RwSignal::new(0),
            busy: RwSignal::new(false),
            selected: RwSignal::new(HashSet::new()),
            cursor: RwSignal::new(None),
            complete: RwSignal::new(head.complete),
            trouble: RwSignal::new(None),
            total: RwSignal::new(head.total),
            counts: RwSignal::new(head.counts),
            matching: RwSignal::new(head.matching),
            q: RwSignal::new(untrack(|| get("q"))),
            written: StoredValue::new(untrack(|| get("q"))),
            view: Memo::new(move |_| View::from_name(&get("view")).unwrap_or_default()),
            sort: Memo::new(move |_| get("sort")),
            go: Go::new(),
        };
        if head.complete {
            table.shown.set(table.wanted());
        }
        Effect::new(move |_| {
            if !untrack(|| table.complete.get()) {
                table.read_all();
            }
        });
        // Back, or a link, changes the filter too; what was written here is not read back over newer letters.
        Effect::new(move |_| {
            let q = get("q");
            if table.written.with_value(|written| *written != q) {
                table.written.set_value(q.clone());
                table.q.set(q);
            }
        });
        // A reader's own change of the selection takes effect at once.
        Effect::new(move |first: Option<()>| {
            let _ = (table.q.get(), table.view.get(), table.sort.get());
            if first.is_some() {
                untrack(|| table.apply());
            }
        });
        Effect::new(move |_| {
            if !table.busy.get() && untrack(|| table.waiting.get()) > 0 {
                table.apply();
            }
        });
        live::on_batch(move |batch| table.follow(&batch));
        table
    }

    /// The row's values; changes with them.
    pub fn row(self, id: &JobId) -> Option<JobRow> {
        self.rows.try_with(|rows| rows.get(id).cloned()).flatten()
    }

    pub fn summary(self) -> String {
        let (total, matching) = (self.total.get(), self.matching.get());
        if total == matching {
            time::count(total.into())
        } else {
            format!(
                "{} {} {}",
                time::count(matching.into()),
                self.ui.text(T::Of),
                time::count(total.into())
            )
        }
    }

    /// Ids that pass filter and view, in order.
    fn wanted(self) -> Vec<JobId> {
        let (filter, view) = (
            self.q.with_untracked(|q| Filter::parse(q)),
            self.view.get_untracked(),
        );
        let sort = self.sort.with_untracked(|s| Sort::parse(s)).unwrap_or_default();
        let me = self.ui.me();
        self.rows.with_untracked(|rows| {
            let mut rows: Vec<&JobRow> = rows
                .values()
                .filter(|row| view.holds(row, &me) && filter.holds(row, &me))
                .collect();
            rows.sort_unstable_by(|a, b| sort.compare(a, b));
            rows.into_iter().map(|row| row.id.clone()).collect()
        })
    }

    /// Shows the rows as they should stand now.
    pub fn apply(self) {
        if !self.complete.get_untracked() {
            return;
        }
        let wanted = self.wanted();
        self.waiting.set(0);
        self.matching.set(u32::try_from(wanted.len()).unwrap_or(u32::MAX));
        if self.shown.with_untracked(|shown| *shown != wanted) {
            self.shown.set(wanted);
        }
    }

    /// Takes changed rows: values show at once, order and membership wait while somebody points.
    fn take(self, changed: impl FnOnce(&mut HashMap<JobId, JobRow>)) {
        // The list may have been left while it was read.
        if self.rows.try_update(changed).is_none() {
            return;
        }
        let me = self.ui.me();
        self.rows.with_untracked(|rows| {
            self.total.set(u32::try_from(rows.len()).unwrap_or(u32::MAX));
            self.counts.set(counts(rows.values(), &me));
            self.ui.saw(
                rows.values()
                    .filter_map(|row| row.run.as_ref()?.observed_at)
                    .max(),
            );
        });
        if !self.busy.get_untracked() {
            return self.apply();
        }
        let wanted = self.wanted();
        let waiting = self.shown.with_untracked(|shown| {
            let moved = shown.iter().zip(&wanted).filter(|(a, b)| a != b).count();
            moved.max(shown.len().abs_diff(wanted.len()))
        });
        self.waiting.set(waiting);
    }

    pub fn read_all(self) {
        leptos::task::spawn_local(async move {
            match api::jobs::jobs().await {
                Ok(all) => {
                    self.trouble.try_set(None);
                    self.complete.try_set(true);
                    self.take(|rows| *rows = all.into_iter().map(|row| (row.id.clone(), row)).collect());
                }
                Err(error) => self.fail(error),
            }
        });
    }

    fn fail(self, error: api::ApiError) {
        note_error(self.ui, &error);
        self.trouble.try_set(Some(error));
    }

    fn follow(self, batch: &Batch) {
        let Batch::Events(events) = batch else {
            return self.read_all();
        };
        let ids: HashSet<JobId> = events
            .iter()
            .filter_map(|event| match event.topic {
                Topic::Job => event.id.parse().ok(),
                Topic::Run => event.job.as_ref()?.parse().ok(),
                Topic::Operation | Topic::Environment | Topic::Cluster => None,
            })
            .collect();
        match ids.len() {
            0 => {}
            1..=MANY if self.complete.get_untracked() => self.read_some(ids.into_iter().collect()),
            _ => self.read_all(),
        }
    }

    pub fn read_some(self, ids: Vec<JobId>) {
        leptos::task::spawn_local(async move {
            match api::jobs::job_rows(ids.clone()).await {
                Ok(changed) => {
                    self.trouble.try_set(None);
                    self.take(|rows| {
                        // What was asked for and not answered is gone or not to be seen any more.
                        for id in &ids {
                            rows.remove(id);
                        }
                        rows.extend(changed.into_iter().map(|row| (row.id.clone(), row)));
                    });
                }
                Err(error) => self.fail(error),
            }
        });
    }

    /// The address with one of its three parts changed.
    pub fn address(self, q: Option<&str>, view: Option<View>, sort: Option<&str>) -> String {
        let q = q.map_or_else(|| self.q.get_untracked(), str::to_owned);
        let view = view.unwrap_or_else(|| self.view.get_untracked());
        let sort = sort.map_or_else(|| self.sort.get_untracked(), str::to_owned);
        let view = if view == View::default() { "" } else { view.name() };
        format!(
            "{}{}",
            paths::JOBS,
            paths::query(&[("q", &q), ("view", view), ("sort", &sort)])
        )
    }

    /// Goes there. Typing replaces the entry of the history, a click makes one.
    pub fn go(self, address: &str, replace: bool) {
        self.go.stay(address, replace);
    }

    /// Puts the filter as it stands into the address.
    pub fn write(self) {
        // The list may have been left in the meantime.
        if self.q.try_get_untracked().is_some() {
            self.written.set_value(self.q.get_untracked());
            self.go(&self.address(None, None, None), true);
        }
    }

    pub fn open(self, address: &str) {
        self.go.to(address);
    }
}
