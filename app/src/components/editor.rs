//! The only places where text becomes the content of a `<textarea>`: the framework writes it
//! unescaped, so it is escaped here.

use crate::{
    bridge::{self, Js},
    i18n::T,
    ui::ui,
};
use domain::Lang;
use leptos::{html, prelude::*};
use wasm_bindgen::prelude::*;

/// Escapes text for the inside of a raw-text element. The first newline would be dropped by the parser.
fn raw_text(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    if escaped.starts_with('\n') {
        format!("\n{escaped}")
    } else {
        escaped
    }
}

#[component]
pub fn TextArea(
    #[prop(into)] id: String,
    value: RwSignal<String>,
    #[prop(optional, into)] label: Option<Signal<String>>,
    #[prop(optional, into)] describedby: Option<String>,
    #[prop(default = 3)] rows: u32,
    #[prop(optional)] node: Option<NodeRef<html::Textarea>>,
) -> impl IntoView {
    let node = node.unwrap_or_default();
    view! {
        <textarea id=id node_ref=node rows=rows.to_string() class="mono" spellcheck="false" autocomplete="off" autocapitalize="off"
            aria-label=move || label.map(|label| label.get())
            aria-describedby=describedby
            prop:value=move || value.get()
            on:input:target=move |event| value.set(event.target().value())
            inner_html=raw_text(&value.get_untracked())></textarea>
    }
    .into_any()
}

/// A SQL editor; a plain text area until its bundle is there, and without scripts.
#[component]
pub fn CodeEditor(
    id: &'static str,
    value: RwSignal<String>,
    label: T,
    /// Line and text of the one problem to mark.
    #[prop(into)]
    problem: Signal<Option<(u32, String)>>,
) -> impl IntoView {
    let ui = ui();
    let (host, area) = (NodeRef::<html::Div>::new(), NodeRef::<html::Textarea>::new());
    let editor = Js::<bridge::Editor>::new();
    // What the editor holds, so that its own changes are not written back to it.
    let held = StoredValue::new(value.get_untracked());
    let on_text = Js::<Closure<dyn Fn(String)>>::new();
    Effect::new(move |_| {
        let (Some(host), Some(area)) = (host.get(), area.get()) else {
            return;
        };
        if editor.is_set() {
            return;
        }
        let closure = Closure::<dyn Fn(String)>::new(move |text: String| {
            held.set_value(text.clone());
            value.set(text);
        });
        let lang = ui.lang.get_untracked();
        let mounted = bridge::mount_editor(&host, &area, label.get(lang), lang == Lang::ZhCn, &closure);
        on_text.set(closure);
        editor.set(mounted);
    });
    Effect::new(move |_| {
        let text = value.get();
        if held.with_value(|held| *held != text) {
            held.set_value(text.clone());
            editor.with(|editor| editor.set_text(&text));
        }
    });
    Effect::new(move |_| {
        let (line, text) = problem.get().unwrap_or_default();
        editor.with(|editor| editor.set_problem(line, &text));
    });
    on_cleanup(move || {
        if let Some(editor) = editor.take() {
            editor.destroy();
        }
    });
    view! {
        <div class="code">
            <div node_ref=host></div>
            <TextArea id value node=area rows=16 label=Signal::derive(move || ui.text(label).to_owned()) describedby=format!("{id}-h {id}-e")/>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::raw_text;

    #[test]
    fn a_script_cannot_leave_its_text_area() {
        assert_eq!(
            raw_text("</textarea><script>x&amp;</script>"),
            "&lt;/textarea>&lt;script>x&amp;amp;&lt;/script>"
        );
        assert_eq!(raw_text("\na"), "\n\na");
    }
}
