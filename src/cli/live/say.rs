//! What these words write: nothing more once whoever reads has closed the pipe, and no line wider than 80 columns where words
//! can be broken between.

use std::io::{self, Write};

/// How wide a screen may be.
const WIDTH: usize = 80;

/// Writes a line to standard output.
pub(super) fn say(line: &str) {
    written(writeln!(io::stdout(), "{line}"));
}

/// Writes a paragraph that fits the width to standard output, with its later lines so far to the right.
pub(super) fn say_wrapped(text: &str, indent: usize) {
    say(&wrapped(text, WIDTH, indent));
}

/// Writes JSON as people read it.
pub(super) fn say_json(value: &serde_json::Value) {
    say(&format!("{value:#}"));
}

/// Writes what is wrong to standard error, a line for each cause.
pub(super) fn complain(message: &str) {
    message.lines().for_each(|line| tell(&format!("error: {line}")));
}

/// Writes a line to standard error.
pub(super) fn tell(line: &str) {
    written(writeln!(io::stderr(), "{line}"));
}

/// A paragraph in lines of at most `width` columns. No word is broken: ids and expressions stay whole.
fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let last = lines.last().map_or(0, |line| line.chars().count());
        let is_first = lines.last().is_some_and(|line| line.trim().is_empty());
        if !is_first && last + word.trim_end().chars().count() > width {
            lines.push(" ".repeat(indent));
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(word);
        }
    }
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n")
}

/// Whoever closed the pipe has read enough: the command goes on, and its exit code stays what it is.
fn written(result: io::Result<()>) {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let _ = writeln!(io::stderr(), "error: the output cannot be written: {error}");
            std::process::exit(1);
        }
        Ok(()) | Err(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn a_paragraph_breaks_between_words_and_nowhere_else() {
        let told = wrapped("  keep snap-0123456789abcdef0 because an-id-is-one-word", 24, 4);
        assert_eq!(told, "  keep\n    snap-0123456789abcdef0\n    because\n    an-id-is-one-word");
        assert_eq!(wrapped("short", 24, 2), "short");
        assert_eq!(wrapped("", 24, 2), "");
    }
}
