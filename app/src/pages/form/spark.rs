//! What only a Spark job is asked for.

use super::{
    program::{offer, told},
    rows::remove,
    sizes::Sizes,
    state::{Form, Row},
};
use crate::{
    components::{FieldError, Icon, SelectField, TextField, Upload},
    i18n::{T, fill},
    ui::{t, ui},
};
use domain::{artifact::Artifact, id::ArtifactId};
use leptos::prelude::*;

pub fn files(form: Form) -> AnyView {
    view! {
        {dependencies(form)}
        {paths(form, form.sizes.files, "files", T::Files, T::FilesHint, T::AddFile, "/data/a.csv#a.csv")}
        {paths(form, form.sizes.archives, "archives", T::Archives, T::ArchivesHint, T::AddArchive, "/data/env.zip#env")}
    }
    .into_any()
}

pub fn sizes(form: Form) -> AnyView {
    view! {
        {containers(form, form.sizes)}
        {executors(form, form.sizes)}
    }
    .into_any()
}

fn dependencies(form: Form) -> AnyView {
    let ui = ui();
    let chosen = form.sizes.dependencies;
    let add = move |id: ArtifactId| {
        chosen.try_update(|all| {
            if !all.contains(&id) {
                all.push(id);
            }
        });
    };
    let stored = Callback::new(move |artifact: Artifact| {
        offer(form, &artifact);
        add(artifact.id);
    });
    let team = Signal::derive(move || form.team_id().map(|team| team.to_string()));
    let accept = if form.kind.takes(domain::artifact::ArtifactKind::Python) {
        ".jar,.py,.zip,.egg,.whl"
    } else {
        ".jar"
    };
    let fits = move |artifact: &Artifact| artifact.kind().is_some_and(|kind| form.kind.takes(kind));
    // Goes back to the invitation once something was chosen.
    let picked = RwSignal::new(String::new());
    let options = Signal::derive(move || {
        let mut options = vec![(String::new(), ui.text(T::ChooseDependency).to_owned())];
        let taken = chosen.get();
        form.artifacts.with(|all| {
            let free = all.iter().filter(|a| fits(a) && !taken.contains(&a.id));
            options.extend(free.map(|artifact| (artifact.id.to_string(), told(artifact))));
        });
        options
    });
    Effect::new(move |_| {
        if let Ok(id) = picked.get().parse() {
            add(id);
            picked.set(String::new());
        }
    });
    let name = move |id: &ArtifactId| {
        form.artifacts.with(|all| {
            let known = all.iter().find(|artifact| artifact.id == *id);
            known.map_or_else(|| id.to_string(), told)
        })
    };
    view! {
        <fieldset class="card stack">
            <legend><h2>{t(T::Dependencies)}</h2></legend>
            <p class="hint mut">{t(T::DependenciesHint)}</p>
            {move || chosen.get().into_iter().map(|id| {
                let (shown, gone) = (id.clone(), id.clone());
                let label = Signal::derive(move || name(&shown));
                view! {
                    <div class="hd">
                        <span class="grow mono-break">{move || label.get()}</span>
                        <button type="button" class="btn ghost ico" aria-label=move || format!("{} {}", ui.text(T::Remove), label.get())
                            on:click=move |_| chosen.update(|all| all.retain(|one| *one != gone))><Icon name="x"/></button>
                    </div>
                }
            }).collect_view()}
            <SelectField id="f-dependency" label=T::AddDependency name="dependencies" value=picked options errors=form.errors/>
            <Upload id="f-dep-upload" label=T::UploadDependency hint=T::UploadHint accept team errors=form.errors stored/>
        </fieldset>
    }
    .into_any()
}

/// Files on the cluster, one per line, each with the name it gets.
fn paths(
    form: Form,
    rows: RwSignal<Vec<Row>>,
    name: &'static str,
    title: T,
    hint: T,
    add: T,
    example: &'static str,
) -> AnyView {
    let ui = ui();
    let number =
        move |key: u32| rows.with(|rows| rows.iter().position(|row| row.key == key).map_or(0, |i| i + 1));
    view! {
        <fieldset class="card stack">
            <legend><h2>{t(title)}</h2></legend>
            <p class="hint mut">{t(hint)}</p>
            <For each=move || rows.get() key=|row| row.key children=move |row| {
                let label = Signal::derive(move || fill(ui.text(T::PathN), &[("n", &number(row.key).to_string())]));
                view! {
                    <div class="rowed">
                        <span class="fnt num">{move || number(row.key)}</span>
                        <input type="text" class="mono" spellcheck="false" autocomplete="off" maxlength="1000" placeholder=example
                            aria-label=move || format!("{} {}", ui.text(title), label.get())
                            prop:value=move || row.value.get() value=row.value.get_untracked()
                            on:input:target=move |event| row.value.set(event.target().value())/>
                        <button type="button" class="btn ghost ico" aria-label=move || format!("{} {} {}", ui.text(T::Remove), ui.text(title), label.get()) on:click=move |_| remove(rows, row.key)><Icon name="x"/></button>
                    </div>
                }
            }/>
            <FieldError id=name name errors=form.errors/>
            <div><button type="button" class="btn" id=format!("add-{name}") on:click=move |_| { let row = form.new_row("", ""); rows.update(|rows| rows.push(row)); }><Icon name="plus"/>{t(add)}</button></div>
        </fieldset>
    }
    .into_any()
}

