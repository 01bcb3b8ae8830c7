//! One file as pages of lines, read as they come into view.

use crate::{
    api::{self, ApiError},
    components::note_error,
    ui::Ui,
};
use domain::{
    id::RunId,
    logs::{LogPage, LogQuery},
};
use leptos::prelude::*;
use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

/// Lines of one page, and how many pages are kept.
pub const PAGE: i64 = 500;
const KEPT: usize = 20;
/// How often a growing file is looked at.
const TICK: Duration = Duration::from_secs(2);

#[derive(Clone, Copy)]
pub struct LogFile {
    pub ui: Ui,
    /// Run, container, file.
    pub name: StoredValue<(RunId, String, String)>,
    /// Pages by their first line.
    pub pages: RwSignal<BTreeMap<i64, Vec<String>>>,
    asked: StoredValue<HashSet<i64>>,
    pub total: RwSignal<i64>,
    pub errors: RwSignal<i64>,
    pub warnings: RwSignal<i64>,
    pub first_error: RwSignal<Option<i64>>,
    pub running: RwSignal<bool>,
    pub follow: RwSignal<bool>,
    pub wrap: RwSignal<bool>,
    /// The line looked at: marked, and brought into view when `jump` counts up.
    pub line: RwSignal<Option<i64>>,
    pub jump: RwSignal<u32>,
    pub search: RwSignal<String>,
    pub hits: RwSignal<Vec<i64>>,
    pub failed: RwSignal<Option<ApiError>>,
    pub ready: RwSignal<bool>,
}

impl LogFile {
    pub fn open(ui: Ui, run: RunId, container: String, file: String) -> Self {
        let hash = window_hash();
        let log = Self {
            ui,
            name: StoredValue::new((run, container, file)),
            pages: RwSignal::new(BTreeMap::new()),
            asked: StoredValue::new(HashSet::new()),
            total: RwSignal::new(0),
            errors: RwSignal::new(0),
            warnings: RwSignal::new(0),
            first_error: RwSignal::new(None),
            running: RwSignal::new(false),
            follow: RwSignal::new(false),
            wrap: RwSignal::new(false),
            line: RwSignal::new(hash),
            jump: RwSignal::new(0),
            search: RwSignal::new(String::new()),
            hits: RwSignal::new(Vec::new()),
            failed: RwSignal::new(None),
            ready: RwSignal::new(false),
        };
        log.begin();
        let handle = set_interval_with_handle(move || log.tick(), TICK).ok();
        on_cleanup(move || {
            if let Some(handle) = handle {
                handle.clear();
            }
        });
        log
    }

    /// Reads the part that is to be seen first: the named line, the first error, or the end.
    pub fn begin(self) {
        if self.is_left() {
            return;
        }
        let line = self.line.get_untracked();
        let at_error = line.is_none()
            && window()
                .location()
                .search()
                .is_ok_and(|search| search.contains("at=error"));
        leptos::task::spawn_local(self.first_page(line, at_error));
    }

    async fn first_page(self, line: Option<i64>, at_error: bool) {
        let query = LogQuery {
            from_line: line.map(page_of),
            limit: limit(),
            search: None,
        };
        let Some(page) = self.read(query).await else {
            let waits = self
                .failed
                .try_with_untracked(|failed| failed.as_ref().is_some_and(super::not_yet));
            if waits == Some(true) {
                set_timeout(move || self.begin(), super::AGAIN);
            }
            return;
        };
        let first_error = page.first_error;
        let total = page.total_lines;
        self.take(page);
        self.ready.try_set(true);
        match (line, first_error.filter(|_| at_error)) {
            (Some(line), _) | (None, Some(line)) => self.go_to(line),
            (None, None) => self.go_to_end(total),
        }
    }

    async fn read(self, query: LogQuery) -> Option<LogPage> {
        let (run, container, file) = self.name.try_get_value()?;
        match api::logs::log_page(run, container, file, query).await {
            Ok(page) => {
                self.failed.try_set(None);
                Some(page)
            }
            Err(error) => {
                note_error(self.ui, &error);
                self.failed.try_set(Some(error));
                None
            }
        }
    }

    fn take(self, page: LogPage) {
        if self.is_left() {
            return;
        }
        self.total.set(page.total_lines);
        self.errors.set(page.errors);
        self.warnings.set(page.warnings);
        self.first_error.set(page.first_error);
        self.running.set(page.running);
        self.pages.update(|pages| {
            for (at, line) in (page.from_line..).zip(page.lines) {
                let first = page_of(at);
                let held = pages.entry(first).or_default();
                let index = usize::try_from(at - first).unwrap_or(0);
                if index < held.len() {
                    held[index] = line;
                } else if index == held.len() {
                    held.push(line);
                } else {
                    // A page is read from its first line, or not at all.
                    pages.remove(&first);
                }
            }
            while pages.len() > KEPT {
                let far = self.line.get_untracked().unwrap_or(1);
                let victim = pages.keys().max_by_key(|first| (**first - far).abs()).copied();
                if let Some(victim) = victim {
                    pages.remove(&victim);
                }
            }
        });
    }

