//! Checks shared by forms and the API. A form shows the first failure of each field; the API answers
//! the first.

use crate::{Code, Failure};

/// A refused field of a form. `field` is its name in the JSON body.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FieldFailure {
    pub field: String,
    pub failure: Failure,
}

/// Collects failures of several fields.
#[derive(Debug, Default)]
pub struct Checks(pub Vec<FieldFailure>);

impl Checks {
    pub fn take(&mut self, field: &str, result: Result<(), Failure>) {
        if let Err(failure) = result {
            self.0.push(FieldFailure {
                field: field.to_owned(),
                failure: failure.with("field", field),
            });
        }
    }
}

fn failed(code: Code, field: &str) -> Failure {
    Failure::new(code).with("field", field)
}

/// Text of at most `max` characters without control characters.
pub fn line(field: &str, text: &str, max: usize) -> Result<(), Failure> {
    if text.trim().is_empty() {
        return Err(failed(Code::FieldRequired, field));
    }
    if text.chars().count() > max {
        return Err(failed(Code::FieldTooLong, field).with("max", max));
    }
    match text
        .chars()
        .find(|c| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    {
        Some(bad) => {
            Err(failed(Code::FieldCharacters, field).with("character", format!("U+{:04X}", u32::from(bad))))
        }
        None => Ok(()),
    }
}

/// A short machine name: letters, digits, `-`, `_`, `.`; begins with a letter or digit.
pub fn code(field: &str, text: &str, max: usize) -> Result<(), Failure> {
    line(field, text, max)?;
    let bad = text
        .chars()
        .enumerate()
        .find(|&(i, c)| !(c.is_ascii_alphanumeric() || (i > 0 && matches!(c, '-' | '_' | '.'))));
    match bad {
        Some((_, bad)) => Err(failed(Code::FieldCharacters, field).with("character", bad)),
        None => Ok(()),
    }
}

pub fn range(field: &str, value: i64, min: i64, max: i64) -> Result<(), Failure> {
    if (min..=max).contains(&value) {
        Ok(())
    } else {
        Err(failed(Code::FieldRange, field).with("min", min).with("max", max))
    }
}
