//! What the command line writes: nothing more once whoever reads has closed the pipe, and no screen wider than the
//! terminal.

use std::io::{self, IsTerminal, Write};

/// The least width that anything is laid out for: below it a terminal wraps as it likes.
const WIDTH_MIN: usize = 60;

/// How wide a screen may be: as the terminal, and 80 columns where there is none.
pub(super) fn width() -> usize {
    textwrap::termwidth().max(WIDTH_MIN)
}

/// Writes a line to standard output.
pub(super) fn say(line: &str) {
    written(writeln!(io::stdout(), "{line}"));
}

/// Writes a text of several lines, as it is, to standard output.
pub(super) fn say_all(text: &str) {
    written(io::stdout().write_all(text.as_bytes()));
}

/// Writes a paragraph that fits the width to standard output, with its later lines so far to the right.
pub(super) fn say_wrapped(text: &str, indent: usize) {
    say(&wrapped(text, width(), indent));
}

/// Writes a message to standard output: one line, which fits the terminal where there is one.
pub(super) fn say_message(message: &str) {
    if io::stdout().is_terminal() { say_wrapped(message, 2) } else { say(message) }
}

/// Writes a message to standard error: one line, which fits the terminal where there is one.
pub(super) fn complain(message: &str) {
    let lines = if io::stderr().is_terminal() { wrapped(message, width(), 2) } else { message.to_owned() };
    written(writeln!(io::stderr(), "{lines}"));
}

/// A paragraph in lines of at most `width` columns. No word is broken: ids and commands stay whole.
pub(super) fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let indent = " ".repeat(indent);
    let options = textwrap::Options::new(width).subsequent_indent(&indent).break_words(false);
    textwrap::fill(text, options.word_splitter(textwrap::WordSplitter::NoHyphenation))
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

/// What goes on: on one line where a terminal is, which the next word overwrites, and a line each where none is.
#[derive(Debug)]
pub(super) struct Progress {
    is_terminal: bool,
    is_open: bool,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { is_terminal: io::stdout().is_terminal(), is_open: false }
    }

    /// Tells how far it is.
    pub(super) fn tell(&mut self, text: &str) {
        if self.is_terminal {
            let fitting: String = text.chars().take(width().saturating_sub(1)).collect();
            written(write!(io::stdout(), "\r\x1b[K{fitting}").and_then(|()| io::stdout().flush()));
            self.is_open = true;
        } else {
            say(text);
        }
    }

    /// Takes the line away, for what comes after.
    pub(super) fn end(&mut self) {
        if self.is_open {
            written(write!(io::stdout(), "\r\x1b[K").and_then(|()| io::stdout().flush()));
            self.is_open = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn a_paragraph_breaks_between_words_and_nowhere_else() {
        let told = wrapped("keep snap-0123456789abcdef0 because an-id-is-one-word", 24, 2);
        assert_eq!(told, "keep\n  snap-0123456789abcdef0\n  because\n  an-id-is-one-word");
        assert_eq!(wrapped("short", 24, 2), "short");
    }
}
