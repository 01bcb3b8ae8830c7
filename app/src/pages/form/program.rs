//! The program of a job: a file that is stored, or a new one, and the class it begins with.

use super::state::Form;
use crate::{
    components::{SelectField, TextField, Upload},
    i18n::T,
    time,
    ui::ui,
};
use domain::artifact::{Artifact, ArtifactKind};
use leptos::prelude::*;

/// `orders.jar v3 · 2.1 MiB · lin`
pub fn told(artifact: &Artifact) -> String {
    format!(
        "{} v{} · {} · {}",
        artifact.name,
        artifact.version,
        time::bytes(artifact.size),
        artifact.created_by_name
    )
}

/// Makes an uploaded file one of those to choose from.
pub fn offer(form: Form, artifact: &Artifact) {
    form.artifacts.try_update(|all| {
        all.retain(|known| known.id != artifact.id);
        all.insert(0, artifact.clone());
    });
}

pub fn program(form: Form, kind: ArtifactKind) -> AnyView {
    let ui = ui();
    let jar = kind == ArtifactKind::Jar;
    let (upload, label, choose, accept) = if jar {
        (T::UploadJar, T::Jar, T::ChooseJar, ".jar")
    } else {
        (T::UploadPython, T::PythonFile, T::ChoosePython, ".py")
    };
    let stored = Callback::new(move |artifact: Artifact| {
        offer(form, &artifact);
        form.artifact.try_set(artifact.id.to_string());
    });
    let team = Signal::derive(move || form.team_id().map(|team| team.to_string()));
    let options = Signal::derive(move || {
        let mut options = vec![(String::new(), ui.text(choose).to_owned())];
        form.artifacts.with(|all| {
            let fit = all.iter().filter(|artifact| artifact.kind() == Some(kind));
            options.extend(fit.map(|artifact| (artifact.id.to_string(), told(artifact))));
        });
        options
    });
    let chosen = Memo::new(move |_| {
        let id = form.artifact.get();
        form.artifacts
            .with(|all| all.iter().find(|a| a.id.as_str() == id).cloned())
    });
    view! {
        <section class="card stack">
            <Upload id="f-upload" label=upload hint=T::UploadHint accept team errors=form.errors stored/>
            <SelectField id="f-artifact" label name="artifact" value=form.artifact options errors=form.errors/>
            {move || chosen.get().map(|file| view! { <p class="mut">"sha256 " <code>{file.sha256.chars().take(16).collect::<String>()}"…"</code></p> })}
            {jar.then(|| class(form, chosen))}
        </section>
    }
    .into_any()
}

fn class(form: Form, chosen: Memo<Option<Artifact>>) -> AnyView {
    let ui = ui();
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
    view! {
        {move || if chosen.with(Option::is_some) {
            view! { <SelectField id="f-class" label=T::MainClass name="main_class" value=form.main_class options=classes errors=form.errors hint=T::MainClassHint/> }.into_any()
        } else {
            view! { <TextField id="f-class" label=T::MainClass name="main_class" value=form.main_class errors=form.errors hint=T::MainClassHint mono=true/> }.into_any()
        }}
    }
    .into_any()
}
