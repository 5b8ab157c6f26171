//! A text of the document inside a message: of bounded length, and with nothing in it that a reader cannot see.

use std::iter;

/// The first `characters_max` characters of `text`. What would move the cursor, turn the direction of writing, or hide
/// in another letter is written as an escape: a log or a terminal that shows the message must not be led by it, and two
/// keys that look alike must not look alike here.
pub(crate) fn shown(text: &str, characters_max: usize) -> String {
    let mut characters = text.chars();
    let mut shown: String = characters.by_ref().take(characters_max).flat_map(visible).collect();
    if characters.next().is_some() {
        shown.push_str("...");
    }
    shown
}

/// The character, or the escape that `{:?}` has for it; quotes and backslashes are seen as they are.
fn visible(character: char) -> impl Iterator<Item = char> {
    let (plain, escaped) = match character {
        '"' | '\'' | '\\' => (Some(character), None),
        _ => (None, Some(character.escape_debug())),
    };
    iter::empty().chain(plain).chain(escaped.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(shown(text, 10), expected);
    }

    #[test]
    fn what_can_be_seen_stays_as_it_is() {
        for text in ["", "Times", "it's \"a\\b\"", "日本語 ключ", "é", "🦀", "0123456789"] {
            check(text, text);
        }
    }

    #[test]
    fn what_cannot_be_seen_is_escaped() {
        check("a\nb\0", "a\\nb\\0");
        check("\u{1b}[31m", "\\u{1b}[31m");
        check("\u{202e}abc", "\\u{202e}abc");
        check("\u{2028}\u{200b}\u{feff}\u{85}", "\\u{2028}\\u{200b}\\u{feff}\\u{85}");
        check("e\u{301}", "e\\u{301}");
    }

    #[test]
    fn what_is_long_is_cut_at_a_number_of_characters() {
        check("01234567890", "0123456789...");
        check(&"🦀".repeat(11), &format!("{}...", "🦀".repeat(10)));
    }
}
