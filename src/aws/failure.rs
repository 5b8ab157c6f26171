//! What EC2's errors mean: one table of codes, and the names of design.md 4.2.
//!
//! A failed action is classified for the next turn ([`FailedKind`]), a failed listing for Step Functions
//! ([`ObserveError`]). Both come from the same table.

mod codes;
mod roles;

use super::settings::Causes;
use super::whole::NotWhole;
use crate::action::{Failed, FailedKind, cure_of_expired};
use crate::policy::decode::shown;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
pub(super) use codes::is_throttle;
use codes::{kind_of, without_origin};
pub(super) use roles::{NotAssumed, of_assume_role};
use std::error::Error;
use std::fmt;

/// Why the account could not be observed, by the name that Step Functions sees.
///
/// The fourth name, `PolicyInvalid`, is decode's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObserveError {
    /// The role may not look, or there are no valid credentials. Trying again does not help.
    #[error("{0}; {cure}", cure = cure_of_denied(.0))]
    AccessDenied(CallFailed),
    /// The session has expired, or this machine's clock is off. Trying again does not help.
    #[error("{0}; {cure}", cure = cure_of_expired(&.0.message))]
    Expired(CallFailed),
    /// EC2 had too many calls of the account in this Region. Trying again later helps.
    #[error("{0}; all tools of the account share EC2's request limits in a Region: try again in a minute")]
    Throttled(CallFailed),
    /// Everything else: no answer, an internal error, or a refusal of a listing. Not even the last one is the policy's
    /// fault, since decode has checked it: it comes from an endpoint that does not speak EC2 as we know it, or from a
    /// page token that ran out, and a new turn starts without one.
    #[error("{0}; try again, and if it stays look at AWS_REGION, AWS_ENDPOINT_URL and the way to the endpoint")]
    Unavailable(CallFailed),
}

/// What helps who may not look.
fn cure_of_denied(failed: &CallFailed) -> String {
    match failed.code.as_str() {
        NO_CREDENTIALS => "sign in, or give the function its role".to_owned(),
        _ => format!("expected valid credentials of a role that is allowed ec2:{}", failed.call),
    }
}

/// The code of a call that nobody could sign.
const NO_CREDENTIALS: &str = "NoCredentials";

/// A listing that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFailed {
    /// The EC2 action, as in `DescribeVolumes`.
    pub call: &'static str,
    /// EC2's error code, or ours as in [`Failed::code`].
    pub code: String,
    /// EC2's message, one bounded line.
    pub message: String,
}

impl ObserveError {
    pub(super) fn of(call: &'static str, failed: Failed) -> Self {
        let Failed { kind, code, message } = failed;
        let failed = CallFailed { call, code, message };
        match kind {
            FailedKind::Denied => Self::AccessDenied(failed),
            FailedKind::Expired => Self::Expired(failed),
            FailedKind::Throttled => Self::Throttled(failed),
            FailedKind::AccountFull
            | FailedKind::Refused
            | FailedKind::TooManyPending
            | FailedKind::TooSoon
            | FailedKind::Unclear => Self::Unavailable(failed),
        }
    }

    /// The name in `Retry` and `Catch` of the state machine (design.md 4.2).
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::AccessDenied(_) | Self::Expired(_) => "AccessDenied",
            Self::Throttled(_) => "Throttled",
            Self::Unavailable(_) => "Unavailable",
        }
    }
}

impl fmt::Display for CallFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed with {}: {}", self.call, self.code, self.message)
    }
}

