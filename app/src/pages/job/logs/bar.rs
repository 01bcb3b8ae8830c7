//! What is looked at, and how.

use super::{super::Shown, file::LogFile};
use crate::{
    components::Icon,
    go::Go,
    i18n::{T, fill},
    keys, paths, time,
    ui::t,
};
use domain::logs::LogContainer;
use leptos::{html, prelude::*};

/// Container and file, as two selects that write the address.
pub fn picker(
    shown: Shown,
    list: Memo<Vec<LogContainer>>,
    choice: Memo<Option<(String, String)>>,
) -> AnyView {
    let ui = shown.ui;
    let router = Go::new();
    let id = shown.job.with_untracked(|job| job.id.clone());
    let go = move |container: &str, file: &str| {
        let address = format!(
            "{}{}",
            paths::job_tab(&id, "logs"),
            paths::query(&[("c", container), ("f", file)])
        );
        router.stay(&address, false);
    };
    let (go_container, go_file) = (go.clone(), go);
    let container = move || choice.get().map(|(container, _)| container).unwrap_or_default();
    let file = move || choice.get().map(|(_, file)| file).unwrap_or_default();
    let title = move |container: &LogContainer| {
        let role = match container.role.as_str() {
            "jobmanager" => ui.text(T::JobManager).to_owned(),
            "taskmanager" => ui.text(T::TaskManager).to_owned(),
            "driver" => ui.text(T::Driver).to_owned(),
            "executor" => ui.text(T::Executor).to_owned(),
            other => other.to_owned(),
        };
        let number = container.id.rsplit('_').next().unwrap_or_default();
        let node = container.node.as_deref().unwrap_or_default();
        let running = if container.running {
            ui.text(T::StateRunning)
        } else {
            ui.text(T::Ended)
        };
        format!("{role} {number} · {node} · {running}")
    };
    view! {
        <div class="hd">
            <h2>{t(T::Log)}</h2>
            <select aria-label=t(T::Container) on:change:target=move |event| go_container(&event.target().value(), "")>
                {move || list.get().iter().map(|item| {
                    let id = item.id.clone();
                    view! { <option value=item.id.clone() prop:selected=move || container() == id>{title(item)}</option> }
                }).collect_view()}
            </select>
            <select aria-label=t(T::File) on:change:target=move |event| go_file(&untrack(container), &event.target().value())>
                {move || {
                    let container = container();
                    let files = list.with(|list| list.iter().find(|c| c.id == container).map(|c| c.files.clone()).unwrap_or_default());
                    files.into_iter().map(|item| {
                        let name = item.name.clone();
                        view! { <option value=item.name.clone() prop:selected=move || file() == name>{format!("{} · {}", item.name, time::bytes(item.bytes))}</option> }
                    }).collect_view()
                }}
            </select>
        </div>
    }
    .into_any()
}

pub fn bar(log: LogFile) -> AnyView {
    let ui = log.ui;
    let input = NodeRef::<html::Input>::new();
    let typed = RwSignal::new(String::new());
    let download = log.name.with_value(|(run, container, file)| {
        format!(
            "/api/v1/runs/{run}/logs/{}/{}/download",
            paths::part(container),
            paths::part(file)
        )
    });
    let counts = move || {
        let hits = log.hits.get();
        if log.search.with(String::is_empty) {
            return String::new();
        }
        let at = log
            .line
            .get()
            .and_then(|line| hits.iter().position(|hit| *hit == line))
            .map_or(0, |i| i + 1);
        format!("{at} {} {}", ui.text(T::Of), hits.len())
    };
    let next = move |back: bool| log.next_of(&log.hits.get_untracked(), back);
    keys::on_key(move |event| {
        if (event.ctrl_key() || event.meta_key()) && event.key() == "f" && !crate::components::dialog_open() {
            // The browser's own search sees the drawn lines only.
            event.prevent_default();
            if let Some(input) = input.get_untracked() {
                let _ = input.focus();
            }
            return;
        }
        if !keys::free(event) {
            return;
        }
        match event.key().as_str() {
            "/" => {
                event.prevent_default();
                if let Some(input) = input.get_untracked() {
                    let _ = input.focus();
                }
            }
            "f" => log.follow.update(|on| *on = !*on),
            "w" => log.wrap.update(|on| *on = !*on),
            "e" => log.next_error(),
            "b" => log.go_to_end(log.total.get_untracked()),
            _ => {}
        }
    });
    Effect::new(move |_| {
        if log.follow.get() {
            untrack(|| log.go_to_end(log.total.get()));
        }
    });
    let jump = move |text: String| {
        if let Ok(line) = text.trim().parse() {
            log.go_to(line);
        }
    };
    view! {
        <div class="hd tools">
            <span class="finder"><input type="search" node_ref=input class="find mono" aria-label=t(T::SearchLog) placeholder=t(T::SearchLog) spellcheck="false" autocomplete="off"
                prop:value=move || typed.get()
                on:input:target=move |event| typed.set(event.target().value())
                on:keydown=move |event| if event.key() == "Enter" {
                    event.prevent_default();
                    if typed.get_untracked() == log.search.get_untracked() { next(event.shift_key()) } else { log.find(typed.get_untracked()) }
                }/>
            <span class="mut" role="status">{counts}</span>
            <button type="button" class="btn ico" aria-label=t(T::Previous) on:click=move |_| next(true)><Icon name="arrow-up"/></button>
            <button type="button" class="btn ico" aria-label=t(T::Next) on:click=move |_| next(false)><Icon name="arrow-down"/></button></span>
            <input type="text" inputmode="numeric" class="line" aria-label=t(T::GoToLine) placeholder=t(T::GoToLine)
                on:change:target=move |event| jump(event.target().value())/>
            <span class="mut">{move || fill(ui.text(T::LineCount), &[("n", &time::count(log.total.get()))])}</span>
            <button type="button" class="btn" on:click=move |_| log.next_error()>
                {move || fill(ui.text(T::ErrorCount), &[("n", &time::count(log.errors.get()))])}
            </button>
            <span class="mut">{move || fill(ui.text(T::WarningCount), &[("n", &time::count(log.warnings.get()))])}</span>
            <span class="sp"></span>
            <button type="button" class="btn" aria-pressed=move || log.follow.get().to_string() on:click=move |_| log.follow.update(|on| *on = !*on)><Icon name="arrow-down"/>{t(T::Follow)}</button>
            <button type="button" class="btn ico" aria-label=t(T::Wrap) title=t(T::Wrap) aria-pressed=move || log.wrap.get().to_string() on:click=move |_| log.wrap.update(|on| *on = !*on)><Icon name="wrap-text"/></button>
            <a class="btn ico" rel="external" download="" href=download aria-label=t(T::Download) title=t(T::Download)><Icon name="download"/></a>
        </div>
    }
    .into_any()
}
