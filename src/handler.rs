//! One turn: decode, now, observe, plan, turn, apply, answer. And what is before and after the turns of several targets: the
//! split of an event, and the sum of their reports.
//!
//! The same steps serve the Lambda function and the command line. Nothing here decides: it calls the core and hands
//! over what came of it.

mod abroad;
mod ahead;
mod closer;
#[cfg(feature = "cli")]
mod examined;
mod lines;
#[cfg(feature = "cli")]
mod outlook;

use crate::answer::{Answer, FailedAnswer, ListAnswer, Reply, SplitAnswer, TurnError};
use crate::aws::{Account, Accounts, ObserveError, clock};
use crate::event::{self, Event, json};
use crate::options::Options;
use crate::pace::{Bucket, ByApi, Pace};
use crate::place::Region;
use crate::plan::{self, Plan, check};
use crate::policy::decode::{IdRule, Reading};
use crate::report::explain::{self, Explanation};
use crate::report::forecast::Forecast;
use crate::report::{self, Report, words};
use crate::turn::{self, Budget, Progress, Status};
use crate::world::{SnapshotId, World};
use abroad::Regions;
use ahead::{Ahead, Times};
#[cfg(feature = "cli")]
pub use examined::{Examined, examined};
use jiff::{SignedDuration, Timestamp};
use lines::{log_action, log_decisions, log_failed_snapshots, log_limits, log_turn};
#[cfg(feature = "cli")]
pub use outlook::outlook;
use serde_json::Value;
use std::time::Duration;
use tracing::{error, info, warn};

/// Reads an event for a run: everything that is wrong with it at once.
///
/// # Errors
/// `PolicyInvalid` with one line for each problem.
pub fn read_event(value: &Value) -> Result<(Event, Vec<String>), TurnError> {
    let reading = event::read(value, IdRule::Required);
    let warnings = reading.warned();
    accepted(reading).map(|event| (event, warnings))
}

/// How long the endpoint's lists may lag, as the environment says.
fn settling() -> SignedDuration {
    Options::settling(std::env::var(Options::SETTLING_SECONDS).ok().as_deref())
}

/// The Regions that the stack may copy to, as the environment says.
fn copy_regions() -> Vec<Region> {
    Options::copy_regions(std::env::var(Options::COPY_REGIONS).ok().as_deref())
}

/// The Region that the function's stack is in, as Lambda tells it: what a mail names where somebody is to type something.
fn stack_region() -> Option<String> {
    std::env::var("AWS_REGION").ok().filter(|region| !region.is_empty())
}

/// Reads the bytes of an event as JSON.
///
/// # Errors
/// `PolicyInvalid` when they are no JSON that can be read, or an object has a key twice.
pub fn read_json(text: &[u8]) -> Result<Value, TurnError> {
    accepted(json::read(text))
}

/// What was read, or everything that is wrong with it as an error.
pub(crate) fn accepted<T>(reading: Reading<T>) -> Result<T, TurnError> {
    let refusal = reading.refusal();
    reading.value.ok_or_else(|| TurnError::PolicyInvalid(refusal.unwrap_or_default()))
}

/// Answers an event of any shape: a turn in the account and Region that it names, the split of one that names several, or the
/// sum of what came of those. No call begins that could not end before `until`.
///
/// # Errors
/// As [`turn`].
pub async fn invoke(accounts: &Accounts, value: &Value, until: Timestamp) -> Result<Reply, TurnError> {
    if event::is_of_reports(value) {
        return sum(value).map(|answer| Reply::Turn(Box::new(answer)));
    }
    if event::is_of_failure(value) {
        let failure = accepted(event::read_failure(value))?;
        return Ok(Reply::Failed(Box::new(FailedAnswer::new(&failure, stack_region().as_deref()))));
    }
    let (event, warnings) = read_event(value)?;
    if event.options.has_several_targets() {
        return split(&event, &warnings);
    }
    accounts.check().map_err(|error| TurnError::Unavailable(error.to_string()))?;
    let account = accounts.at(event.options.target.as_ref(), &event.policy.id).await;
    let one_of = event.options.one_of;
    let answer = turn_of(&account, event, &warnings, until).await;
    answer.map(|answer| Reply::Turn(Box::new(answer))).map_err(|error| match one_of {
        Some(one_of) => error.of_target(one_of),
        None => error,
    })
}

