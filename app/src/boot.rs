//! What the first view needs and the browser cannot know: found once by the server, carried in the page.

use domain::{Lang, Millis, Viewer};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the system says.
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    /// The value of `data-theme` and of the cookie.
    pub fn name(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    #[cfg(feature = "ssr")]
    pub fn from_name(name: &str) -> Option<Self> {
        [Theme::Auto, Theme::Light, Theme::Dark]
            .into_iter()
            .find(|t| t.name() == name)
    }
}

/// Row heights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Density {
    #[default]
    Normal,
    Compact,
    Comfortable,
}

impl Density {
    pub const ALL: [Density; 3] = [Density::Normal, Density::Compact, Density::Comfortable];

    pub fn name(self) -> &'static str {
        match self {
            Density::Normal => "normal",
            Density::Compact => "compact",
            Density::Comfortable => "comfortable",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.name() == name)
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Boot {
    pub viewer: Option<Viewer>,
    pub lang: Lang,
    pub theme: Theme,
    pub density: Density,
    /// Minutes east of UTC, as the browser said last.
    pub offset: i32,
    /// The server's clock; 0 while the routes are listed.
    pub now: Millis,
}

impl Boot {
    /// Reads the request. In the browser the page carries the answer and this is never asked.
    #[cfg(not(feature = "ssr"))]
    pub fn of_request() -> Self {
        Self::default()
    }

    #[cfg(feature = "ssr")]
    pub fn of_request() -> Self {
        use leptos::prelude::use_context;
        let parts = use_context::<http::request::Parts>();
        let header = |name: http::HeaderName| {
            parts
                .as_ref()
                .and_then(|p| p.headers.get(name)?.to_str().ok())
                .unwrap_or_default()
        };
        let cookies = header(http::header::COOKIE);
        let cookie = |name: &str| {
            cookies
                .split(';')
                .filter_map(|pair| pair.trim().split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value)
        };
        Self {
            viewer: use_context::<Option<Viewer>>().flatten(),
            lang: cookie("lang")
                .and_then(Lang::from_tag)
                .unwrap_or_else(|| Lang::negotiate(header(http::header::ACCEPT_LANGUAGE))),
            theme: cookie("theme").and_then(Theme::from_name).unwrap_or_default(),
            density: cookie("density").and_then(Density::from_name).unwrap_or_default(),
            offset: cookie("tz")
                .and_then(|minutes| minutes.parse().ok())
                .filter(|minutes: &i32| minutes.abs() <= 14 * 60)
                .unwrap_or(0),
            now: use_context::<service::Service>().map_or(0, |service| service.now()),
        }
    }
}
