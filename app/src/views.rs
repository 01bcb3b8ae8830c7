//! Changing parts of a view as values of one type each. Every closure in a view is a type of its own
//! and brings 3 KB of drawing code; the parts of the first load go through these instead.

use leptos::prelude::*;

pub type Changing<V> = Box<dyn FnMut() -> V + Send>;

/// A text that changes.
pub fn txt(text: impl FnMut() -> String + Send + 'static) -> Changing<String> {
    Box::new(text)
}

/// A part that changes.
pub fn part(view: impl FnMut() -> AnyView + Send + 'static) -> Changing<AnyView> {
    Box::new(view)
}

/// A part that comes and goes.
pub fn maybe(view: impl FnMut() -> Option<AnyView> + Send + 'static) -> Changing<Option<AnyView>> {
    Box::new(view)
}
