//! Step Functions, as the command line needs it: the runs of a state machine. The only file that speaks to it.

use super::client;
use super::service_error::ServiceError;
use crate::live::runs::{Ended, Execution, Standing};
use aws_config::retry::RetryConfig;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::config::Builder;
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::primitives::DateTime;
use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus, HistoryEvent};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde_json::Value;
use std::error::Error;

/// For a call, and for one with its retries.
const CALL_ATTEMPT_SECONDS_MAX: u64 = 5;
const CALL_SECONDS_MAX: u64 = 20;
const ATTEMPTS_MAX: u32 = 3;
/// The page of ListExecutions that is asked for; 1,000 is the largest (Step Functions API reference).
const PAGE: i32 = 100;
/// How many DescribeExecution calls are under way at once: its bucket holds 300 (Step Functions developer guide, "Quotas").
const AT_ONCE: usize = 10;
/// How many of the last events are looked through for the last answer: a turn leaves five.
const EVENTS_MAX: i32 = 100;

/// Step Functions in the account and Region that the environment names.
#[derive(Debug)]
pub struct Machine {
    client: Client,
    arn: String,
}

/// What the error of a call means.
fn failed<E>(call: &'static str, error: &SdkError<E>) -> ServiceError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    ServiceError::of("states", call, error)
}

impl Machine {
    /// The state machine of a stack. Nothing is asked yet.
    pub async fn connect(arn: &str) -> Self {
        let settings = client::settings().await;
        let attempts = settings.retry_config().map_or(ATTEMPTS_MAX, RetryConfig::max_attempts);
        let config = Builder::from(&settings)
            .retry_config(RetryConfig::standard().with_max_attempts(attempts))
            .timeout_config(client::timeouts(CALL_ATTEMPT_SECONDS_MAX, CALL_SECONDS_MAX));
        Self { client: Client::from_conf(config.build()), arn: arn.to_owned() }
    }

    /// Starts a run; the ARN of its execution.
    ///
    /// # Errors
    /// When Step Functions does not start it.
    pub async fn start(&self, name: &str, event: &Value) -> Result<String, ServiceError> {
        let call = self.client.start_execution().state_machine_arn(&self.arn).name(name).input(event.to_string());
        let started = call.send().await.map_err(|error| failed("StartExecution", &error))?;
        Ok(started.execution_arn().to_owned())
    }

    /// Ends an execution, whatever it is doing.
    ///
    /// # Errors
    /// When Step Functions does not end it.
    pub async fn stop(&self, arn: &str, cause: &str) -> Result<(), ServiceError> {
        let call = self.client.stop_execution().execution_arn(arn).error("Stopped").cause(cause);
        call.send().await.map(drop).map_err(|error| failed("StopExecution", &error))
    }

    /// The last `count` executions, or only those that are under way, the newest first; none of a machine that is gone.
    ///
    /// # Errors
    /// When Step Functions does not show them.
    pub async fn executions(&self, count: usize, is_under_way: bool) -> Result<Vec<Execution>, ServiceError> {
        const CALL: &str = "ListExecutions";
        let status = is_under_way.then_some(ExecutionStatus::Running);
        let mut listed: Vec<ExecutionListItem> = Vec::new();
        let mut token = None;
        // Bounded: each page is of new ones, and the last one has no token.
        while listed.len() < count {
            let call = self.client.list_executions().state_machine_arn(&self.arn).max_results(PAGE);
            let page = call.set_status_filter(status.clone()).set_next_token(token).send().await;
            let page = match page.map_err(|error| failed(CALL, &error)) {
                Err(ServiceError::NotFound(_)) => return Ok(Vec::new()),
                page => page?,
            };
            listed.extend_from_slice(page.executions());
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        listed.truncate(count);
        let arns = listed.into_iter().map(|each| each.execution_arn);
        let described = stream::iter(arns).map(|arn| async move { self.execution(&arn).await }).buffered(AT_ONCE);
        described.try_collect().await
    }

    /// One execution, without what its turns answered.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub async fn execution(&self, arn: &str) -> Result<Execution, ServiceError> {
        let found = self.client.describe_execution().execution_arn(arn).send().await;
        Ok(read(&found.map_err(|error| failed("DescribeExecution", &error))?))
    }

    /// The last answer of the function in an execution; `None` while there is none.
    ///
    /// # Errors
    /// When Step Functions does not show its history.
    pub async fn last_answer(&self, arn: &str) -> Result<Option<Value>, ServiceError> {
        let call = self.client.get_execution_history().execution_arn(arn).reverse_order(true).max_results(EVENTS_MAX);
        let history = call.send().await.map_err(|error| failed("GetExecutionHistory", &error))?;
        // The newest, in whatever order they came.
        let answers = history.events().iter().filter_map(|event| Some((event.id(), answer(event)?)));
        Ok(answers.max_by_key(|&(id, _)| id).map(|(_, answer)| answer))
    }
}

/// What a task of an event answered, if that was the function with a report.
fn answer(event: &HistoryEvent) -> Option<Value> {
    let output = event.state_exited_event_details()?.output()?;
    let answer: Value = serde_json::from_str(output).ok()?;
    answer.get("Report").is_some().then_some(answer)
}

fn read(found: &DescribeExecutionOutput) -> Execution {
    let json = |text: Option<&str>| text.and_then(|text| serde_json::from_str(text).ok());
    let ended = |how: Ended| Standing::Over { how, at: found.stop_date().and_then(timestamp) };
    Execution {
        arn: found.execution_arn().to_owned(),
        name: found.name().unwrap_or_default().to_owned(),
        started: timestamp(found.start_date()),
        standing: match found.status() {
            ExecutionStatus::Running | ExecutionStatus::PendingRedrive => Standing::UnderWay,
            ExecutionStatus::Succeeded => ended(Ended::Succeeded),
            ExecutionStatus::TimedOut => ended(Ended::TimedOut),
            ExecutionStatus::Aborted => ended(Ended::Stopped),
            // `Failed`, and what a later SDK adds: it must not pass for success.
            _ => ended(Ended::Failed),
        },
        input: json(found.input()),
        output: json(found.output()),
        error: found.error().map(str::to_owned),
        cause: found.cause().map(str::to_owned),
    }
}

fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(time.secs()).ok()
}