/// One turn on behalf of the event `value` in `account`, that begins no call which could not end before `until`.
///
/// # Errors
/// When the run cannot go on: the event is refused, EC2 cannot be asked, or the role may do nothing at all.
pub async fn turn(account: &Account, value: &Value, until: Timestamp) -> Result<Answer, TurnError> {
    let (event, warnings) = read_event(value)?;
    turn_of(account, event, &warnings, until).await
}

/// Says which runs an event with several targets comes to, or which list says so.
fn split(event: &Event, warnings: &[String]) -> Result<Reply, TurnError> {
    let now = clock::now();
    let progress = event.progress_at(now).map_err(|finding| TurnError::PolicyInvalid(finding.to_string()))?;
    let nothing = World::default();
    let plan = plan::plan(&event.policy, &event.options, &progress.start(), now, &nothing);
    let report = report::split_report(&event.policy, &event.options, &plan, &progress, warnings);
    if event.options.targets.is_empty() {
        info!(policy = event.policy.id.as_str(), summary = report.summary, "list");
        return Ok(Reply::List(Box::new(ListAnswer::new(event, &progress, report))));
    }
    info!(policy = event.policy.id.as_str(), targets = event.options.targets.len(), "split");
    Ok(Reply::Split(Box::new(SplitAnswer::new(event, &progress, report))))
}

/// Sums what came of all targets.
///
/// # Errors
/// `PolicyInvalid` when that is not what the state machine hands over.
pub fn sum(value: &Value) -> Result<Answer, TurnError> {
    let answer = Answer::of_sum(report::sum::sum(accepted(event::read_reports(value))?), stack_region().as_deref());
    let report = &answer.report;
    info!(
        policy = report.policy_id,
        targets = report.targets.len(),
        outcome = report.outcome,
        created = report.created,
        deleted = report.deleted,
        failed = report.failed,
        summary = report.summary,
        "sum"
    );
    Ok(answer)
}

/// Turn after turn while there is work and time: a wait between them would throw EC2's tokens away.
async fn turn_of(
    account: &Account,
    mut event: Event,
    warnings: &[String],
    until: Timestamp,
) -> Result<Answer, TurnError> {
    event.options.settling = settling();
    event.options.copy_regions = copy_regions();
    let regions = Regions::of(account, &event);
    let mut progress =
        event.progress_at(clock::now()).map_err(|finding| TurnError::PolicyInvalid(finding.to_string()))?;
    let (mut answered, mut ahead) = (None, None);
    // Bounded by the time: turn::look::has_time_for_another.
    loop {
        let turned =
            match (single_turn((account, &regions), &event, warnings, (progress, ahead), until).await, answered) {
                (Ok(turned), _) => turned,
                // Nothing was done since the answer, so that goes on from where it stands.
                (Err(error), Some(answer)) => {
                    warn!(
                        policy = event.policy.id.as_str(),
                        error = error.text(),
                        "the turn is left to the next invocation"
                    );
                    return Ok(answer);
                }
                (Err(error), None) => return Err(error),
            };
        let Turned { answer, status, progress: next, looked_for, ahead: looked } = turned;
        let has_time = looked.is_some() || turn::look::has_time_for_another(clock::now(), looked_for, until);
        if status != (Status::Waiting { seconds: 0 }) || !has_time {
            return Ok(answer);
        }
        (progress, answered, ahead) = (next, Some(answer), looked);
    }
}

/// What a turn came to.
struct Turned {
    answer: Answer,
    status: Status,
    progress: Progress,
    /// How long its look took.
    looked_for: SignedDuration,
    /// The look for the next turn, where it was made beside the calls of this one.
    ahead: Option<Ahead>,
}

