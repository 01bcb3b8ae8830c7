//! Texts of the pages. One line of the table gives a key its text in every language, so a missing
//! one does not compile.

mod texts;

pub use texts::T;

/// Replaces each `{name}` of a text.
pub fn fill(text: &str, args: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once('{') {
        out.push_str(before);
        let (name, after) = tail.split_once('}').unwrap_or((tail, ""));
        out.push_str(
            args.iter()
                .find(|(key, _)| *key == name)
                .map_or("?", |(_, value)| value),
        );
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Lang;

    fn holes(text: &str) -> Vec<&str> {
        let mut found: Vec<_> = text
            .split('{')
            .skip(1)
            .filter_map(|tail| tail.split('}').next())
            .collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn every_language_says_the_same_arguments() {
        for text in T::ALL {
            let (en, zh) = (text.get(Lang::En), text.get(Lang::ZhCn));
            assert!(!en.is_empty() && !zh.is_empty(), "{text:?}");
            assert_eq!(holes(en), holes(zh), "{text:?}");
        }
    }

    #[test]
    fn chinese_texts_are_chinese() {
        // Names of products and of things in code stay as they are.
        let proper = |text: &T| {
            matches!(
                *text,
                T::Of | T::Vcores | T::JobManager | T::TaskManager | T::SourceFlink
            )
        };
        for text in T::ALL.iter().filter(|text| !proper(text)) {
            assert!(
                text.get(Lang::ZhCn)
                    .chars()
                    .any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)),
                "{text:?}"
            );
        }
    }

    #[test]
    fn arguments_fill_their_places() {
        assert_eq!(fill("{n} of {m}: {x}", &[("m", "2"), ("n", "1")]), "1 of 2: ?");
    }
}
