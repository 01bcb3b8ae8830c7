//! From columns to the words of the product: each stored value is checked where it is read.

use crate::{Error, error::inconsistent};
use serde::de::DeserializeOwned;
use std::str::FromStr;

/// The row being read, for the error that says where a bad value stands.
pub(crate) struct At<'a> {
    pub(crate) table: &'static str,
    pub(crate) id: &'a str,
}

impl At<'_> {
    fn bad(&self, column: &'static str) -> Error {
        inconsistent(self.table, column, self.id)
    }

    /// A value found by its name.
    pub(crate) fn known<T>(&self, column: &'static str, value: Option<T>) -> Result<T, Error> {
        value.ok_or_else(|| self.bad(column))
    }

    pub(crate) fn parse<T: FromStr>(&self, column: &'static str, text: &str) -> Result<T, Error> {
        text.parse().map_err(|_| self.bad(column))
    }

    pub(crate) fn parse_opt<T: FromStr>(
        &self,
        column: &'static str,
        text: Option<&str>,
    ) -> Result<Option<T>, Error> {
        text.map(|text| self.parse(column, text)).transpose()
    }

    /// An optional value found by its name.
    pub(crate) fn name_opt<T>(
        &self,
        column: &'static str,
        text: Option<&str>,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        text.map(|text| self.known(column, find(text))).transpose()
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, column: &'static str, text: &str) -> Result<T, Error> {
        serde_json::from_str(text).map_err(|_| self.bad(column))
    }

    pub(crate) fn json_opt<T: DeserializeOwned>(
        &self,
        column: &'static str,
        text: Option<&str>,
    ) -> Result<Option<T>, Error> {
        text.map(|text| self.json(column, text)).transpose()
    }
}
