//! The EC2 client: how it is made, how long it waits, how often it tries.

use super::failure;
use super::settings::Causes;
use super::whole::Whole;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::interceptors::{BeforeTransmitInterceptorContextRef, InterceptorContext};
use aws_sdk_ec2::config::retry::{ClassifyRetry, RetryAction, RetryConfig, RetryMode};
use aws_sdk_ec2::config::timeout::TimeoutConfig;
use aws_sdk_ec2::config::{self, Config, ConfigBag, Intercept, RuntimeComponents, SharedHttpClient};
use aws_sdk_ec2::error::{BoxError, ProvideErrorMetadata};
use aws_sdk_ec2::operation::delete_snapshot::DeleteSnapshotError;
use aws_smithy_http_client::Builder as HttpBuilder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// To open a connection. EC2 answers a handshake in tens of milliseconds, 0.7 s where the function has little CPU;
/// after 3 s the endpoint cannot be reached.
const CONNECT_SECONDS_MAX: u64 = 3;
/// For one page of a listing. A page of 1,000 rows takes EC2 about a second; a filter that it must scan a large
/// account for takes several.
const DESCRIBE_ATTEMPT_SECONDS_MAX: u64 = 30;
/// For a page with its retries: two attempts that time out and a third one that answers.
const DESCRIBE_SECONDS_MAX: u64 = 75;
/// How often a call is made that may be repeated, the SDK's default. `AWS_MAX_ATTEMPTS` overrides it.
const ATTEMPTS_MAX: u32 = 3;
/// For the connections of the init phase, of whose 10 s AWS Lambda restarts the function: connecting, and no more.
const WARM_UP_SECONDS_MAX: u64 = 3;

/// What the environment and the profile say (`AWS_REGION`, `AWS_PROFILE`, `AWS_ENDPOINT_URL`, credentials), as every AWS
/// tool reads them.
pub(super) async fn settings() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest()).http_client(https()).load().await
}

/// A client for the account and Region of these settings. Clients of the same settings share their connections.
pub(super) fn of(settings: &SdkConfig) -> Client {
    let attempts = settings.retry_config().map_or(ATTEMPTS_MAX, RetryConfig::max_attempts);
    Client::from_conf(with_patience(config::Builder::from(settings), attempts).build())
}

/// Connections with TLS by rustls and ring.
pub(super) fn https() -> SharedHttpClient {
    HttpBuilder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// Opens a connection for each of the two listings that every turn makes at the same time: a TLS handshake is most of
/// the first call of a small function, and the init phase has a full CPU. Dry runs, so that EC2 looks up nothing; what
/// they answer does not matter, only whether they got there.
pub(super) async fn warm_up(client: &Client) -> Result<(), Unreached> {
    let once = || never_repeated(WARM_UP_SECONDS_MAX);
    let asked = Asked::default();
    let volumes = client.describe_volumes().dry_run(true).max_results(FEWEST_RESULTS);
    let snapshots = client.describe_snapshots().dry_run(true).owner_ids("self").max_results(FEWEST_RESULTS);
    let (volumes, _) = tokio::join!(
        volumes.customize().config_override(once().interceptor(asked.clone())).send(),
        snapshots.customize().config_override(once()).send(),
    );
    match volumes.as_ref().map_err(failure::not_dispatched) {
        Ok(_) | Err(None) => Ok(()),
        Err(Some(None)) => Err(Unreached::NoCredentials),
        Err(Some(Some(causes))) => Err(Unreached::Other { endpoint: asked.0.get().cloned(), causes }),
    }
}

/// Why a call did not get to EC2.
#[derive(Debug)]
pub(super) enum Unreached {
    /// There was nothing to sign it with.
    NoCredentials,
    /// It found no way.
    Other {
        /// Where it was to go, as `https://ec2.eu-west-1.amazonaws.com`, as far as it came.
        endpoint: Option<String>,
        /// Why not.
        causes: Causes,
    },
}

/// Notes where a call goes.
#[derive(Debug, Clone, Default)]
struct Asked(Arc<OnceLock<String>>);

impl Intercept for Asked {
    fn name(&self) -> &'static str {
        "Asked"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let uri = failure::without_password(context.request().uri());
        let (scheme, rest) = uri.split_once("://").unwrap_or_default();
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        // A second call would go to the same place.
        let _ = self.0.set(format!("{scheme}://{host}"));
        Ok(())
    }
}

/// The smallest page that EC2 accepts (EC2 API reference, DescribeVolumes and DescribeSnapshots: `MaxResults`, 5).
const FEWEST_RESULTS: i32 = 5;

/// The settings of every call, with the patience of those that read: repeated up to `attempts` times, never adaptively,
/// because the pacers know EC2's buckets and the SDK would only guess them. No answer is believed that did not come
/// whole.
pub(super) fn with_patience(builder: config::Builder, attempts: u32) -> config::Builder {
    builder
        .interceptor(Whole)
        .retry_config(RetryConfig::standard().with_retry_mode(RetryMode::Standard).with_max_attempts(attempts))
        .timeout_config(timeouts(DESCRIBE_ATTEMPT_SECONDS_MAX, DESCRIBE_SECONDS_MAX))
}

/// For a call that must not be repeated: a timeout or an internal error of CreateSnapshot may have made a snapshot,
/// and CreateSnapshot has no client token. The next turn looks before it acts.
pub(super) fn never_repeated(seconds_max: u64) -> config::Builder {
    Config::builder().retry_config(RetryConfig::disabled()).timeout_config(timeouts(seconds_max, seconds_max))
}

/// For a DeleteSnapshot, which may be repeated within so many seconds altogether, but not when EC2 has had too many calls:
/// the SDK would hide that from the pacers, and take tokens that they do not know of.
pub(super) fn deletion_within(attempt_seconds_max: u64, seconds_max: u64) -> config::Builder {
    Config::builder().retry_classifier(ThrottledDeletions).timeout_config(timeouts(attempt_seconds_max, seconds_max))
}

/// Leaves deletions that EC2 throttles to the pacers.
#[derive(Debug)]
struct ThrottledDeletions;

impl ClassifyRetry for ThrottledDeletions {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(|output| output.err());
        let refused = error.and_then(|error| error.as_operation_error()?.downcast_ref::<DeleteSnapshotError>());
        let is_throttled = refused.and_then(ProvideErrorMetadata::code).is_some_and(failure::is_throttle);
        if is_throttled { RetryAction::RetryForbidden } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "throttled deletions are paced by opendlm"
    }
}

pub(super) fn timeouts(attempt_seconds_max: u64, seconds_max: u64) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX))
        .operation_attempt_timeout(Duration::from_secs(attempt_seconds_max))
        .operation_timeout(Duration::from_secs(seconds_max))
        .build()
}
