//! Lines of a mail: short enough to be read on a telephone, with what is said by others in as few words as they allow.

use crate::policy::decode::shown;

/// How wide a line is at most, unless a word is longer.
const COLUMNS: usize = 76;

/// What the second and every further line of a text begins with.
const INDENT: &str = "    ";

/// How many characters of a message are quoted: EC2's sentences have 200, ours 300.
const MESSAGE_LENGTH_MAX: usize = 600;

/// What EC2 puts behind a refusal for a machine to decode: 500 characters that nobody can read.
const ENCODED: &str = " Encoded authorization failure message: ";

/// A text behind a label, broken into lines.
pub(super) fn labelled(label: &str, text: &str) -> String {
    let mut lines = vec![label.to_owned()];
    let mut is_first = true;
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is one from the start");
        if !is_first && last.chars().count() + 1 + word.chars().count() > COLUMNS {
            lines.push(format!("{INDENT}{word}"));
        } else {
            last.push(' ');
            last.push_str(word);
        }
        is_first = false;
    }
    lines.join("\n")
}

/// A paragraph.
pub(super) fn paragraph(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is one from the start");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() > COLUMNS {
            lines.push(word.to_owned());
        } else {
            last.push(' ');
            last.push_str(word);
        }
    }
    lines.join("\n")
}

/// What EC2 or opendlm says, without what only a machine can read, and cut to a bounded length.
pub(super) fn quoted(message: &str) -> String {
    let readable = match message.split_once(ENCODED) {
        Some((before, encoded)) => match encoded.split_once("; ") {
            Some((_, after)) => format!("{before} {after}"),
            None => before.to_owned(),
        },
        None => message.to_owned(),
    };
    shown(&readable, MESSAGE_LENGTH_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_stands_under_its_label_and_no_word_is_broken() {
        let text = "word ".repeat(30);
        let told = labelled("  Of:", &format!("{text}{}", "x".repeat(100)));
        let lines: Vec<&str> = told.lines().collect();
        assert!(lines[0].starts_with("  Of: word word") && lines[1].starts_with("    word"), "{told}");
        assert!(lines.iter().all(|line| line.len() <= COLUMNS || line.trim().len() == 100), "{told}");
        assert_eq!(labelled("Start:", "now"), "Start: now");
        assert_eq!(paragraph("one  two\nthree"), "one two three");
    }

    #[test]
    fn what_only_a_machine_reads_is_left_out() {
        let message =
            "UnauthorizedOperation: no. Encoded authorization failure message: avJj...; expected valid credentials";
        assert_eq!(quoted(message), "UnauthorizedOperation: no. expected valid credentials");
        assert_eq!(quoted("no. Encoded authorization failure message: avJj"), "no.");
        assert_eq!(quoted("plain"), "plain");
    }
}
