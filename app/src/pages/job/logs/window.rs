//! The lines in view. Rows have one fixed height, so that any line can be jumped to; with wrapping
//! on, the rows around the current line are drawn as they come.

use super::file::{LogFile, window_hash};
use crate::{components::Skeleton, i18n::T, ui::t};
use leptos::{html, prelude::*};
use leptos_router::hooks::use_location;

const ROW: i64 = 20;
/// Rows drawn beyond the visible ones on either side.
const MARGIN: i64 = 30;
const VISIBLE: i64 = 40;

/// The level a line names in its first words.
fn level(text: &str) -> &'static str {
    let head: String = text.chars().take(80).collect();
    if head.contains(" ERROR") || head.contains(" FATAL") {
        "E"
    } else if head.contains(" WARN") {
        "W"
    } else {
        ""
    }
}

/// A line cut at what was searched: plain and marked parts in turn.
fn parts(text: &str, search: &str) -> Vec<(bool, String)> {
    // Lower case may be longer or shorter than the text; then nothing is marked rather than the wrong part.
    let (lower, wanted) = (text.to_lowercase(), search.to_lowercase());
    if wanted.is_empty() || lower.len() != text.len() {
        return vec![(false, text.to_owned())];
    }
    let (mut out, mut at) = (Vec::new(), 0);
    for (from, found) in lower.match_indices(&wanted) {
        let (Some(before), Some(hit)) = (text.get(at..from), text.get(from..from + found.len())) else {
            continue;
        };
        out.push((false, before.to_owned()));
        out.push((true, hit.to_owned()));
        at = from + found.len();
    }
    out.push((false, text.get(at..).unwrap_or_default().to_owned()));
    out
}

fn line(log: LogFile, number: i64) -> AnyView {
    let text = Memo::new(move |_| log.text(number));
    let current = move || log.line.get() == Some(number);
    view! {
        <div class="ln" class:at=current>
            <a class="n" href=format!("#L{number}") tabindex="-1" on:click=move |_| log.line.set(Some(number))>{number}</a>
            {move || {
                let Some(text) = text.get() else { return view! { <span class="tx fnt">"…"</span> }.into_any() };
                let class = match level(&text) { "E" => "tx lv-E", "W" => "tx lv-W", _ => "tx" };
                view! {
                    <span class=class>{parts(&text, &log.search.get()).into_iter().map(|(hit, part)| if hit {
                        view! { <mark>{part}</mark> }.into_any()
                    } else {
                        view! { {part} }.into_any()
                    }).collect_view()}</span>
                }.into_any()
            }}
        </div>
    }
    .into_any()
}

pub fn window(log: LogFile) -> AnyView {
    let node = NodeRef::<html::Div>::new();
    let top = RwSignal::new(1_i64);
    let location = use_location();
    let range = Memo::new(move |_| {
        let total = log.total.get();
        let from = (top.get() - MARGIN).max(1);
        (from, (top.get() + VISIBLE + MARGIN).min(total))
    });
    Effect::new(move |_| {
        let (from, to) = range.get();
        untrack(|| log.want(from, to));
    });
    let scrolled = move |_| {
        let Some(div) = node.get_untracked() else { return };
        let (at, end) = (
            i64::from(div.scroll_top()),
            i64::from(div.scroll_height() - div.client_height()),
        );
        if !log.wrap.get_untracked() {
            // In steps, so that scrolling redraws seldom.
            let first = at / ROW / 10 * 10 + 1;
            if top.get_untracked() != first {
                top.set(first);
            }
        }
        if at < end - 2 * ROW && log.follow.get_untracked() {
            log.follow.set(false);
        }
    };
    Effect::new(move |_| {
        log.jump.track();
        let (line, total) = untrack(|| (log.line.get(), log.total.get()));
        let Some(div) = node.get() else { return };
        top.set((line.unwrap_or(total) - 10).max(1));
        // The rows must be there before they can be scrolled to.
        request_animation_frame(move || {
            let to = match line {
                _ if log.wrap.try_get_untracked().unwrap_or(true) => return,
                Some(line) => (line - 10).max(0) * ROW,
                None => i64::from(div.scroll_height()),
            };
            div.set_scroll_top(i32::try_from(to).unwrap_or(i32::MAX));
        });
    });
    Effect::new(move |first: Option<()>| {
        location.hash.track();
        if let (Some(()), Some(line)) = (first, window_hash()) {
            log.line.set(Some(line));
        }
    });
    let gap = move |rows: i64| {
        (rows > 0 && !log.wrap.get()).then(|| {
            let height = (rows * ROW).to_string();
            view! { <svg class="gap" width="1" height=height aria-hidden="true"></svg> }
        })
    };
    let again = move || {
        if log.ready.get_untracked() {
            log.want(top.get_untracked(), top.get_untracked() + VISIBLE);
        } else {
            log.begin();
        }
    };
    view! {
        {move || log.failed.get().map(|error| super::missing(log.ui, error, Callback::new(move |()| again())))}
        {move || if log.ready.get() {
            view! {
                <div class="log view" class:wrap=move || log.wrap.get() node_ref=node on:scroll=scrolled tabindex="0" role="log" aria-live="off" aria-label=t(T::Log)>
                    {move || gap(range.get().0 - 1)}
                    <For each=move || { let (from, to) = range.get(); from..=to } key=|number| *number children=move |number| line(log, number)/>
                    {move || gap(log.total.get() - range.get().1)}
                </div>
            }.into_any()
        } else if log.failed.with(Option::is_none) {
            view! { <Skeleton lines=6/> }.into_any()
        } else {
            ().into_any()
        }}
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_are_marked_whatever_their_case() {
        let marked: Vec<_> = parts("Join join JOIN x", "join")
            .into_iter()
            .filter(|(hit, _)| *hit)
            .map(|(_, t)| t)
            .collect();
        assert_eq!(marked, ["Join", "join", "JOIN"]);
        assert_eq!(parts("<b>", ""), [(false, "<b>".to_owned())]);
        assert_eq!(level("2026-11-20 17:42:13,204 ERROR org.x"), "E");
    }
}
