use super::*;
use std::sync::{Arc, Mutex};

/// What was written so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// A log of that form and level, and what it writes.
    pub(crate) fn log(form: Form, level: LevelFilter) -> (Dispatch, Self) {
        let captured = Self::default();
        let writer = captured.clone();
        (dispatch(form, level, move || writer.clone()), captured)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What `log` writes at `level`.
fn written(form: Form, level: LevelFilter, log: impl FnOnce()) -> String {
    let (dispatch, captured) = Captured::log(form, level);
    dispatcher::with_default(&dispatch, log);
    captured.text()
}

const FORGED: &str = "one\r\n INFO turn status=\"DONE\"\u{2028}\u{85}\u{1b}[2K\u{9b}1A\u{202e}";

#[test]
fn an_event_is_one_line_whatever_its_message_and_fields_hold() {
    let log = || tracing::error!(reason = FORGED, policy = "p", "{FORGED}");
    insta::assert_snapshot!(
        written(Form::Text, LevelFilter::INFO, log).trim_end(),
        @r#"ERROR one   INFO turn status="DONE" \u{85}\x1b[2K\u{9b}1A  reason="one\r\n INFO turn status=\"DONE\"\u{2028}\u{85}\u{1b}[2K\u{9b}1A\u{202e}" policy="p""#
    );
    insta::assert_snapshot!(
        written(Form::Json, LevelFilter::INFO, log).trim_end(),
        @r#"{"level":"ERROR","fields":{"message":"one\r\n INFO turn status=\"DONE\"  \u001b[2K 1A ","reason":"one\r\n INFO turn status=\"DONE\"  \u001b[2K 1A ","policy":"p"}}"#
    );
}

/// What comes of bytes that the subscriber writes at once.
fn one_line(event: &[u8]) -> String {
    let mut written = Vec::new();
    OneLine(&mut written).write_all(event).unwrap();
    String::from_utf8(written).unwrap()
}

#[test]
fn an_event_has_one_end_of_line_whether_or_not_it_is_plain_ascii() {
    assert_eq!(
        [&b"one\n"[..], b"one", b"one\n\n", b"~ ~\n", b"\n"].map(one_line),
        ["one\n", "one\n", "one\n", "~ ~\n", "\n"]
    );
    assert_eq!([&b"one\ntwo\n"[..], b"one\r\n", b"\x7f\x1f\n"].map(one_line), ["one two\n", "one \n", "  \n"]);
    assert_eq!(["ä\n", "ä", "ä\u{85}b\n"].map(|text| one_line(text.as_bytes())), ["ä\n", "ä\n", "ä b\n"]);
    assert_eq!(one_line(b"\xff\n"), "\u{fffd}\n");
}

#[test]
fn a_line_names_its_invocation_once() {
    let log = || tracing::info_span!("invocation", requestId = "59dbff89").in_scope(|| tracing::info!("turn"));
    insta::assert_snapshot!(
        written(Form::Json, LevelFilter::INFO, log).trim_end(),
        @r#"{"level":"INFO","fields":{"message":"turn"},"span":{"requestId":"59dbff89","name":"invocation"}}"#
    );
}

#[test]
fn only_opendlm_and_the_runtime_are_heard_whatever_the_level() {
    let log = || {
        tracing::trace!(target: "opendlm::handler", "ours");
        tracing::debug!(target: "bootstrap", "ours");
        tracing::info!(target: "lambda_runtime::layers", "the runtime's");
        tracing::debug!(target: "lambda_runtime::layers", "an event");
        tracing::error!(target: "aws_config::meta::credentials", "the SDK's");
        tracing::trace!(target: "aws_smithy_runtime::client::orchestrator", "a request");
    };
    let heard = |level| written(Form::Text, level, log).lines().count();
    assert_eq!(written(Form::Text, LevelFilter::TRACE, log), "TRACE ours\nDEBUG ours\n INFO the runtime's\n");
    assert_eq!([LevelFilter::DEBUG, LevelFilter::INFO, LevelFilter::WARN].map(heard), [2, 1, 0]);
}

#[test]
fn levels_have_lambdas_names() {
    let read = |name| level(Some(name), LevelFilter::WARN);
    assert_eq!(
        [read("DEBUG"), read("debug"), read(" Info ")],
        [LevelFilter::DEBUG, LevelFilter::DEBUG, LevelFilter::INFO]
    );
    assert_eq!([read("FATAL"), read("off"), read("loud")], [LevelFilter::ERROR, LevelFilter::OFF, LevelFilter::WARN]);
    assert_eq!(read("opendlm=trace,aws_smithy_runtime=trace"), LevelFilter::WARN);
    assert_eq!(level(None, LevelFilter::INFO), LevelFilter::INFO);
}
