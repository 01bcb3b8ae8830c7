//! Languages of the interface.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Lang {
    #[default]
    #[serde(rename = "en")]
    En,
    #[serde(rename = "zh-CN")]
    ZhCn,
}

impl Lang {
    pub const ALL: [Lang; 2] = [Lang::En, Lang::ZhCn];

    /// BCP 47 tag, as in `<html lang>` and the language cookie.
    pub fn tag(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::ZhCn => "zh-CN",
        }
    }

    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|lang| lang.tag().eq_ignore_ascii_case(tag))
    }

    /// Picks from an `Accept-Language` value: the first entry we speak wins; quality values are
    /// written in order by every browser, so order alone is read.
    pub fn negotiate(accept: &str) -> Self {
        accept
            .split(',')
            .take(20)
            .filter_map(|entry| {
                let tag = entry.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
                match tag.split('-').next() {
                    Some("zh") => Some(Lang::ZhCn),
                    Some("en") => Some(Lang::En),
                    _ => None,
                }
            })
            .next()
            .unwrap_or_default()
    }
}
