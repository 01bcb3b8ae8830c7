//! Lists that grow: arguments and configuration. A value may hold anything, newlines too.

use super::state::{Form, Row};
use crate::{
    components::{FieldError, Icon, TextArea},
    i18n::{T, fill},
    ui::{t, ui},
};
use domain::{Engine, job::is_owned_key};
use leptos::prelude::*;

pub fn remove(rows: RwSignal<Vec<Row>>, key: u32) {
    rows.update(|rows| rows.retain(|row| row.key != key));
}

pub fn args(form: Form) -> AnyView {
    let ui = ui();
    let number = move |key: u32| {
        form.args
            .with(|rows| rows.iter().position(|row| row.key == key).map_or(0, |i| i + 1))
    };
    view! {
        <fieldset class="card stack">
            <legend><h2>{t(T::Arguments)}</h2></legend>
            <p class="hint mut">{t(T::ArgumentsHint)}</p>
            <For each=move || form.args.get() key=|row| row.key children=move |row| {
                let label = Signal::derive(move || fill(ui.text(T::ArgumentN), &[("n", &number(row.key).to_string())]));
                view! {
                    <div class="rowed">
                        <span class="fnt num">{move || number(row.key)}</span>
                        <TextArea id=format!("arg-{}", row.key) value=row.value rows=1 label/>
                        <button type="button" class="btn ghost ico" aria-label=move || format!("{} {}", ui.text(T::Remove), label.get()) on:click=move |_| remove(form.args, row.key)><Icon name="x"/></button>
                    </div>
                }
            }/>
            <FieldError id="f-args" name="args" errors=form.errors/>
            <div><button type="button" class="btn" id="add-arg" on:click=move |_| { let row = form.new_row("", ""); form.args.update(|rows| rows.push(row)); }><Icon name="plus"/>{t(T::AddArgument)}</button></div>
        </fieldset>
    }
    .into_any()
}

pub fn conf(form: Form) -> AnyView {
    let ui = ui();
    let example = match form.kind.engine() {
        Engine::Flink => "execution.checkpointing.interval",
        Engine::Spark => "spark.sql.shuffle.partitions",
    };
    view! {
        <fieldset class="card stack">
            <legend><h2>{t(T::Configuration)}</h2></legend>
            <p class="hint mut">{move || fill(ui.text(T::ConfigurationHint), &[("engine", form.kind.engine().label())])}</p>
            <For each=move || form.conf.get() key=|row| row.key children=move |row| {
                let owned = move || row.name.with(|name| !name.is_empty() && is_owned_key(form.kind.engine(), name));
                view! {
                    <div class="rowed pair">
                        <input type="text" class="mono" aria-label=t(T::Key) placeholder=example spellcheck="false" autocomplete="off"
                            aria-invalid=move || owned().to_string()
                            prop:value=move || row.name.get() value=row.name.get_untracked()
                            on:input:target=move |event| row.name.set(event.target().value())/>
                        <TextArea id=format!("conf-{}", row.key) value=row.value rows=1 label=Signal::derive(move || format!("{} {}", ui.text(T::ValueOf), row.name.get()))/>
                        <button type="button" class="btn ghost ico" aria-label=move || format!("{} {}", ui.text(T::Remove), row.name.get()) on:click=move |_| remove(form.conf, row.key)><Icon name="x"/></button>
                        {move || owned().then(|| view! { <span class="err">{t(T::OwnedKey)}</span> })}
                    </div>
                }
            }/>
            <FieldError id="f-conf" name="conf" errors=form.errors/>
            <div><button type="button" class="btn" id="add-conf" on:click=move |_| { let row = form.new_row("", ""); form.conf.update(|rows| rows.push(row)); }><Icon name="plus"/>{t(T::AddSetting)}</button></div>
        </fieldset>
    }
    .into_any()
}
