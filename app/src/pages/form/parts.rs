//! Parts that not every form has; fetched with the first form that has one.

use super::{program, spark, state::Form};
use domain::artifact::ArtifactKind;
use leptos::prelude::*;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Program(ArtifactKind),
    SparkFiles,
    SparkSizes,
}

/// One function for all, so that they are one module.
#[leptos::lazy]
pub fn draw(form: Form, part: Part) -> AnyView {
    match part {
        Part::Program(kind) => program::program(form, kind),
        Part::SparkFiles => spark::files(form),
        Part::SparkSizes => spark::sizes(form),
    }
}
