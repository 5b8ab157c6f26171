//! Whose credentials these are, the clock, and the stack: its version, its dead letters, who hears of failures.

use super::machine::{self, Filled};
use super::{Gathered, Line, Look, Scope, deployed, ok, unknown, unseen, wrong};
use crate::live::Target;
use crate::live::deployed::Stranger;
use crate::live::effect::counted;
use jiff::SignedDuration;
use serde_json::Value;

/// The version of this command line.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account's number.
    pub account: String,
    /// Who, by ARN.
    pub arn: String,
    /// The Region that is looked at.
    pub region: String,
}

/// A stack, as far as it can be seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// Its schedule group.
    pub group: String,
    /// What the group's tags name.
    pub target: Target,
    /// The version that the group's tag names.
    pub version: Option<String>,
    /// The definition of its state machine.
    pub definition: Look<Value>,
    /// The version that the function answered with last.
    pub function_version: Look<Option<String>>,
    /// How many starts are in the dead-letter queue.
    pub dead_letters: Look<u64>,
    /// Who hears of failures.
    pub subscribers: Look<Subscribers>,
    /// Schedules of the group that are no policy's.
    pub strangers: Vec<Stranger>,
}

/// Who has subscribed to a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscribers {
    /// How many have confirmed.
    pub confirmed: u64,
    /// How many were asked to.
    pub pending: u64,
}

/// How far the clock of a signed request may be off: AWS refuses those that are five minutes off (IAM User Guide, "Signature
/// Version 4"). A minute is as much as a scheduled time knows.
const CLOCK_OFF_MAX: SignedDuration = SignedDuration::from_secs(60);

/// How they are.
pub(super) fn lines(gathered: &Gathered) -> Vec<Line> {
    let mut lines = vec![identity(gathered), clock(&gathered.clock_ahead)];
    let cure = "deploy the stack of template.yaml, or name its group with --group or OPENDLM_GROUP";
    let how = "aws scheduler get-schedule-group --name GROUP, and list-tags-for-resource of its ARN";
    match unseen(&gathered.stack, "stack", cure, how) {
        Ok(stack) => lines.extend(of_stack(stack, gathered)),
        // Who asks about a file may well run it without a stack.
        Err(line) if gathered.scope == Scope::Policy && matches!(gathered.stack, Look::Wrong(_)) => {
            lines.push(unknown("stack", line.says, cure));
        }
        Err(line) => lines.push(line),
    }
    lines
}

fn identity(gathered: &Gathered) -> Line {
    let how = "aws sts get-caller-identity";
    match unseen(&gathered.caller, "identity", "sign in, or set AWS_PROFILE", how) {
        Ok(Caller { account, arn, region }) => {
            let machine = match &gathered.stack {
                Look::Seen(stack) => stack.target.machine.as_str(),
                Look::Unknown(_) | Look::Wrong(_) => "",
            };
            let place: Vec<&str> = machine.split(':').skip(3).take(2).collect();
            if place.len() == 2 && place != [region.as_str(), account.as_str()] {
                let says = format!("this is {account} in {region}, and the group's tags name the machine {machine}");
                return wrong("identity", says, "deploy the stack again, here");
            }
            ok("identity", format!("account {account}, Region {region}, as {arn}"))
        }
        Err(line) => line,
    }
}

fn clock(ahead: &Look<SignedDuration>) -> Line {
    match unseen(
        ahead,
        "clock",
        "set this machine's clock",
        "compare date -u with the Date header of any answer of AWS",
    ) {
        Ok(ahead) if ahead.abs() > CLOCK_OFF_MAX => {
            let side = if ahead.is_negative() { "behind" } else { "ahead of" };
            let says =
                format!("this machine is {} s {side} EC2; at 300 s AWS refuses every call", ahead.abs().as_secs());
            wrong("clock", says, "set this machine's clock, by NTP")
        }
        Ok(ahead) => ok("clock", format!("within {} s of EC2's", ahead.abs().as_secs() + 1)),
        Err(line) => line,
    }
}

fn of_stack(stack: &Stack, gathered: &Gathered) -> Vec<Line> {
    let Stack { group, target, .. } = stack;
    let mut lines = vec![ok("stack", format!("the group {group} starts {}", target.machine))];
    lines.extend(versions(stack));
    lines.push(dead_letters(stack));
    lines.push(mail(stack));
    if gathered.scope == Scope::Stack {
        lines.push(policies(gathered, group));
    }
    lines.extend(stack.strangers.iter().map(|stranger| {
        wrong("schedules", format!("{}: {}", stranger.id, stranger.why), "delete it, or put a policy in its place")
    }));
    lines
}

