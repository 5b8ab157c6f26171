//! The lines of the log: whose they are, how they look, and that an event is one line.
//!
//! Promises: no line is the AWS SDK's own, because at DEBUG those hold `AWS_ENDPOINT_URL`, password and all, at TRACE
//! whole requests and answers, and at WARN what the services said that hand out credentials; and whatever a tag or a
//! message from outside holds, an event is one line, which nobody else can begin.

use lambda_runtime::tracing::subscriber::filter::{LevelFilter, Targets};
use lambda_runtime::tracing::subscriber::fmt;
use lambda_runtime::tracing::subscriber::layer::SubscriberExt;
use std::io::{self, Write};
use tracing::dispatcher::{self, Dispatch};

/// How a line is written. CloudWatch adds the time to what the function writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Text,
    TextWithTime,
}

/// Logs as AWS Lambda's settings say (`AWS_LAMBDA_LOG_FORMAT`, `AWS_LAMBDA_LOG_LEVEL`), to standard output.
pub fn of_function() {
    let is_json = environment("AWS_LAMBDA_LOG_FORMAT").is_some_and(|form| form.eq_ignore_ascii_case("json"));
    let form = if is_json { Form::Json } else { Form::Text };
    let level = level(environment("AWS_LAMBDA_LOG_LEVEL").as_deref(), LevelFilter::INFO);
    begin(dispatch(form, level, io::stdout));
}

/// Logs as `OPENDLM_LOG` says, by default warnings, to standard error.
pub fn of_command_line() {
    let level = level(environment("OPENDLM_LOG").as_deref(), LevelFilter::WARN);
    begin(dispatch(Form::TextWithTime, level, io::stderr));
}

/// Writes a line that is none of the log's, whatever the level: CloudWatch reads the metrics of a run from it.
pub fn write_line(line: &str) {
    // Without a place to write to there is nobody to tell.
    let _ = OneLine(io::stdout()).write(format!("{line}\n").as_bytes());
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn begin(dispatch: Dispatch) {
    dispatcher::set_global_default(dispatch).expect("a process begins to log once");
}

/// The level of that name; AWS Lambda has a `FATAL` that Rust has not.
fn level(name: Option<&str>, default: LevelFilter) -> LevelFilter {
    match name.map(str::trim) {
        Some(fatal) if fatal.eq_ignore_ascii_case("fatal") => LevelFilter::ERROR,
        Some(name) => name.parse().unwrap_or(default),
        None => default,
    }
}

/// What writes the lines, each to a writer of its own.
fn dispatch<W: Write + 'static>(
    form: Form,
    level: LevelFilter,
    writer: impl Fn() -> W + Send + Sync + 'static,
) -> Dispatch {
    // The runtime's span carries the id of the request; what it logs below INFO are events and answers.
    let runtime = level.min(LevelFilter::INFO);
    let targets = Targets::new().with_targets([("opendlm", level), ("bootstrap", level), ("lambda_runtime", runtime)]);
    let lines = fmt().with_max_level(LevelFilter::TRACE).with_target(false).with_writer(move || OneLine(writer()));
    match form {
        // There is one span, the invocation's; the list of spans would say it a second time in every line.
        Form::Json => Dispatch::new(lines.without_time().json().with_span_list(false).finish().with(targets)),
        Form::Text => Dispatch::new(lines.without_time().finish().with(targets)),
        Form::TextWithTime => Dispatch::new(lines.finish().with(targets)),
    }
}

/// A writer that gets a whole event at a time, with the end of its line, and lets no other end through. The subscriber
/// escapes all fields but an event's message; here it does not matter who forgot to.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        match event.split_last() {
            // Nearly every event: a look at each byte, where the other way takes each character apart.
            Some((b'\n', line)) if line.iter().all(is_printable_ascii) => self.0.write_all(event)?,
            _ => self.0.write_all(visible_line(event).as_bytes())?,
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn is_printable_ascii(byte: &u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// The event as one line, with its end.
fn visible_line(event: &[u8]) -> String {
    let text = String::from_utf8_lossy(event);
    text.trim_end_matches('\n').chars().map(visible).chain(['\n']).collect()
}

/// A blank for what could end a line, move a cursor, colour what follows or turn the direction of writing (Unicode
/// Standard Annex 9, table 4). Escapes would break what is JSON.
fn visible(c: char) -> char {
    let is_invisible = c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if is_invisible { ' ' } else { c }
}

#[cfg(test)]
#[cfg(feature = "mocks")]
pub(crate) mod tests;
