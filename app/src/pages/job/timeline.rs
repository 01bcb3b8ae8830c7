//! Where the time of a run went: one bar per state it was in.

use super::Shown;
use crate::{components::state_word, i18n::T, time, ui::t};
use domain::{
    Millis,
    run::{RunEvent, RunState},
};
use leptos::prelude::*;

/// A stay in one state.
#[derive(Debug, Clone, PartialEq)]
struct Stay {
    state: RunState,
    from: Millis,
    /// `None`: it is still there, or stays there for ever.
    to: Option<Millis>,
}

fn stays(events: &[RunEvent]) -> Vec<Stay> {
    let mut stays: Vec<Stay> = Vec::new();
    for (event, state) in events.iter().filter_map(|event| Some((event, event.to?))) {
        if stays.last().is_some_and(|last| last.state == state) {
            continue;
        }
        if let Some(last) = stays.last_mut() {
            last.to = Some(event.at);
        }
        stays.push(Stay {
            state,
            from: event.at,
            to: None,
        });
    }
    stays
}

fn percent(hundredths: Millis) -> String {
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

pub fn timeline(shown: Shown) -> AnyView {
    let ui = shown.ui;
    let stays = Memo::new(move |_| shown.events.with(|events| stays(events)));
    let end = move || {
        let ended = shown
            .job
            .with(|job| job.run.as_ref().and_then(|run| run.ended_at));
        ended.unwrap_or_else(|| ui.now.get())
    };
    let row = move |stay: Stay| {
        let first = stays.with(|stays| stays.first().map_or(0, |s| s.from));
        let from = stay.from;
        let (state, to) = (stay.state, stay.to);
        let share = move |at: Millis| {
            // In hundredths of a percent: formatting floats would cost the first load 15 KB.
            ((at - first) * 10_000 / (end() - first).max(1)).clamp(0, 10_000)
        };
        let until = move || to.unwrap_or_else(|| end().max(from));
        let left = move || share(from).min(9900);
        let width = move || (share(until()) - left()).max(60);
        let took = move || {
            if state.is_terminal() {
                String::new()
            } else {
                time::duration(ui.lang.get(), until() - from)
            }
        };
        view! {
            <li>
                <span>{t(state_word(state))}</span>
                <svg class="tlb" height="14" aria-hidden="true">
                    <rect class="back" width="100%" height="14" rx="3"></rect>
                    <rect data-f=state.family().name() x=move || percent(left()) width=move || percent(width()) height="14" rx="3"></rect>
                </svg>
                <span class="num">{took}</span>
            </li>
        }
    };
    view! {
        <section class="card">
            <h2>{t(T::Timeline)}</h2>
            <ol class="tl">{move || stays.get().into_iter().map(row).collect_view()}</ol>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at: Millis, to: Option<RunState>) -> RunEvent {
        RunEvent {
            seq: at,
            at,
            kind: "state".into(),
            from: None,
            to,
            source: "rm".into(),
            note: None,
            evidence: None,
        }
    }

    #[test]
    fn a_stay_lasts_until_the_next_state() {
        let events = [
            event(0, Some(RunState::Preparing)),
            event(5, None),
            event(10, Some(RunState::Queued)),
            event(20, Some(RunState::Queued)),
            event(30, Some(RunState::Running)),
        ];
        assert_eq!(
            stays(&events),
            [
                Stay {
                    state: RunState::Preparing,
                    from: 0,
                    to: Some(10)
                },
                Stay {
                    state: RunState::Queued,
                    from: 10,
                    to: Some(30)
                },
                Stay {
                    state: RunState::Running,
                    from: 30,
                    to: None
                },
            ]
        );
    }
}
