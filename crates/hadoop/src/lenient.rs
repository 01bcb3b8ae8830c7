//! Reading JSON whose shape depends on the Hadoop version: a list may come as an array, as its only
//! element, as null or not at all; a number may come as text.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// A list in which some entries could not be read. Whoever concludes something from an entry's
/// absence must look at `unreadable` first.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing<T> {
    pub items: Vec<T>,
    pub unreadable: usize,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            unreadable: 0,
        }
    }
}

impl<T> Listing<T> {
    /// The list that lies at `path` in `value`.
    pub fn at(value: &Value, path: &[&str]) -> Self
    where
        T: DeserializeOwned,
    {
        let mut here = value;
        for name in path {
            match here.get(name) {
                Some(next) => here = next,
                None => {
                    return Self {
                        items: Vec::new(),
                        unreadable: 0,
                    };
                }
            }
        }
        Self::of(here)
    }

    fn of(value: &Value) -> Self
    where
        T: DeserializeOwned,
    {
        let mut list = Self {
            items: Vec::new(),
            unreadable: 0,
        };
        for entry in entries(value) {
            match T::deserialize(entry) {
                Ok(item) => list.items.push(item),
                Err(error) => {
                    tracing::warn!(%error, "an entry of a list cannot be read");
                    list.unreadable += 1;
                }
            }
        }
        list
    }
}

fn entries(value: &Value) -> &[Value] {
    match value {
        Value::Array(list) => list,
        Value::Null => &[],
        Value::String(text) if text.is_empty() => &[],
        one => std::slice::from_ref(one),
    }
}

/// `deserialize_with`: a list; entries that cannot be read are left out.
pub(crate) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(d: D) -> Result<Vec<T>, D::Error> {
    Ok(Listing::of(&Value::deserialize(d)?).items)
}

/// `deserialize_with`: a whole number given as number or text; 0 when null or empty.
pub(crate) fn int<'de, D: Deserializer<'de>, T: TryFrom<i64>>(d: D) -> Result<T, D::Error> {
    match opt_int(d)? {
        Some(number) => Ok(number),
        None => T::try_from(0).map_err(|_| serde::de::Error::custom("number out of range")),
    }
}

/// As [`int`], but null and empty are `None`.
pub(crate) fn opt_int<'de, D: Deserializer<'de>, T: TryFrom<i64>>(d: D) -> Result<Option<T>, D::Error> {
    let wrong = |value: &Value| serde::de::Error::custom(format!("not a whole number: {value}"));
    let value = Value::deserialize(d)?;
    let number = match &value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|f| f as i64)),
        Value::String(text) if text.trim().is_empty() => return Ok(None),
        Value::String(text) => {
            let text = text.trim();
            text.parse()
                .ok()
                .or_else(|| text.parse::<f64>().ok().map(|f| f as i64))
        }
        _ => None,
    };
    let number = number.ok_or_else(|| wrong(&value))?;
    T::try_from(number).map(Some).map_err(|_| wrong(&value))
}

/// `deserialize_with`: a number given as number or text; 0 when it is none (`NaN`, null).
pub(crate) fn float<'de, D: Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
    Ok(match Value::deserialize(d)? {
        Value::Number(number) => number.as_f64().unwrap_or_default(),
        Value::String(text) => text
            .trim()
            .parse()
            .ok()
            .filter(|f: &f64| f.is_finite())
            .unwrap_or_default(),
        _ => 0.0,
    })
}

/// `deserialize_with`: text; null is empty, numbers and booleans are written out.
pub(crate) fn text<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    Ok(opt_text(d)?.unwrap_or_default())
}

/// As [`text`], but null, empty and the word "null" are `None`.
pub(crate) fn opt_text<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    let text = match Value::deserialize(d)? {
        Value::Null => return Ok(None),
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return Err(serde::de::Error::custom("not a text")),
    };
    Ok((!text.is_empty() && text != "null").then_some(text))
}

/// `deserialize_with`: a comma-separated list.
pub(crate) fn comma<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<String>, D::Error> {
    let text = text(d)?;
    Ok(text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect())
}
