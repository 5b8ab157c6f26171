//! What the tests of the shell share: the real client, behind which recorded answers stand instead of EC2.

mod accounts;
pub(super) mod answers;
mod lines;
mod secrets;
mod wire;

use super::{Account, Accounts, client};
use crate::policy::{Age, AgeUnit, CreateRule, IntervalHours, Policy, PolicyId, PolicyState, RetainRule, Schedule};
use crate::policy::{DefaultTargets, ScheduleName, StartTime, StartTimeOrigin, Tag, Targets};
use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::config::{AsyncSleep, Builder, SharedHttpClient, Sleep};
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_mocks::{Rule, RuleMode, mock_client};
use aws_smithy_types::body::SdkBody;
use std::num::NonZeroU32;
use std::time::Duration;

pub(super) const POLICY: &str = "policy-0123456789abcdef0";

/// The SDK's pauses and timeouts pass at once: what answers at all answers before them.
#[derive(Debug)]
struct Instantly;

impl AsyncSleep for Instantly {
    fn sleep(&self, _: Duration) -> Sleep {
        Sleep::new(std::future::ready(()))
    }
}

/// The SDK's pauses, of at most two seconds, pass at once, and its timeouts never: what answers may take its time.
#[derive(Debug)]
pub(super) struct WithoutPauses;

impl AsyncSleep for WithoutPauses {
    fn sleep(&self, duration: Duration) -> Sleep {
        let is_pause = duration <= Duration::from_secs(2);
        Sleep::new(async move {
            if !is_pause {
                std::future::pending::<()>().await;
            }
        })
    }
}

/// An account in which each call gets the answer of the first rule that matches it, and a panic if none does.
pub(crate) fn account(rules: &[&Rule]) -> Account {
    let ec2 = mock_client!(aws_sdk_ec2, RuleMode::MatchAny, rules, |config| {
        client::with_patience(config, 3).sleep_impl(Instantly)
    });
    Account::new(ec2)
}

/// An account behind another HTTP client.
pub(super) fn account_with(http: SharedHttpClient, settings: impl FnOnce(Builder) -> Builder) -> Account {
    let config = aws_sdk_ec2::Config::builder().with_test_defaults_v2().http_client(http).sleep_impl(Instantly);
    Account::new(aws_sdk_ec2::Client::from_conf(settings(client::with_patience(config, 3)).build()))
}

/// An account behind an endpoint that answers each EC2 action, with the form that was sent, as `answer` says.
pub(super) fn account_answering(answer: impl Fn(&str, &str) -> HttpResponse + Send + Sync + 'static) -> Account {
    let http = infallible_client_fn(move |request| {
        let form = String::from_utf8_lossy(request.body().bytes().unwrap()).into_owned();
        let action = form.split('&').find_map(|field| field.strip_prefix("Action=")).unwrap();
        answer(action, &form).try_into_http1x().unwrap()
    });
    account_with(http, |config| config.sleep_impl(WithoutPauses))
}

/// An error answer as EC2 writes it.
pub(crate) fn error_answer(status: u16, code: &str) -> HttpResponse {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code>\
         <Message>Recorded message of {code}.</Message></Error></Errors>\
         <RequestID>ea966190-f9aa-478e-9ede-example</RequestID></Response>"
    );
    answer(status, &body)
}

/// Any answer.
pub(super) fn answer(status: u16, body: &str) -> HttpResponse {
    HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))
}

/// A policy that targets volumes with one of these tags.
pub(super) fn policy(any_of: &[(&str, &str)]) -> Policy {
    Policy {
        id: PolicyId::parse(POLICY).unwrap(),
        description: String::new(),
        state: PolicyState::Enabled,
        targets: Targets::Volumes { any_of: tags_of(any_of) },
        schedules: vec![Schedule {
            name: ScheduleName::default_name(),
            create: CreateRule::Interval {
                hours: IntervalHours::new(24).unwrap(),
                at: StartTime { minute_of_day: 1020, origin: StartTimeOrigin::Given },
            },
            retain: RetainRule::Age(Age { interval: NonZeroU32::MIN, unit: AgeUnit::Days }),
            copy_tags: false,
            tags_to_add: Vec::new(),
            variable_tags: Vec::new(),
            copies: Vec::new(),
        }],
    }
}

/// A policy that targets the instances tagged `auto-backup=dlm`, without their data volumes that carry one of these.
pub(super) fn instance_policy(excluded: &[(&str, &str)]) -> Policy {
    let targets = Targets::Instances {
        any_of: tags_of(&[("auto-backup", "dlm")]),
        exclude_boot_volume: false,
        exclude_data_volume_tags: tags_of(excluded),
    };
    Policy { targets, ..policy(&[]) }
}

/// A default policy that leaves out boot volumes, or not, and the volumes that carry one of these tags.
pub(super) fn default_policy(exclude_boot_volumes: bool, excluded: &[(&str, &str)]) -> Policy {
    let targets = Targets::AllVolumes(DefaultTargets {
        create_interval_days: NonZeroU32::MIN,
        exclude_boot_volumes,
        exclude_volume_types: Vec::new(),
        exclude_tags: tags_of(excluded),
        extend_deletion: false,
    });
    Policy { targets, ..policy(&[]) }
}

pub(super) fn tags_of(pairs: &[(&str, &str)]) -> Vec<Tag> {
    pairs.iter().map(|&(key, value)| Tag { key: key.to_owned(), value: value.to_owned() }).collect()
}

#[test]
fn observing_and_applying_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let account = account(&[]);
    let until = jiff::Timestamp::UNIX_EPOCH;
    is_send(&account.apply(&[], until, |_, _| {}));
    let targets_one = policy(&[("k", "v")]);
    is_send(&account.observe(&targets_one));
    is_send(&Accounts::connect());
}
