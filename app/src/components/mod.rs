//! Widgets. They know no server function: values in, callbacks out.

mod basics;
mod dialog;
mod editor;
mod errors;
mod field;
mod state;
mod steps;
mod upload;

pub use basics::*;
pub use dialog::{Dialog, dialog_open};
pub use editor::{CodeEditor, TextArea};
pub use errors::*;
pub use field::*;
pub use state::*;
pub use steps::StepList;
pub use upload::{FileDrop, Upload};

/// Symbols of the icons (lucide, ISC licence), built by `app/js/build.mjs`.
#[cfg(feature = "ssr")]
pub const SPRITE: &str = include_str!("sprite.svg");