async fn single_turn(
    (account, regions): (&Account, &Regions),
    event: &Event,
    warnings: &[String],
    (mut progress, ahead): (Progress, Option<Ahead>),
    until: Timestamp,
) -> Result<Turned, TurnError> {
    // What the plan says is as of when the look began.
    let (now, took) = ahead.as_ref().map_or_else(|| (clock::now(), None), |ahead| (ahead.began, Some(ahead.took)));
    account.learn(event.options.api_share, &progress.pace);
    let place = (account, regions, Looks::OfTurn);
    let looked = closer::look(place, event, (&mut progress, now, ahead), until, turn::closer::asks_of_turn);
    let world = Box::pin(looked).await?;
    let looked_at = clock::now();
    let took = took.unwrap_or_else(|| looked_at.duration_since(now));
    let works_until = turn::look::works_until(looked_at, took, until);
    let plan = closer::planned(event, &progress, now, &world);
    log_decisions(event, &plan);
    let budget = budget(&account.buckets(), looked_at, works_until);
    let mut selection = turn::select(&event.policy, &event.options, &plan, &progress, now, budget);
    let home = (world.home.as_ref(), now);
    turn::select_copies(&event.policy, &event.options, &plan, &progress, home, &mut selection);
    let policy_id = event.policy.id.as_str();
    let target = event.options.target.as_ref();
    let times = Times { looked_at, took, works_until, until, snapshots: world.snapshots.len() };
    let (outcomes, ahead) = ahead::apply(account, event, &selection.actions, times).await;
    if let Some(news) = account.limits_news() {
        log_limits(policy_id, target, &news);
    }
    // What was created counts as unsettled from the end of the turn's calls on, which may have taken minutes.
    let ended = clock::now();
    progress.pace = Pace::of(&account.buckets(), ended);
    let conclusion = turn::conclude(&event.options, &plan, progress, selection, outcomes, ended);
    if let Some(denied) = &conclusion.denied {
        let advice = denied.cure().unwrap_or("give the role the rights that template.yaml lists");
        return Err(TurnError::AccessDenied(format!("{}: {}; {advice}", denied.code, denied.message)));
    }
    let report =
        report::report(&event.policy, &event.options, &plan, &conclusion.progress, conclusion.status, warnings);
    let answer = Answer::new(event, &conclusion, report, warnings, stack_region().as_deref());
    log_failed_snapshots(policy_id, target, &plan, conclusion.status);
    log_turn(policy_id, &answer, &conclusion);
    let ahead = ahead.map(|ahead| Ahead { deleted: conclusion.deleted(), ..ahead });
    Ok(Turned { answer, status: conclusion.status, progress: conclusion.progress, looked_for: took, ahead })
}

/// What a run that starts now would do first.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreseen {
    /// What there is to say in all.
    pub report: Report,
    /// Every decision with its reason.
    pub decisions: Vec<words::Line>,
    /// What all of that comes to.
    pub forecast: Forecast,
}

/// Looks at the account and decides, and changes nothing.
///
/// # Errors
/// When the event is refused or EC2 cannot be asked.
pub async fn foresee(account: &Account, value: &Value) -> Result<Foreseen, TurnError> {
    foreseen(account, value, |event, progress, _, _, plan, warnings| {
        let status = Status::Waiting { seconds: 0 };
        let report = report::report(&event.policy, &event.options, plan, progress, status, warnings);
        let forecast = Forecast::of(&event.options, plan, &report);
        let decisions = report::decisions(plan).collect();
        Foreseen { report, decisions, forecast }
    })
    .await
}

/// Looks at the account and tells why one snapshot is kept or goes.
///
/// # Errors
/// When the event is refused, EC2 cannot be asked, or it knows no such snapshot.
pub async fn explain(account: &Account, value: &Value, snapshot: &SnapshotId) -> Result<Explanation, TurnError> {
    let (mut explanation, policy, is_seen, is_idle) = foreseen(account, value, |event, _, now, world, plan, _| {
        let explanation = explain::explain(&event.policy, &event.options, now, world, plan, snapshot);
        let elsewhere = world.regions.values().flat_map(|view| &view.snapshots);
        let is_seen = world.snapshots.iter().chain(elsewhere).any(|seen| seen.id == *snapshot);
        (explanation, event.policy.id.clone(), is_seen, plan::is_idle(&event.policy))
    })
    .await?;
    if is_seen {
        return Ok(explanation);
    }
    let Some(stranger) = account.stranger(snapshot).await.map_err(turn_error)? else {
        let region = account.region();
        return Err(TurnError::PolicyInvalid(format!(
            "{snapshot} does not exist in {region}: look at its id, at AWS_REGION, and at whose account this is"
        )));
    };
    // Of a disabled policy nothing was listed.
    if !(is_idle && stranger.carries_tag_of(&policy)) {
        explanation.rule = stranger.whose(&policy);
    }
    Ok(explanation)
}