/// What the failure of a call means.
pub(super) fn of<E>(error: &SdkError<E>) -> Failed
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(context) => {
            let status = context.raw().status().as_u16();
            match context.err().code() {
                Some(code) => answered(code, context.err().message().unwrap_or_default(), status),
                // The SDK could not make sense of an answer that claims success.
                None if context.raw().status().is_success() => failed(FailedKind::Unclear, "BadAnswer", &chain(error)),
                None => without_code(status),
            }
        }
        SdkError::ConstructionFailure(_) => failed(FailedKind::Refused, "NotSent", &chain(error)),
        SdkError::DispatchFailure(_) if credentials_error(error).is_some() => no_credentials(error),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => timeout(error),
        // Only the connector knows whether the request had left: perhaps it had.
        SdkError::DispatchFailure(_) => failed(FailedKind::Unclear, "NoConnection", &chain(error)),
        SdkError::TimeoutError(_) => timeout(error),
        // `ResponseError`, an answer that is no EC2 answer; and what a later SDK adds.
        _ => failed(FailedKind::Unclear, "BadAnswer", &not_whole(error).unwrap_or_else(|| chain(error))),
    }
}

/// A failure with a bounded, one-line code and message, neither of which quotes a signed request.
pub(super) fn failed(kind: FailedKind, code: &str, message: &str) -> Failed {
    let code = if quotes_a_request(code) { "BadAnswer" } else { code };
    let message =
        if quotes_a_request(message) { "the answer quotes the signed request, it is not told" } else { message };
    Failed { kind, code: shown(code, CODE_CHARACTERS_MAX), message: shown(message, MESSAGE_CHARACTERS_MAX) }
}

/// Whether a text may hold a session token or a signature: some endpoints and proxies quote what they refuse.
fn quotes_a_request(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    MARKS_OF_A_REQUEST.iter().any(|mark| text.contains(mark))
}

/// EC2 answered with an error code.
fn answered(code: &str, message: &str, status: u16) -> Failed {
    let code = without_origin(code);
    let kind = kind_of(code, message, status);
    let message =
        if QUOTE_THE_REQUEST.contains(&code) { "the signature of the request does not hold" } else { message };
    failed(kind, code, message)
}

/// Something answered that does not speak as the service does: a proxy, a load balancer, another service.
fn without_code(status: u16) -> Failed {
    let kind = if status == TOO_MANY_REQUESTS { FailedKind::Throttled } else { FailedKind::Unclear };
    failed(kind, "BadAnswer", &format!("HTTP status {status} without an error code"))
}

fn timeout<E: Error + 'static>(error: &SdkError<E>) -> Failed {
    failed(FailedKind::Unclear, "Timeout", &chain(error))
}

/// Nothing was sent. Whoever has no credentials, or unusable ones, has none the next time either; only a provider that
/// did not answer in time may come back.
fn no_credentials<E: Error + 'static>(error: &SdkError<E>) -> Failed {
    if let Some(not_assumed) = causes(error).find_map(|cause| cause.downcast_ref::<NotAssumed>()) {
        return failed(not_assumed.failed.kind, roles::CODE, &not_assumed.to_string());
    }
    match credentials_error(error) {
        Some(CredentialsError::ProviderTimedOut(_)) => failed(FailedKind::Unclear, NO_CREDENTIALS, &chain(error)),
        // The SDK names every place where there are none, in six lines.
        Some(CredentialsError::CredentialsNotLoaded(_)) => {
            failed(FailedKind::Denied, NO_CREDENTIALS, "no credentials were found")
        }
        _ => failed(FailedKind::Denied, NO_CREDENTIALS, &chain(error)),
    }
}

/// Why a call was not sent: `None` where it was, or where that took too long, `Some(None)` where there were no credentials.
pub(super) fn not_dispatched<E>(error: &SdkError<E>) -> Option<Option<Causes>>
where
    E: Error + 'static,
{
    match error {
        SdkError::DispatchFailure(_) if credentials_error(error).is_some() => Some(None),
        SdkError::DispatchFailure(failure) if !failure.is_timeout() => {
            let io = causes(error).find_map(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind);
            Some(Some(Causes { text: chain(error), io }))
        }
        _ => None,
    }
}

