//! Choosing files, and sending one to the console.

use super::{Banner, Field, FieldErrors, Icon, Meter, Tone, failure_text};
use crate::{
    bridge::{self, Js},
    i18n::T,
    time,
    ui::{t, ui},
};
use domain::{Code, Failure, Millis, artifact::Artifact};
use leptos::{html, prelude::*};
use serde::Deserialize;
use std::collections::BTreeMap;
use wasm_bindgen::prelude::*;

/// A place to drop files on or to choose them from. The browser's own control speaks the browser's
/// language; it lies invisible over words in the reader's.
#[component]
pub fn FileDrop(
    id: &'static str,
    accept: &'static str,
    #[prop(optional)] multiple: bool,
    picked: Callback<Vec<web_sys::File>>,
) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let over = RwSignal::new(false);
    let changed = move |_| {
        over.set(false);
        let Some(input) = input.get_untracked() else {
            return;
        };
        let Some(list) = input.files() else { return };
        let files: Vec<_> = (0..list.length()).filter_map(|i| list.get(i)).collect();
        if !files.is_empty() {
            picked.run(files);
        }
        // The same file may be chosen again.
        input.set_value("");
    };
    view! {
        <div class="drop" class:over=over on:dragover=move |_| over.set(true) on:dragleave=move |_| over.set(false)>
            <input id=id type="file" accept=accept multiple=multiple node_ref=input aria-describedby=format!("{id}-h {id}-e") on:change=changed/>
            <span class="btn" aria-hidden="true"><Icon name="upload"/>{t(if multiple { T::ChooseFiles } else { T::ChooseFile })}</span>
            <span class="mut hide-s" aria-hidden="true">{t(T::OrDrop)}</span>
        </div>
    }
    .into_any()
}

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

fn begin(up: Uploading, team: Option<String>, stored: Callback<Artifact>, file: &web_sys::File) {
    up.name.set(file.name());
    up.since.set(js_sys::Date::now() as Millis);
    up.message.set(None);
    let tell = Closure::<dyn Fn(String)>::new(move |json: String| {
        let Ok(message) = serde_json::from_str::<Message>(&json) else {
            return;
        };
        if let Message::Stored { artifact, .. } = &message {
            stored.try_run((**artifact).clone());
        }
        up.message.try_set(Some(message));
    });
    let cancel = bridge::upload(file, team, &tell);
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

/// Sends one file at a time, with progress; `stored` gets what it became.
#[component]
pub fn Upload(
    id: &'static str,
    label: T,
    hint: T,
    accept: &'static str,
    #[prop(into)] team: Signal<Option<String>>,
    errors: FieldErrors,
    stored: Callback<Artifact>,
) -> impl IntoView {
    let up = Uploading {
        message: RwSignal::new(None),
        name: RwSignal::new(String::new()),
        since: RwSignal::new(0),
        cancel: Js::new(),
        tell: Js::new(),
    };
    let picked = Callback::new(move |files: Vec<web_sys::File>| {
        if let Some(file) = files.first() {
            begin(up, team.get_untracked(), stored, file);
        }
    });
    view! {
        <Field id label name="upload" errors hint><FileDrop id accept picked/></Field>
        {move || progress(up)}
    }
    .into_any()
}
