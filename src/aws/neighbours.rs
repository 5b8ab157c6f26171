//! The services around a stack that only `opendlm doctor` looks at: STS, SQS, SNS and Amazon DLM. The only file that speaks to them,
//! and it only reads.

use super::client;
use super::failure::{self, CallFailed};
use crate::action::{Failed, FailedKind};
use crate::doctor::Look;
use crate::doctor::beside::OtherPolicy;
use crate::doctor::surroundings::{Caller, Subscribers};
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dlm::types::{DefaultPoliciesTypeValues, GettablePolicyStateValues};
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::QueueAttributeName;
use std::error::Error;

/// For a call, and for one with its retries.
const CALL_ATTEMPT_SECONDS_MAX: u64 = 5;
const CALL_SECONDS_MAX: u64 = 15;
const ATTEMPTS_MAX: u32 = 3;
/// Pages of a hundred subscriptions each (SNS API reference, ListSubscriptionsByTopic).
const SUBSCRIBER_PAGES_MAX: usize = 10;

/// These services in the account and Region that the environment names.
#[derive(Debug)]
pub struct Neighbours {
    settings: SdkConfig,
}

impl Neighbours {
    /// What the environment names. Nothing is asked yet.
    pub async fn connect() -> Self {
        let settings = client::settings().await;
        let attempts = settings.retry_config().map_or(ATTEMPTS_MAX, RetryConfig::max_attempts);
        let timeouts: TimeoutConfig = client::timeouts(CALL_ATTEMPT_SECONDS_MAX, CALL_SECONDS_MAX);
        let patient = settings.to_builder().timeout_config(timeouts);
        Self { settings: patient.retry_config(RetryConfig::standard().with_max_attempts(attempts)).build() }
    }

    /// Whose credentials these are. Everybody may ask that.
    pub async fn caller(&self) -> Look<Caller> {
        let asked = aws_sdk_sts::Client::new(&self.settings).get_caller_identity().send().await;
        let region = self.settings.region().map_or("an unknown Region", |region| region.as_ref()).to_owned();
        look(asked, ("GetCallerIdentity", "sts:GetCallerIdentity"), &[], |found| {
            let (account, arn) = (found.account().unwrap_or("?").to_owned(), found.arn().unwrap_or("?").to_owned());
            Some(Caller { account, arn, region })
        })
    }

    /// How many messages a queue holds, whether or not somebody is looking at them.
    pub async fn messages(&self, queue_arn: &str) -> Look<u64> {
        const NONE: [&str; 2] = ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"];
        let client = aws_sdk_sqs::Client::new(&self.settings);
        let mut parts = queue_arn.split(':').skip(4);
        let (owner, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let asked = client.get_queue_url().queue_name(name).queue_owner_aws_account_id(owner).send().await;
        let url = match look(asked, ("GetQueueUrl", "sqs:GetQueueUrl"), &NONE, |found| {
            found.queue_url().map(str::to_owned)
        }) {
            Look::Seen(url) => url,
            Look::Unknown(why) => return Look::Unknown(why),
            Look::Wrong(why) => return Look::Wrong(why),
        };
        let counted = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let call = client.get_queue_attributes().queue_url(url).set_attribute_names(Some(counted.to_vec()));
        look(call.send().await, ("GetQueueAttributes", "sqs:GetQueueAttributes"), &NONE, |found| {
            let attributes = found.attributes()?;
            counted.iter().map(|name| attributes.get(name).map_or(Some(0), |value| value.parse::<u64>().ok())).sum()
        })
    }

    /// Who has subscribed to a topic, as far as the first pages tell: one that has confirmed is enough.
    pub async fn subscribers(&self, topic_arn: &str) -> Look<Subscribers> {
        let client = aws_sdk_sns::Client::new(&self.settings);
        let mut found = Subscribers { confirmed: 0, pending: 0 };
        let mut token = None;
        for _ in 0..SUBSCRIBER_PAGES_MAX {
            let page = client.list_subscriptions_by_topic().topic_arn(topic_arn).set_next_token(token).send().await;
            let right = ("ListSubscriptionsByTopic", "sns:ListSubscriptionsByTopic");
            let page = match look(page, right, &["NotFound", "NotFoundException"], Some) {
                Look::Seen(page) => page,
                Look::Unknown(why) => return Look::Unknown(why),
                Look::Wrong(why) => return Look::Wrong(why),
            };
            for subscription in page.subscriptions() {
                match subscription.subscription_arn() {
                    Some(arn) if arn.starts_with("arn:") => found.confirmed += 1,
                    Some("PendingConfirmation") => found.pending += 1,
                    // "Deleted", for a while.
                    _ => {}
                }
            }
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        Look::Seen(found)
    }

    /// The enabled policies of Amazon DLM that name one of these tags, each as `key=value`.
    pub async fn dlm_policies_of(&self, tags: Vec<String>) -> Look<Vec<OtherPolicy>> {
        self.dlm_policies(Some(tags), None).await
    }

    /// The enabled default policies of Amazon DLM for volumes.
    pub async fn dlm_default_policies(&self) -> Look<Vec<OtherPolicy>> {
        self.dlm_policies(None, Some(DefaultPoliciesTypeValues::Volume)).await
    }

    async fn dlm_policies(
        &self,
        tags: Option<Vec<String>>,
        kind: Option<DefaultPoliciesTypeValues>,
    ) -> Look<Vec<OtherPolicy>> {
        let call = aws_sdk_dlm::Client::new(&self.settings).get_lifecycle_policies();
        let call = call.state(GettablePolicyStateValues::Enabled).set_target_tags(tags).set_default_policy_type(kind);
        // What it says of policies that are not there: there is none of that tag.
        let asked = match call.send().await {
            Err(error) if failure::of(&error).code == "ResourceNotFoundException" => return Look::Seen(Vec::new()),
            asked => asked,
        };
        look(asked, ("GetLifecyclePolicies", "dlm:GetLifecyclePolicies"), &[], |found| {
            let named = found.policies().iter().map(|policy| OtherPolicy {
                id: policy.policy_id().unwrap_or("?").to_owned(),
                description: policy.description().unwrap_or_default().to_owned(),
            });
            Some(named.collect())
        })
    }
}

/// What an answer means: the codes of `gone` say that there is no such thing.
fn look<O, E, T>(
    asked: Result<O, SdkError<E>>,
    (call, right): (&'static str, &str),
    gone: &[&str],
    read: impl FnOnce(O) -> Option<T>,
) -> Look<T>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let error = match asked {
        Ok(found) => return read(found).map_or_else(|| Look::Unknown(format!("{call} does not say it")), Look::Seen),
        Err(error) => error,
    };
    let Failed { kind, code, message } = failure::of(&error);
    let is_gone = gone.contains(&code.as_str());
    let failed = CallFailed { call, code, message };
    match kind {
        _ if is_gone => Look::Wrong(failed.to_string()),
        FailedKind::Denied => Look::Unknown(format!("{failed}; the right {right} is missing")),
        _ => Look::Unknown(failed.to_string()),
    }
}