fn credentials_error<E: Error + 'static>(error: &SdkError<E>) -> Option<&CredentialsError> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// What is wrong with an answer that did not come whole, without the SDK's words around it.
fn not_whole<E: Error + 'static>(error: &SdkError<E>) -> Option<String> {
    causes(error).find_map(|cause| cause.downcast_ref::<NotWhole>()).map(ToString::to_string)
}

/// Codes whose messages quote the request as it was signed, session token and all, in whatever form.
const QUOTE_THE_REQUEST: &[&str] =
    &["IncompleteSignature", "InvalidSignatureException", "MissingAuthenticationToken", "SignatureDoesNotMatch"];

/// What stands around the credentials of a request that was signed by Signature Version 4, in small letters.
const MARKS_OF_A_REQUEST: &[&str] = &[
    "authorization:",
    "aws4-hmac-sha256",
    "credential=",
    "signature=",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
];

const TOO_MANY_REQUESTS: u16 = 429;
/// EC2's longest code, `SnapshotCreationPerVolumeRateExceeded`, has 37.
const CODE_CHARACTERS_MAX: usize = 100;
/// Enough for EC2's sentences; the encoded part of an `UnauthorizedOperation` has 2,000 more, which would fill an
/// answer of 200 KB with a hundred failures.
const MESSAGE_CHARACTERS_MAX: usize = 500;
/// How deep an error's causes are followed. The SDK nests about six.
const CAUSES_MAX: usize = 12;

/// The causes of an error, outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source()).take(CAUSES_MAX)
}

/// Why a call failed, in the words of its causes and without any of their Debug output: that holds requests and
/// headers. The SDK's own word for the failure ("dispatch failure") says less than the code next to it.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let words = causes(error).skip(1).map(ToString::to_string).filter(|words| !words.contains(DEBUG_OF_A_REQUEST));
    let words: Vec<String> = words.map(|words| without_password(&words)).collect();
    if words.is_empty() { error.to_string() } else { words.join(": ") }
}

/// What the SDK writes into the words themselves when `AWS_ENDPOINT_URL` is no URL (aws-smithy-runtime,
/// `apply_endpoint`), beside the whole of that variable.
const DEBUG_OF_A_REQUEST: &str = "Request {";

