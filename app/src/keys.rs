//! Shortcuts of the whole page. Single letters stand down while somebody types or a dialog is open.

use crate::{components::dialog_open, go::Go, shell::places, ui::ui};
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// How long `g` waits for its letter.
const CHORD_MS: f64 = 1200.0;

/// Whether a key event belongs to a control that takes text.
pub fn typing(event: &web_sys::KeyboardEvent) -> bool {
    let Some(target) = event
        .target()
        .and_then(|t| t.dyn_into::<web_sys::HtmlElement>().ok())
    else {
        return false;
    };
    // A dialog that has just closed keeps the focus until the browser has drawn the page without it.
    if target
        .closest("dialog:not([open])")
        .is_ok_and(|dialog| dialog.is_some())
    {
        return false;
    }
    let tag = target.tag_name();
    let text_input = tag == "INPUT" && target.get_attribute("type").is_none_or(|kind| kind != "checkbox");
    text_input || tag == "TEXTAREA" || tag == "SELECT" || target.is_content_editable()
}

/// Whether a single key may act now.
pub fn free(event: &web_sys::KeyboardEvent) -> bool {
    !event.ctrl_key() && !event.meta_key() && !event.alt_key() && !typing(event) && !dialog_open()
}

/// Listens for keys while the view lives.
pub fn on_key(act: impl Fn(&web_sys::KeyboardEvent) + 'static) {
    let act = std::rc::Rc::new(act);
    let handle = StoredValue::new(None);
    Effect::new(move |_| {
        let act = act.clone();
        handle.set_value(Some(window_event_listener(leptos::ev::keydown, move |event| {
            act(&event)
        })));
    });
    on_cleanup(move || {
        handle.try_update_value(|handle: &mut Option<WindowListenerHandle>| {
            handle.take().map(WindowListenerHandle::remove)
        });
    });
}

/// Ctrl-K, `?`, and `g` with a letter.
pub fn listen() {
    let ui = ui();
    let chord = StoredValue::new(0.0_f64);
    let go = Go::new();
    let places: Vec<_> = places().into_iter().flat_map(|(_, places)| places).collect();
    on_key(move |event| {
        let key = event.key();
        if (event.ctrl_key() || event.meta_key()) && key.eq_ignore_ascii_case("k") {
            event.prevent_default();
            ui.palette.update(|open| *open = !*open);
            return;
        }
        if !free(event) {
            return;
        }
        let now = js_sys::Date::now();
        if now - chord.get_value() < CHORD_MS {
            chord.set_value(0.0);
            if let Some(place) = places
                .iter()
                .find(|place| place.key.is_some_and(|k| key == k.to_string()))
            {
                event.prevent_default();
                // Pages listen to letters too; this one has been used.
                event.stop_immediate_propagation();
                go.to(&place.href);
            }
            return;
        }
        match key.as_str() {
            "g" => chord.set_value(now),
            "?" => {
                event.prevent_default();
                ui.help.set(true);
            }
            _ => {}
        }
    });
}
