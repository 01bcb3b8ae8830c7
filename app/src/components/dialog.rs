use super::Icon;
use crate::{i18n::T, ui::t};
use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;

/// A modal dialog on the native element: it traps focus, closes on Escape and gives focus back.
#[component]
pub fn Dialog(
    open: RwSignal<bool>,
    #[prop(into)] title: Signal<String>,
    #[prop(optional)] wide: bool,
    children: ChildrenFn,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = node.get() else { return };
        match (open.get(), dialog.open()) {
            // Fails only when it is shown already.
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    view! {
        <dialog node_ref=node class:wide=wide aria-label=move || title.get() on:close=move |_| open.set(false)>
            // Content is made when it is opened, so that each time begins fresh.
            {move || open.get().then(|| view! {
                <div class="dlg">
                    <div class="hd"><h2>{move || title.get()}</h2><span class="sp"></span>
                        <button type="button" class="btn ghost ico" aria-label=t(T::Close) on:click=move |_| open.set(false)><Icon name="x"/></button>
                    </div>
                    {children()}
                </div>
            }.into_any())}
        </dialog>
    }
    .into_any()
}

/// Whether a dialog is open anywhere; single-key shortcuts stand down then.
pub fn dialog_open() -> bool {
    document()
        .query_selector("dialog[open]")
        .ok()
        .flatten()
        .is_some_and(|d| d.dyn_ref::<web_sys::HtmlDialogElement>().is_some())
}
