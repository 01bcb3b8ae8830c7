//! The jar: one that is stored, or a new one, and the class it begins with.

use super::state::Form;
use crate::{
    bridge::{self, Js},
    components::{Banner, Field, Icon, Meter, SelectField, TextField, Tone, failure_text},
    i18n::T,
    time,
    ui::{t, ui},
};
use domain::{Code, Failure, Millis, artifact::Artifact};
use leptos::{html, prelude::*};
use serde::Deserialize;
use std::collections::BTreeMap;
use wasm_bindgen::prelude::*;

/// What the upload tells.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Message {
    Stored {
        artifact: Box<Artifact>,
        #[serde(default)]
        known: bool,
    },
    Refused {
        problem: Problem,
    },
    Network {
        #[allow(dead_code)]
        network: bool,
    },
    Aborted {
        #[allow(dead_code)]
        aborted: bool,
    },
    Going {
        stage: String,
        sent: f64,
        size: f64,
    },
}

#[derive(Debug, Clone, Deserialize)]
struct Problem {
    code: Code,
    #[serde(default)]
    args: BTreeMap<String, String>,
}

#[derive(Clone, Copy)]
struct Uploading {
    message: RwSignal<Option<Message>>,
    name: RwSignal<String>,
    since: RwSignal<Millis>,
    cancel: Js<js_sys::Function>,
    tell: Js<Closure<dyn Fn(String)>>,
}

fn begin(form: Form, up: Uploading, file: &web_sys::File) {
    up.name.set(file.name());
    up.since.set(js_sys::Date::now() as Millis);
    up.message.set(None);
    let tell = Closure::<dyn Fn(String)>::new(move |json: String| {
        let Ok(message) = serde_json::from_str::<Message>(&json) else {
            return;
        };
        if let Message::Stored { artifact, .. } = &message {
            let artifact = (**artifact).clone();
            form.artifacts.try_update(|all| {
                all.retain(|known| known.id != artifact.id);
                all.insert(0, artifact.clone());
            });
            form.artifact.try_set(artifact.id.to_string());
        }
        up.message.try_set(Some(message));
    });
    let cancel = bridge::upload(
        file,
        untrack(|| form.team_id()).map(|team| team.to_string()),
        &tell,
    );
    up.tell.set(tell);
    up.cancel.set(cancel);
}

fn progress(up: Uploading) -> Option<AnyView> {
    let ui = ui();
    let view = match up.message.get()? {
        Message::Going { stage, sent, size } => {
            let word = match stage.as_str() {
                "hashing" => T::Hashing,
                "sending" => T::Sending,
                _ => T::CheckingJar,
            };
            let seconds = ((js_sys::Date::now() - up.since.get() as f64) / 1000.0).max(0.001);
            let speed = sent / seconds;
            let left = if speed > 0.0 { (size - sent) / speed } else { 0.0 };
            let percent = sent * 100.0 / size.max(1.0);
            let detail = format!("{} / {} · {}/s · {}", time::bytes(sent as i64), time::bytes(size as i64), time::bytes(speed as i64), time::duration(ui.lang.get(), (left * 1000.0) as Millis));
            let stop = move |_| up.cancel.with(|cancel| {
                // The function of the bridge throws nothing.
                let _ = cancel.call0(&JsValue::NULL);
            });
            view! {
                <div class="stack" role="status">
                    <span><b>{up.name.get()}</b> " · " {t(word)}</span>
                    <Meter percent label=Signal::derive(move || ui.text(T::Progress).to_owned())/>
                    <div class="hd"><span class="mut">{detail}</span><span class="sp"></span><button type="button" class="btn" on:click=stop><Icon name="x"/>{t(T::CancelUpload)}</button></div>
                </div>
            }
            .into_any()
        }
        Message::Stored { known, .. } => view! { <p role="status"><Icon name="check"/> {t(if known { T::AlreadyStored } else { T::Uploaded })}</p> }.into_any(),
        Message::Refused { problem } => {
            let failure = Failure { code: problem.code, args: problem.args };
            view! { <Banner tone=Tone::Error>{move || failure_text(ui, &failure)}</Banner> }.into_any()
        }
        Message::Network { .. } => view! { <Banner tone=Tone::Error>{t(T::UploadBroken)}</Banner> }.into_any(),
        Message::Aborted { .. } => view! { <p role="status" class="mut">{t(T::UploadCancelled)}</p> }.into_any(),
    };
    Some(view)
}