/// The words without what stands before the host of a URL, `user:password@`.
pub(super) fn without_password(words: &str) -> String {
    let mut told = String::with_capacity(words.len());
    for (index, part) in words.split("://").enumerate() {
        if index > 0 {
            told.push_str("://");
        }
        let url = part.split([' ', '"', '`']).next().unwrap_or_default();
        let host_from = if index > 0 { url.rfind('@').map_or(0, |at| at + 1) } else { 0 };
        told.push_str(part.get(host_from..).unwrap_or_default());
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::error::{BoxError, ConnectorError};
    use aws_sdk_ec2::operation::create_snapshot::CreateSnapshotError;
    use std::time::Duration;

    #[track_caller]
    fn check_unanswered(error: SdkError<CreateSnapshotError>, kind: FailedKind, code: &str) {
        let failed = of(&error);
        assert_eq!((failed.kind, failed.code.as_str()), (kind, code), "{}", failed.message);
    }

    #[test]
    fn a_call_without_an_answer_is_unclear_unless_it_surely_was_not_sent() {
        let cause = || BoxError::from("the cause");
        let unsent = |error: CredentialsError| SdkError::dispatch_failure(ConnectorError::other(error.into(), None));
        let connector = |error: ConnectorError| SdkError::dispatch_failure(error);
        check_unanswered(connector(ConnectorError::timeout(cause())), FailedKind::Unclear, "Timeout");
        check_unanswered(connector(ConnectorError::io(cause())), FailedKind::Unclear, "NoConnection");
        check_unanswered(connector(ConnectorError::other(cause(), None)), FailedKind::Unclear, "NoConnection");
        check_unanswered(SdkError::timeout_error(cause()), FailedKind::Unclear, "Timeout");
        check_unanswered(SdkError::construction_failure(cause()), FailedKind::Refused, "NotSent");
        check_unanswered(unsent(CredentialsError::not_loaded("none")), FailedKind::Denied, "NoCredentials");
        check_unanswered(unsent(CredentialsError::invalid_configuration("loop")), FailedKind::Denied, "NoCredentials");
        check_unanswered(unsent(CredentialsError::provider_error("sts")), FailedKind::Denied, "NoCredentials");
        let late = CredentialsError::provider_timed_out(Duration::from_secs(1));
        check_unanswered(unsent(late), FailedKind::Unclear, "NoCredentials");
    }

    #[track_caller]
    fn check(codes: &[&str], status: u16, expected: FailedKind) {
        for code in codes {
            assert_eq!(answered(code, "", status).kind, expected, "{code} with status {status}");
        }
    }

    #[test]
    fn every_code_has_its_meaning() {
        check(&["UnauthorizedOperation", "AuthFailure", "OptInRequired"], 403, FailedKind::Denied);
        check(&["InvalidClientTokenId", "UnrecognizedClientException"], 400, FailedKind::Denied);
        check(&["RequestExpired", "ExpiredToken", "ExpiredTokenException"], 400, FailedKind::Expired);
        check(&["RequestLimitExceeded", "Client.RequestLimitExceeded", "Throttling"], 503, FailedKind::Throttled);
        check(&["RequestLimitExceeded", "ThrottlingException", "TooManyRequestsException"], 400, FailedKind::Throttled);
        check(&["EC2ThrottledException", "SlowDown"], 503, FailedKind::Throttled);
        check(&["InternalError", "Server.InternalError", "InternalFailure"], 500, FailedKind::Unclear);
        check(&["Unavailable", "ServiceUnavailable"], 503, FailedKind::Unclear);
        check(&["RequestTimeout", "RetryableError"], 400, FailedKind::Unclear);
        check(&["SomethingNew"], 500, FailedKind::Unclear);
        check(&["SomethingNew"], 400, FailedKind::Refused);
        check(&["InvalidVolume.NotFound", "IncorrectState", "InvalidSnapshot.InUse"], 400, FailedKind::Refused);
        check(&["SnapshotCreationPerVolumeRateExceeded", "ConcurrentSnapshotLimitExceeded"], 400, FailedKind::TooSoon);
        check(&["PendingSnapshotLimitExceeded"], 400, FailedKind::TooManyPending);
        check(&["SnapshotLimitExceeded"], 400, FailedKind::AccountFull);
        check(&["InvalidParameterValue", "FilterLimitExceeded"], 400, FailedKind::Refused);
        // What is the matter with one snapshot or instance. EC2's documentation does not name the code of a snapshot
        // that is locked: whichever it is, it is one of a 4xx answer that no table holds.
        check(&["InvalidSnapshot.InUse", "SnapshotLocked", "OperationNotPermitted"], 400, FailedKind::Refused);
        check(&["InvalidInstanceID.NotFound", "UnsupportedOperation", "TagLimitExceeded"], 400, FailedKind::Refused);
    }

    /// Source: shared/wire/errors/27.
    #[test]
    fn a_key_that_may_not_be_used_is_that_keys_fault_and_no_other_is() {
        let of_a_key = "Not authorized to use key arn:aws:kms:us-east-1:111122223333:key/0 ";
        assert_eq!(answered("AuthFailure", of_a_key, 403).kind, FailedKind::Refused);
        let of_the_caller = "AWS was not able to validate the provided access credentials";
        assert_eq!(answered("AuthFailure", of_the_caller, 401).kind, FailedKind::Denied);
        assert_eq!(answered("UnauthorizedOperation", of_a_key, 403).kind, FailedKind::Denied);
    }

    /// Sources: shared/wire/errors/17 and 09.
    #[test]
    fn an_expired_session_and_a_clock_that_is_off_are_told_apart() {
        let told = |message| ObserveError::of("DescribeVolumes", answered("RequestExpired", message, 400)).to_string();
        assert_eq!(
            told("Request has expired."),
            "DescribeVolumes failed with RequestExpired: Request has expired.; sign in again, or this machine's clock is off"
        );
        assert_eq!(
            told("Request has expired. Timestamp date is 2011-03-26T23:22:53Z"),
            "DescribeVolumes failed with RequestExpired: Request has expired. Timestamp date is 2011-03-26T23:22:53Z; this \
             machine's clock is off: set it"
        );
    }

    #[test]
    fn an_answer_without_a_code_proves_nothing() {
        for status in [400, 403, 502, 503, 504] {
            assert_eq!(without_code(status).kind, FailedKind::Unclear, "{status}");
        }
        assert_eq!(without_code(429).kind, FailedKind::Throttled);
        assert_eq!(without_code(502).message, "HTTP status 502 without an error code");
    }

    #[test]
    fn a_failure_of_a_listing_has_one_of_the_names_of_the_state_machine() {
        let name = |kind| ObserveError::of("DescribeVolumes", failed(kind, "Code", "message")).name();
        assert_eq!(name(FailedKind::Denied), "AccessDenied");
        assert_eq!(name(FailedKind::Expired), "AccessDenied");
        assert_eq!(name(FailedKind::Throttled), "Throttled");
        assert_eq!(name(FailedKind::Unclear), "Unavailable");
        assert_eq!(name(FailedKind::Refused), "Unavailable");
    }

    #[test]
    fn the_words_say_what_is_wrong_and_what_to_do() {
        let denied = answered("UnauthorizedOperation", "You are not authorized to perform this operation.", 403);
        insta::assert_snapshot!(ObserveError::of("DescribeVolumes", denied), @"DescribeVolumes failed with UnauthorizedOperation: You are not authorized to perform this operation.; expected valid credentials of a role that is allowed ec2:DescribeVolumes");
    }

    #[test]
    fn a_message_stays_on_one_bounded_line() {
        let forged = answered("Evil\nCode", "first\r\n{\"level\":\"INFO\"}\u{2028}\u{1b}[31m", 400);
        assert_eq!(forged.code, "Evil\\nCode");
        assert_eq!(forged.message, "first\\r\\n{\"level\":\"INFO\"}\\u{2028}\\u{1b}[31m");
        let long = answered("X", &"é".repeat(10_000), 400).message;
        assert_eq!(long, format!("{}...", "é".repeat(MESSAGE_CHARACTERS_MAX)));
    }

    #[test]
    fn a_url_is_told_without_its_password() {
        let told = "no way to http://host:1/a from `https://host`, user:x@y stays";
        let held = "no way to http://user:pass/w@rd@host:1/a from `https://:@@host`, user:x@y stays";
        assert_eq!((without_password(told), without_password(held)), (told.to_owned(), told.to_owned()));
    }

    #[test]
    fn a_message_that_quotes_the_signed_request_is_not_passed_on() {
        for code in QUOTE_THE_REQUEST {
            let failed = answered(code, "The canonical string should have been x-amz-security-token:SECRET", 403);
            assert!(!failed.message.contains("SECRET"), "{code}");
            assert_eq!(failed.kind, FailedKind::Denied);
        }
        let quoted =
            answered("AuthFailure", "refused: Authorization: AWS4-HMAC-SHA256 Credential=A/B, Signature=C", 401);
        assert_eq!((quoted.kind, quoted.code.as_str()), (FailedKind::Denied, "AuthFailure"));
        assert_eq!(quoted.message, "the answer quotes the signed request, it is not told");
        let token = answered("X-Amz-Security-Token=SECRET", "", 400);
        assert_eq!(token.code, "BadAnswer");
        let plain = "You are not authorized to perform this operation. Encoded authorization failure message: abc";
        assert_eq!(answered("UnauthorizedOperation", plain, 403).message, plain);
    }
}
