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