fn containers(form: Form, s: Sizes) -> AnyView {
    let errors = form.errors;
    view! {
        <section class="card stack">
            <h2>{t(T::Driver)}</h2>
            <div class="two">
                <TextField id="f-driver-mb" label=T::DriverMemory name="driver_mb" value=s.driver_mb errors number=true hint=T::Mebibytes/>
                <TextField id="f-driver-overhead" label=T::DriverOverhead name="driver_overhead_mb" value=s.driver_overhead_mb errors number=true hint=T::OverheadHint/>
                <TextField id="f-driver-cores" label=T::DriverCores name="driver_cores" value=s.driver_cores errors number=true/>
            </div>
            <h2>{t(T::Executors)}</h2>
            <div class="two">
                <TextField id="f-executor-mb" label=T::ExecutorMemory name="executor_mb" value=s.executor_mb errors number=true hint=T::Mebibytes/>
                <TextField id="f-executor-overhead" label=T::ExecutorOverhead name="executor_overhead_mb" value=s.executor_overhead_mb errors number=true hint=T::OverheadHint/>
                <TextField id="f-executor-cores" label=T::ExecutorCores name="executor_cores" value=s.executor_cores errors number=true/>
            </div>
        </section>
    }
    .into_any()
}

fn executors(form: Form, s: Sizes) -> AnyView {
    let errors = form.errors;
    let way = move |on: bool, text: T, hint: T| {
        view! {
            <label>
                <input type="radio" name="allocation" value=if on { "dynamic" } else { "fixed" }
                    checked=s.dynamic.get_untracked() == on prop:checked=move || s.dynamic.get() == on on:change=move |_| s.dynamic.set(on)/>
                <span><b>{t(text)}</b><br/><span class="mut">{t(hint)}</span></span>
            </label>
        }
    };
    view! {
        <section class="card stack">
            <fieldset class="choice">
                <legend><h2>{t(T::HowManyExecutors)}</h2></legend>
                {way(false, T::FixedExecutors, T::FixedExecutorsHint)}
                {way(true, T::DynamicExecutors, T::DynamicExecutorsHint)}
            </fieldset>
            {move || if s.dynamic.get() { dynamic(form, s) } else {
                view! { <TextField id="f-executors" label=T::Executors name="executors" value=s.executors errors number=true/> }.into_any()
            }}
            <div class="two">
                <TextField id="f-priority" label=T::Priority name="priority" value=s.priority errors number=true hint=T::PriorityHint/>
                <TextField id="f-node-label" label=T::NodeLabel name="node_label" value=s.node_label errors mono=true hint=T::NodeLabelHint/>
            </div>
        </section>
    }
    .into_any()
}

fn dynamic(form: Form, s: Sizes) -> AnyView {
    let errors = form.errors;
    view! {
        <div class="two">
            <TextField id="f-min" label=T::FewestExecutors name="min" value=s.min errors number=true/>
            <TextField id="f-max" label=T::MostExecutors name="max" value=s.max errors number=true/>
            <TextField id="f-initial" label=T::FirstExecutors name="initial" value=s.initial errors number=true hint=T::FirstExecutorsHint/>
            <TextField id="f-idle" label=T::IdleSeconds name="idle_seconds" value=s.idle_seconds errors number=true hint=T::Seconds/>
            <TextField id="f-cached-idle" label=T::CachedIdleSeconds name="cached_idle_seconds" value=s.cached_idle_seconds errors number=true hint=T::EmptyNever/>
            <TextField id="f-shuffle-idle" label=T::ShuffleSeconds name="shuffle_seconds" value=s.shuffle_seconds errors number=true hint=T::EmptyNever/>
        </div>
        <div class="choice"><label>
            <input type="checkbox" id="f-tracking" checked=s.shuffle_tracking.get_untracked() prop:checked=move || s.shuffle_tracking.get()
                on:change:target=move |event| s.shuffle_tracking.set(event.target().checked())/>
            <span><b>{t(T::ShuffleTracking)}</b><br/><span class="mut">{t(T::ShuffleTrackingHint)}</span></span>
        </label></div>
    }
    .into_any()
}