    /// Makes sure the lines are here, or on their way.
    pub fn want(self, from: i64, to: i64) {
        if self.is_left() {
            return;
        }
        let mut first = page_of(from.max(1));
        while first <= to.min(self.total.get_untracked()) {
            let due = (self.total.get_untracked() - first + 1).min(PAGE);
            let have = self
                .pages
                .with_untracked(|pages| pages.get(&first).map_or(0, Vec::len));
            let new = i64::try_from(have).unwrap_or(0) < due
                && self
                    .asked
                    .try_update_value(|asked| asked.insert(first))
                    .unwrap_or(false);
            if new {
                leptos::task::spawn_local(async move {
                    let page = self
                        .read(LogQuery {
                            from_line: Some(first),
                            limit: limit(),
                            search: None,
                        })
                        .await;
                    self.asked.try_update_value(|asked| asked.remove(&first));
                    if let Some(page) = page {
                        self.take(page);
                    }
                });
            }
            first += PAGE;
        }
    }

    /// Looks whether the file has grown.
    fn tick(self) {
        let watched = !self.is_left() && self.running.get_untracked() && self.ready.get_untracked();
        if !watched {
            return;
        }
        leptos::task::spawn_local(async move {
            let from = page_of(self.total.get_untracked().max(1));
            let Some(page) = self
                .read(LogQuery {
                    from_line: Some(from),
                    limit: limit(),
                    search: None,
                })
                .await
            else {
                return;
            };
            let total = page.total_lines;
            let grown = self.total.try_get_untracked().is_some_and(|old| total > old);
            self.take(page);
            if grown && self.follow.try_get_untracked() == Some(true) {
                self.go_to_end(total);
            }
        });
    }

    /// The reader went elsewhere while an answer was awaited.
    fn is_left(self) -> bool {
        self.total.try_get_untracked().is_none()
    }

    pub fn go_to(self, line: i64) {
        if self.is_left() {
            return;
        }
        let line = line.clamp(1, self.total.get_untracked().max(1));
        self.line.set(Some(line));
        self.want(line - 100, line + 100);
        self.jump.update(|n| *n += 1);
    }

    pub fn go_to_end(self, total: i64) {
        if self.is_left() {
            return;
        }
        self.want(total - 100, total);
        self.line.set(None);
        self.jump.update(|n| *n += 1);
    }

    /// Finds a text in the whole file.
    pub fn find(self, text: String) {
        self.search.set(text.clone());
        if text.is_empty() {
            return self.hits.set(Vec::new());
        }
        leptos::task::spawn_local(async move {
            let query = LogQuery {
                from_line: Some(1),
                limit: Some(1),
                search: Some(text.clone()),
            };
            let Some(page) = self.read(query).await else {
                return;
            };
            // A later search may have been answered before.
            if self.search.try_get_untracked().as_ref() != Some(&text) {
                return;
            }
            let first = page.hits.first().copied();
            self.hits.set(page.hits);
            if let Some(first) = first {
                self.go_to(first);
            }
        });
    }

    /// The next hit behind the line looked at, around the end.
    pub fn next_of(self, lines: &[i64], back: bool) {
        let at = self.line.get_untracked().unwrap_or(0);
        let next = if back {
            lines
                .iter()
                .rev()
                .find(|line| **line < at)
                .or_else(|| lines.last())
        } else {
            lines.iter().find(|line| **line > at).or_else(|| lines.first())
        };
        if let Some(next) = next {
            self.go_to(*next);
        }
    }

    pub fn next_error(self) {
        leptos::task::spawn_local(async move {
            let query = LogQuery {
                from_line: Some(1),
                limit: Some(1),
                search: Some(" ERROR ".to_owned()),
            };
            let mut lines = self.read(query).await.map(|page| page.hits).unwrap_or_default();
            lines.extend(self.first_error.try_get_untracked().flatten());
            lines.sort_unstable();
            lines.dedup();
            if self.is_left() {
                return;
            }
            self.next_of(&lines, false);
        });
    }

    pub fn text(self, line: i64) -> Option<String> {
        let first = page_of(line);
        self.pages.with(|pages| {
            pages
                .get(&first)?
                .get(usize::try_from(line - first).ok()?)
                .cloned()
        })
    }
}

fn limit() -> Option<u32> {
    u32::try_from(PAGE).ok()
}

/// First line of the page a line is on.
pub fn page_of(line: i64) -> i64 {
    (line.max(1) - 1) / PAGE * PAGE + 1
}

/// The line of `#L123`.
pub fn window_hash() -> Option<i64> {
    window().location().hash().ok()?.strip_prefix("#L")?.parse().ok()
}