/// Group, machine, function and command line.
fn versions(stack: &Stack) -> Vec<Line> {
    let mut lines = Vec::new();
    let deploy = format!("deploy the stack of opendlm {VERSION} again, or use the command line of the stack's version");
    lines.push(match stack.version.as_deref() {
        Some(VERSION) => ok("version", format!("command line and stack are of opendlm {VERSION}")),
        Some(other) => {
            wrong("version", format!("the stack is of opendlm {other}, this command line of {VERSION}"), deploy.clone())
        }
        None => unknown(
            "version",
            format!("the group has no tag {}: the stack was deployed before it got one", Target::VERSION_TAG),
            deploy.clone(),
        ),
    });
    let how = format!("aws stepfunctions describe-state-machine --state-machine-arn {}", stack.target.machine);
    lines.push(match unseen(&stack.definition, "machine", "deploy the stack again", how) {
        Ok(definition) => match machine::read(definition, &stack.target.machine) {
            Some(Filled { is_of_this_version: true, .. }) => ok("machine", "its definition is the one of this version"),
            Some(_) => wrong("machine", format!("its definition is not the one of opendlm {VERSION}"), deploy.clone()),
            None => wrong("machine", "its definition is not opendlm's", deploy.clone()),
        },
        Err(line) => line,
    });
    let how = "start a policy, and look again; aws lambda get-function-configuration tells when it was changed";
    lines.push(match unseen(&stack.function_version, "function", "look at the state machine", how) {
        Ok(Some(version)) if version == VERSION => ok("function", format!("it answered as opendlm {VERSION}")),
        Ok(Some(version)) => wrong("function", format!("its last answer was of opendlm {version}"), deploy),
        Ok(None) => unknown("function", "no answer of it is known that says its version", how),
        Err(line) => line,
    });
    lines
}

fn dead_letters(stack: &Stack) -> Line {
    let cure = "deploy the stack again: starts that cannot be delivered are lost";
    let how =
        "aws sqs get-queue-attributes --attribute-names All --queue-url QUEUE, the stack's output DeadLetterQueueUrl";
    match unseen(&stack.dead_letters, "dead letters", cure, how) {
        Ok(0) => ok("dead letters", "there are none: every start was delivered"),
        Ok(count) => wrong(
            "dead letters",
            format!("starts that could not be delivered: {count}"),
            "aws sqs receive-message shows each with the reason; mend that, start the policy, delete the message",
        ),
        Err(line) => line,
    }
}

fn mail(stack: &Stack) -> Line {
    let cure = "deploy the stack again: nobody can be told";
    let how = "aws sns list-subscriptions-by-topic --topic-arn TOPIC, the stack's output AlarmTopicArn";
    match unseen(&stack.subscribers, "mail", cure, how) {
        Ok(Subscribers { confirmed: 0, pending: 0 }) => wrong(
            "mail",
            "nobody hears of failures: the topic has no subscriber",
            "deploy with AlarmEmail, or subscribe to the stack's output AlarmTopicArn",
        ),
        Ok(Subscribers { confirmed: 0, pending }) => wrong(
            "mail",
            format!("nobody hears of failures: {} not confirmed", counted_are(*pending)),
            "answer the mail with the subject 'AWS Notification - Subscription Confirmation'; it is good for three days, then \
             subscribe again",
        ),
        Ok(Subscribers { confirmed, .. }) => {
            ok("mail", format!("who hears of failures: {}", counted_confirmed(*confirmed)))
        }
        Err(line) => line,
    }
}

fn counted_are(count: u64) -> String {
    if count == 1 { "1 subscription is".to_owned() } else { format!("{count} subscriptions are") }
}

fn counted_confirmed(count: u64) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "confirmed subscriber")
}

fn policies(gathered: &Gathered, group: &str) -> Line {
    let enabled = gathered.policies.iter().filter(|seen| deployed::is_enabled(seen)).count();
    match (gathered.policies.len(), enabled) {
        (0, _) => wrong("policies", format!("none is deployed in the group {group}"), "opendlm put FILE deploys one"),
        (_, 0) => wrong("policies", "none is enabled: no backup is made", "opendlm enable POLICY"),
        (all, enabled) => ok("policies", format!("{enabled} of {all} are enabled")),
    }
}
