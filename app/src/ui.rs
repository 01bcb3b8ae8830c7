//! What every view may ask: language, theme, clock, who is signed in, and whether the page is live.

use crate::{
    boot::{Boot, Density, Theme},
    bridge,
    i18n::T,
    time,
};
use domain::{Action, Lang, Millis, Viewer, event::Event};
use leptos::prelude::*;
use std::sync::Arc;

/// State of the live stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Connecting,
    On,
    /// Broken since.
    Paused(Millis),
}

/// What the live stream brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Batch {
    Events(Vec<Event>),
    /// Something was missed: read everything shown anew.
    Resync,
}

impl Batch {
    /// Whether one of the events fits, or anything may have changed.
    pub fn any(&self, fits: impl Fn(&Event) -> bool) -> bool {
        match self {
            Batch::Events(events) => events.iter().any(fits),
            Batch::Resync => true,
        }
    }
}

/// Context of every component.
#[derive(Clone, Copy)]
pub struct Ui {
    pub lang: RwSignal<Lang>,
    pub theme: RwSignal<Theme>,
    pub density: RwSignal<Density>,
    /// The server's clock, moved on each second once the page is awake.
    pub now: RwSignal<Millis>,
    /// Whether scripts have taken over; before, times are absolute so that both sides draw the same.
    pub awake: RwSignal<bool>,
    pub offset: RwSignal<i32>,
    pub viewer: StoredValue<Option<Arc<Viewer>>>,
    pub link: RwSignal<Link>,
    pub batch: RwSignal<Option<Arc<Batch>>>,
    /// The newest answer of an engine or a cluster known to this page.
    pub seen: RwSignal<Option<Millis>>,
    /// Announced politely to screen readers.
    pub said: RwSignal<String>,
    pub palette: RwSignal<bool>,
    pub help: RwSignal<bool>,
    /// What forms call the fields of the JSON body.
    pub fields: StoredValue<fn(&str) -> Option<T>>,
    /// The session has ended: shown over the page, which keeps what was typed.
    pub signed_out: RwSignal<bool>,
}

impl Ui {
    pub fn new(boot: &Boot) -> Self {
        Self {
            lang: RwSignal::new(boot.lang),
            theme: RwSignal::new(boot.theme),
            density: RwSignal::new(boot.density),
            now: RwSignal::new(boot.now),
            awake: RwSignal::new(false),
            offset: RwSignal::new(boot.offset),
            viewer: StoredValue::new(boot.viewer.clone().map(Arc::new)),
            link: RwSignal::new(Link::Connecting),
            batch: RwSignal::new(None),
            seen: RwSignal::new(None),
            said: RwSignal::new(String::new()),
            palette: RwSignal::new(false),
            help: RwSignal::new(false),
            fields: StoredValue::new(|_| None),
            signed_out: RwSignal::new(false),
        }
    }

    pub fn text(self, text: T) -> &'static str {
        text.get(self.lang.get())
    }

    /// The viewer's name; empty when nobody is signed in.
    pub fn me(self) -> String {
        self.viewer
            .with_value(|v| v.as_ref().map(|v| v.name.clone()).unwrap_or_default())
    }

    /// Whether the action is allowed in any team; the server decides again.
    pub fn may(self, action: Action) -> bool {
        self.viewer
            .with_value(|v| v.as_ref().is_some_and(|v| v.may_shared(action)))
    }

    /// Whether the action is allowed on objects of one team.
    pub fn may_in(self, action: Action, team: &domain::id::TeamId) -> bool {
        self.viewer
            .with_value(|v| v.as_ref().is_some_and(|v| v.may(action, team)))
    }

    /// Absolute time in the reader's zone.
    pub fn absolute(self, at: Millis) -> String {
        time::absolute(at, self.offset_at(at))
    }

    pub fn clock(self, at: Millis) -> String {
        time::clock(at, self.offset_at(at))
    }

    fn offset_at(self, at: Millis) -> i32 {
        if self.awake.get() {
            bridge::zone_offset(at as f64)
        } else {
            self.offset.get()
        }
    }

    /// Age by the server's clock.
    pub fn ago(self, at: Millis) -> String {
        time::ago(self.lang.get(), self.now.get() - at)
    }

    /// Relative once awake, absolute before.
    pub fn when(self, at: Millis) -> String {
        if self.awake.get() {
            self.ago(at)
        } else {
            self.absolute(at)
        }
    }

    pub fn set_lang(self, lang: Lang) {
        bridge::set_cookie("lang", lang.tag());
        set_root("lang", lang.tag());
        self.lang.set(lang);
    }

    pub fn set_theme(self, theme: Theme) {
        bridge::set_cookie("theme", theme.name());
        set_root("data-theme", theme.name());
        self.theme.set(theme);
    }

    pub fn set_density(self, density: Density) {
        bridge::set_cookie("density", density.name());
        set_root("data-density", density.name());
        self.density.set(density);
    }

    /// Notes an answer of an engine.
    pub fn saw(self, at: Option<Millis>) {
        if at > self.seen.get_untracked() {
            self.seen.set(at);
        }
    }
}

fn set_root(name: &str, value: &str) {
    if let Some(root) = document().document_element() {
        // Refused only for names that are no attributes.
        let _ = root.set_attribute(name, value);
    }
}

/// The context of the running view.
///
/// # Panics
/// Outside of [`crate::App`].
#[allow(clippy::expect_used)]
pub fn ui() -> Ui {
    use_context::<Ui>().expect("views live inside App")
}

/// A fixed text in the reader's language; changes with it.
pub fn t(text: T) -> impl Fn() -> &'static str + Copy + Send + Sync + 'static {
    let ui = ui();
    move || ui.text(text)
}