/// Plans a start now, and hands what was seen and decided to `tell`.
async fn foreseen<T>(
    account: &Account,
    value: &Value,
    tell: impl FnOnce(&Event, &Progress, Timestamp, &World, &Plan<'_>, &[String]) -> T,
) -> Result<T, TurnError> {
    let (mut event, warnings) = read_event(value)?;
    event.options.settling = settling();
    let now = clock::now();
    let mut progress = event.progress_at(now).map_err(|finding| TurnError::PolicyInvalid(finding.to_string()))?;
    account.learn(event.options.api_share, &progress.pace);
    event.options.copy_regions = copy_regions();
    let regions = Regions::of(account, &event);
    let place = (account, &regions, Looks::OfPerson);
    let looked = closer::look(place, &event, (&mut progress, now, None), Timestamp::MAX, turn::closer::asks_of_plan);
    let world = Box::pin(looked).await?;
    let plan = closer::planned(&event, &progress, now, &world);
    Ok(tell(&event, &progress, now, &world, &plan, &warnings))
}

/// Whose look it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looks {
    /// A turn's, which comes to the other Regions when it has done what is due at home.
    OfTurn,
    /// A person's, who wants to see everything.
    OfPerson,
}

/// What EC2 shows, if it shows all of it before `until`: a turn that is cut off in the middle says nothing at all. What was listed
/// ahead is completed.
async fn observe(
    (account, regions, looks): (&Account, &Regions, Looks),
    event: &Event,
    progress: &Progress,
    ahead: Option<Ahead>,
    until: Timestamp,
) -> Result<World, TurnError> {
    if plan::is_idle(&event.policy) {
        return Ok(World::default());
    }
    let patience = Duration::try_from(until.duration_since(clock::now())).unwrap_or_default();
    let (policy, begun) = (&event.policy, progress.ids_begun());
    let at_home = async {
        let Some(Ahead { listed, deleted, .. }) = ahead else { return account.observe_with(policy, &begun).await };
        let mut world = account.complete(policy, listed, &begun).await?;
        world.leave_out(&deleted);
        Ok(world)
    };
    let elsewhere = Box::pin(regions.look(account, event, (progress, looks)));
    let looked = async {
        let (world, elsewhere) = tokio::join!(at_home, elsewhere);
        let mut world = World { home: regions.home.clone(), regions: elsewhere, ..world? };
        Box::pin(regions.complete(account, event, (progress, looks), &mut world)).await;
        Ok(world)
    };
    match tokio::time::timeout(patience, looked).await {
        Ok(world) => world.map_err(turn_error),
        Err(_) => Err(TurnError::Unavailable(format!(
            "EC2 did not show the whole account within {} s, the function's time is over; give it a longer timeout",
            patience.as_secs()
        ))),
    }
}

/// A plan that breaks a promise is a defect: stop before the first write.
fn hold_to_promises(event: &Event, now: Timestamp, world: &World, plan: &Plan<'_>) {
    let broken = check::check(&event.policy, &event.options, now, world, plan);
    for promise in &broken {
        error!(policy = event.policy.id.as_str(), "broken promise: {promise}");
    }
    assert!(broken.is_empty(), "the plan breaks a promise, nothing was changed: {broken:?}");
}

/// What fits at best between `now` and `until` through what is left in the buckets; the pacers of the account hold back
/// what does not.
fn budget(buckets: &ByApi<Bucket>, now: Timestamp, until: Timestamp) -> Budget {
    buckets.map(|_, bucket| usize::try_from(bucket.calls_before_at_best(now, until)).unwrap_or(usize::MAX))
}

fn turn_error(error: ObserveError) -> TurnError {
    let message = report::chain(&error);
    match error {
        ObserveError::AccessDenied(_) | ObserveError::Expired(_) => TurnError::AccessDenied(message),
        ObserveError::Throttled(_) => TurnError::Throttled(message),
        ObserveError::Unavailable(_) => TurnError::Unavailable(message),
    }
}