pub fn jar(form: Form) -> AnyView {
    let ui = ui();
    let input = NodeRef::<html::Input>::new();
    let over = RwSignal::new(false);
    let up = Uploading {
        message: RwSignal::new(None),
        name: RwSignal::new(String::new()),
        since: RwSignal::new(0),
        cancel: Js::new(),
        tell: Js::new(),
    };
    let options = Signal::derive(move || {
        let mut options = vec![(String::new(), ui.text(T::ChooseJar).to_owned())];
        form.artifacts.with(|all| {
            options.extend(all.iter().map(|a| {
                (
                    a.id.to_string(),
                    format!(
                        "{} v{} · {} · {}",
                        a.name,
                        a.version,
                        time::bytes(a.size),
                        a.created_by_name
                    ),
                )
            }))
        });
        options
    });
    let chosen = Memo::new(move |_| {
        let id = form.artifact.get();
        form.artifacts
            .with(|all| all.iter().find(|a| a.id.as_str() == id).cloned())
    });
    let classes = Signal::derive(move || {
        let mut options = Vec::new();
        chosen.with(|chosen| {
            let Some(jar) = chosen else { return };
            options.push((
                String::new(),
                match &jar.manifest_class {
                    Some(class) => format!("{class} ({})", ui.text(T::FromManifest)),
                    None => ui.text(T::ChooseClass).to_owned(),
                },
            ));
            options.extend(
                jar.main_classes
                    .iter()
                    .map(|class| (class.clone(), class.clone())),
            );
        });
        let now = form.main_class.get();
        if !now.is_empty() && !options.iter().any(|(class, _)| *class == now) {
            options.push((now.clone(), now));
        }
        options
    });
    // A jar without a main class in its manifest begins with the first that was found.
    Effect::new(move |_| {
        if let Some(jar) = chosen.get() {
            let now = form.main_class.get_untracked();
            if jar.manifest_class.is_none() && now.is_empty() {
                form.main_class
                    .set(jar.main_classes.first().cloned().unwrap_or_default());
            }
        }
    });
    let pick = move |files: Option<web_sys::FileList>| {
        if let Some(file) = files.and_then(|files| files.get(0)) {
            begin(form, up, &file);
        }
    };
    let drop = move |event: leptos::ev::DragEvent| {
        event.prevent_default();
        over.set(false);
        pick(event.data_transfer().and_then(|data| data.files()));
    };
    let changed = move |_| {
        if let Some(input) = input.get_untracked() {
            pick(input.files());
            // The same file may be chosen again.
            input.set_value("");
        }
    };
    view! {
        <section class="card stack">
            <Field id="f-upload" label=T::UploadJar name="upload" errors=form.errors hint=T::UploadHint>
                <div class="drop" class:over=over
                    on:dragover=move |event| { event.prevent_default(); over.set(true); }
                    on:dragleave=move |_| over.set(false) on:drop=drop>
                    <input id="f-upload" type="file" accept=".jar,application/java-archive" node_ref=input aria-describedby="f-upload-h" on:change=changed/>
                </div>
            </Field>
            {move || progress(up)}
            <SelectField id="f-artifact" label=T::Jar name="artifact" value=form.artifact options errors=form.errors/>
            {move || chosen.get().map(|jar| view! { <p class="mut">"sha256 " <code>{jar.sha256.chars().take(16).collect::<String>()}"…"</code></p> })}
            {move || if chosen.with(Option::is_some) {
                view! { <SelectField id="f-class" label=T::MainClass name="main_class" value=form.main_class options=classes errors=form.errors hint=T::MainClassHint/> }.into_any()
            } else {
                view! { <TextField id="f-class" label=T::MainClass name="main_class" value=form.main_class errors=form.errors hint=T::MainClassHint mono=true/> }.into_any()
            }}
        </section>
    }
    .into_any()
}
