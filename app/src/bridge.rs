//! The browser's side of what Rust cannot reach shortly: see `bridge.js`.

use leptos::{__reexports::send_wrapper::SendWrapper, prelude::*};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/bridge.js")]
extern "C" {
    /// A text kept in this browser.
    pub fn stored(key: &str) -> Option<String>;
    /// Keeps a text; `None` forgets it.
    pub fn store(key: &str, text: Option<&str>);
    #[wasm_bindgen(js_name = setCookie)]
    pub fn set_cookie(name: &str, value: &str);
    #[wasm_bindgen(js_name = zoneOffset)]
    pub fn zone_offset(millis: f64) -> i32;
    #[wasm_bindgen(js_name = timeZone)]
    pub fn time_zone() -> String;
    #[wasm_bindgen(js_name = copyText)]
    pub async fn copy_text(text: &str) -> JsValue;
    /// Lets the browser do something else: draw, or answer a key.
    pub async fn pause();
    #[wasm_bindgen(js_name = randomKey)]
    pub fn random_key() -> String;
    #[wasm_bindgen(js_name = fileText, catch)]
    pub async fn file_text(file: &web_sys::File) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = postSecret)]
    pub fn post_secret(action: &str, name: &str, value: &str, next: &str);
    #[wasm_bindgen(js_name = postForm)]
    pub fn post_form(action: &str);

    /// Opens or joins the browser's one live stream. Both callbacks stay for the life of the page.
    pub fn live(on_batch: &Closure<dyn Fn(String)>, on_state: &Closure<dyn Fn(String)>);

    /// Uploads a file in parts; answers what cancels it.
    pub fn upload(
        file: &web_sys::File,
        team: Option<String>,
        tell: &Closure<dyn Fn(String)>,
    ) -> js_sys::Function;

    pub type Editor;
    #[wasm_bindgen(js_name = mountEditor)]
    pub fn mount_editor(
        host: &web_sys::Element,
        area: &web_sys::Element,
        label: &str,
        chinese: bool,
        on_text: &Closure<dyn Fn(String)>,
    ) -> Editor;
    #[wasm_bindgen(method, js_name = setText)]
    pub fn set_text(this: &Editor, text: &str);
    #[wasm_bindgen(method, js_name = setProblem)]
    pub fn set_problem(this: &Editor, line: u32, message: &str);
    #[wasm_bindgen(method)]
    pub fn focus(this: &Editor);
    #[wasm_bindgen(method)]
    pub fn destroy(this: &Editor);
}

/// A value of the browser kept by a view. Empty on the server, whose threads could not drop one.
pub struct Js<T: 'static>(StoredValue<Option<SendWrapper<T>>>);

impl<T> Clone for Js<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Js<T> {}

impl<T: 'static> Js<T> {
    pub fn new() -> Self {
        Self(StoredValue::new(None))
    }

    pub fn set(self, value: T) {
        self.0.try_set_value(Some(SendWrapper::new(value)));
    }

    pub fn is_set(self) -> bool {
        self.0.try_with_value(Option::is_some).unwrap_or(false)
    }

    pub fn with(self, act: impl FnOnce(&T)) {
        self.0.try_with_value(|value| {
            if let Some(value) = value {
                act(value);
            }
        });
    }

    pub fn take(self) -> Option<T> {
        self.0
            .try_update_value(Option::take)
            .flatten()
            .map(SendWrapper::take)
    }
}
