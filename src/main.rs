//! The Lambda function's `bootstrap`: the client and its TLS connection in the init phase, one turn an invocation, or
//! several while there is work.

use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use opendlm::answer::{Reply, TurnError};
use opendlm::aws::{Accounts, clock};
use opendlm::report::metrics;
use opendlm::turn::deadline;
use opendlm::{handler, log};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::of_function();
    let accounts = Accounts::connect().await;
    let accounts = &accounts;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| invoke(accounts, event))).await
}

/// One invocation. The event comes unread: what the runtime's own reader refuses fails under a name that no state
/// machine knows, and what it silently drops, a key that stands twice, nobody would hear of.
async fn invoke(accounts: &Accounts, event: LambdaEvent<Box<RawValue>>) -> Result<Reply, Diagnostic> {
    let reply = match handler::read_json(event.payload.get().as_bytes()) {
        Ok(value) => {
            let until = deadline::last_call(event.context.deadline, clock::now());
            handler::invoke(accounts, &value, until).await
        }
        Err(error) => Err(error),
    };
    if let Some(line) = reply.as_ref().ok().and_then(metrics_line) {
        log::write_line(&line);
    }
    reply.map_err(|error| {
        let diagnostic = diagnostic(&error);
        tracing::error!(error = error.name(), cause = diagnostic.error_message, "failed");
        diagnostic
    })
}

/// The metrics of a run that has come to its end. One of several targets is told in the sum of them all.
fn metrics_line(reply: &Reply) -> Option<String> {
    match reply {
        Reply::Turn(answer) if answer.part.is_none() => metrics::line(&answer.report, clock::now()),
        Reply::Failed(_) | Reply::List(_) | Reply::Split(_) | Reply::Turn(_) => None,
    }
}

/// The error as Step Functions sees it: `Retry` matches its name.
fn diagnostic(error: &TurnError) -> Diagnostic {
    Diagnostic { error_type: error.name().to_owned(), error_message: opendlm::report::chain(error) }
}
