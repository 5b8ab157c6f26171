//! EventBridge Scheduler: where policies are deployed. The only file that speaks to it.
//!
//! It makes no choice: what is to be written is named whole, and what is read is handed over as it is.

use super::client;
use super::service_error::ServiceError;
use crate::live::deployed::Found;
use crate::live::{ScheduleId, Target, Written};
use crate::starts::Start;
use aws_config::retry::RetryConfig;
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::config::Builder;
use aws_sdk_scheduler::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use aws_sdk_scheduler::types::{
    DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, ScheduleState, Target as SdkTarget,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::error::Error;

/// For a call, and for one with its retries: Scheduler answers in tens of milliseconds.
const CALL_ATTEMPT_SECONDS_MAX: u64 = 5;
const CALL_SECONDS_MAX: u64 = 20;
const ATTEMPTS_MAX: u32 = 3;
/// The largest page that ListSchedules gives (Scheduler API model, `MaxResults`).
const PAGE: i32 = 100;
/// A hundred thousand schedules: as many policies as Amazon DLM allows in a Region, a thousand times.
const PAGES_MAX: usize = 1000;
/// How many GetSchedule calls are under way at once. Scheduler's documented limit is 1,000 a second, in small Regions 250.
const AT_ONCE: usize = 10;
/// The group of a schedule that names none, as those of opendlm 0.1.
const DEFAULT_GROUP: &str = "default";

/// EventBridge Scheduler in the account and Region that the environment names.
#[derive(Debug)]
pub struct Scheduler {
    client: Client,
}

/// What the error of a call means.
fn failed<E>(call: &'static str, error: &SdkError<E>) -> ServiceError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    ServiceError::of("scheduler", call, error)
}

impl Scheduler {
    /// What the environment names. Nothing is asked yet.
    pub async fn connect() -> Self {
        let settings = client::settings().await;
        let attempts = settings.retry_config().map_or(ATTEMPTS_MAX, RetryConfig::max_attempts);
        let config = Builder::from(&settings)
            .retry_config(RetryConfig::standard().with_max_attempts(attempts))
            .timeout_config(client::timeouts(CALL_ATTEMPT_SECONDS_MAX, CALL_SECONDS_MAX));
        Self { client: Client::from_conf(config.build()) }
    }

    /// The tags of a schedule group.
    ///
    /// # Errors
    /// `NotFound` where there is no such group.
    pub async fn group_tags(&self, group: &str) -> Result<Vec<(String, String)>, ServiceError> {
        let found = self.client.get_schedule_group().name(group).send().await;
        let found = found.map_err(|error| failed("GetScheduleGroup", &error))?;
        let arn = found.arn().unwrap_or_default();
        let tags = self.client.list_tags_for_resource().resource_arn(arn).send().await;
        let tags = tags.map_err(|error| failed("ListTagsForResource", &error))?;
        Ok(tags.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect())
    }

    /// Every schedule of a group, and those of the default group that start `machine`.
    ///
    /// # Errors
    /// When Scheduler does not show them all.
    pub async fn schedules(&self, group: &str, machine: &str) -> Result<Vec<Found>, ServiceError> {
        let mut ids = self.list(group, None).await?;
        if group != DEFAULT_GROUP {
            ids.extend(self.list(DEFAULT_GROUP, Some(machine)).await?);
        }
        let found = stream::iter(ids).map(|id| self.read(id)).buffered(AT_ONCE);
        found.try_filter_map(async |found| Ok(found)).try_collect().await
    }

    async fn list(&self, group: &str, machine: Option<&str>) -> Result<Vec<ScheduleId>, ServiceError> {
        const CALL: &str = "ListSchedules";
        let mut ids = Vec::new();
        let mut token = None;
        for _ in 0..PAGES_MAX {
            let page =
                self.client.list_schedules().group_name(group).max_results(PAGE).set_next_token(token).send().await;
            let page = page.map_err(|error| failed(CALL, &error))?;
            let wanted = page.schedules().iter().filter(|each| {
                machine.is_none_or(|machine| each.target().is_some_and(|target| target.arn() == machine))
            });
            let named = |name: &str| ScheduleId { group: group.to_owned(), name: name.to_owned() };
            ids.extend(wanted.filter_map(|each| each.name().map(named)));
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(ids);
            }
        }
        Err(ServiceError::endless(CALL))
    }

    /// A schedule; `None` when it is gone since it was listed.
    async fn read(&self, id: ScheduleId) -> Result<Option<Found>, ServiceError> {
        match self.get(&id).await {
            Ok(found) => Ok(Some(found_of(id, &found))),
            Err(ServiceError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn get(&self, id: &ScheduleId) -> Result<GetScheduleOutput, ServiceError> {
        let found = self.client.get_schedule().group_name(&id.group).name(&id.name).send().await;
        found.map_err(|error| failed("GetSchedule", &error))
    }

    /// Makes a schedule.
    ///
    /// # Errors
    /// `Conflict` where there is one of that name.
    pub async fn create(&self, written: &Written) -> Result<(), ServiceError> {
        let call = self.client.create_schedule().group_name(&written.id.group).name(&written.id.name);
        let call = call
            .description(&written.description)
            .schedule_expression(&written.expression)
            .schedule_expression_timezone(Start::TIMEZONE)
            .flexible_time_window(at_the_time())
            .state(state(written.is_enabled))
            .target(target(written));
        let made = call.send().await;
        made.map(drop).map_err(|error| failed("CreateSchedule", &error))
    }

    /// Writes a schedule anew.
    ///
    /// # Errors
    /// `NotFound` where there is none of that name.
    pub async fn update(&self, written: &Written) -> Result<(), ServiceError> {
        let call = self.client.update_schedule().group_name(&written.id.group).name(&written.id.name);
        let call = call
            .description(&written.description)
            .schedule_expression(&written.expression)
            .schedule_expression_timezone(Start::TIMEZONE)
            .flexible_time_window(at_the_time())
            .state(state(written.is_enabled))
            .target(target(written));
        let changed = call.send().await;
        changed.map(drop).map_err(|error| failed("UpdateSchedule", &error))
    }

    /// Leaves a schedule as it is, but that it starts nothing.
    ///
    /// # Errors
    /// `NotFound` where there is none of that name.
    pub async fn switch_off(&self, id: &ScheduleId) -> Result<(), ServiceError> {
        let found = self.get(id).await?;
        // UpdateSchedule sets to its default what is left out.
        let call = self
            .client
            .update_schedule()
            .group_name(&id.group)
            .name(&id.name)
            .set_description(found.description)
            .set_schedule_expression(found.schedule_expression)
            .set_schedule_expression_timezone(found.schedule_expression_timezone)
            .set_start_date(found.start_date)
            .set_end_date(found.end_date)
            .set_flexible_time_window(found.flexible_time_window)
            .set_kms_key_arn(found.kms_key_arn)
            .set_action_after_completion(found.action_after_completion)
            .set_target(found.target)
            .state(ScheduleState::Disabled);
        call.send().await.map(drop).map_err(|error| failed("UpdateSchedule", &error))
    }

    /// Takes a schedule away; it may be gone already.
    ///
    /// # Errors
    /// When Scheduler does not delete it.
    pub async fn delete(&self, id: &ScheduleId) -> Result<(), ServiceError> {
        let deleted = self.client.delete_schedule().group_name(&id.group).name(&id.name).send().await;
        match deleted.map(drop).map_err(|error| failed("DeleteSchedule", &error)) {
            Err(ServiceError::NotFound(_)) => Ok(()),
            told => told,
        }
    }
}

fn found_of(id: ScheduleId, found: &GetScheduleOutput) -> Found {
    let target = found.target();
    let queue = target.and_then(SdkTarget::dead_letter_config).and_then(DeadLetterConfig::arn);
    Found {
        id,
        is_enabled: found.state() == Some(&ScheduleState::Enabled),
        expression: found.schedule_expression().unwrap_or_default().to_owned(),
        timezone: found.schedule_expression_timezone().unwrap_or(Start::TIMEZONE).to_owned(),
        machine: target.map(SdkTarget::arn).unwrap_or_default().to_owned(),
        role: target.map(SdkTarget::role_arn).unwrap_or_default().to_owned(),
        dead_letter_queue: queue.map(str::to_owned),
        input: target.and_then(SdkTarget::input).unwrap_or_default().to_owned(),
    }
}

/// Amazon DLM starts within an hour of the time; opendlm starts at the time.
fn at_the_time() -> FlexibleTimeWindow {
    FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().expect("a mode is all that it needs")
}

fn state(is_enabled: bool) -> ScheduleState {
    if is_enabled { ScheduleState::Enabled } else { ScheduleState::Disabled }
}

fn target(written: &Written) -> SdkTarget {
    let Target { machine, role, dead_letter_queue } = &written.target;
    let retries = RetryPolicy::builder()
        .maximum_event_age_in_seconds(written.event_age_seconds_max)
        .maximum_retry_attempts(Written::RETRIES_MAX)
        .build();
    let target = SdkTarget::builder()
        .arn(machine)
        .role_arn(role)
        .dead_letter_config(DeadLetterConfig::builder().arn(dead_letter_queue).build())
        .retry_policy(retries)
        .input(&written.input)
        .build();
    target.expect("a machine and a role are all that it needs")
}
