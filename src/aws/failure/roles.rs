//! Why a role of a target's account could not be assumed.

use super::codes::{kind, without_origin};
use super::{causes, chain, failed};
use crate::action::{Failed, FailedKind};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::error::{ConnectorError, ErrorMetadata};

/// STS gave no credentials of a role.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.text())]
pub(in crate::aws) struct NotAssumed {
    /// The ARN of the role.
    pub(in crate::aws) role: String,
    /// What STS said, or what stood in the way to it.
    pub(in crate::aws) failed: Failed,
}

/// What a failure of a call means that was not made because there are no credentials of a role.
pub(super) const CODE: &str = "RoleNotAssumed";

impl NotAssumed {
    /// What to do comes first: what STS says may be long, and messages are cut.
    fn text(&self) -> String {
        let Self { role, failed: Failed { kind, code, message } } = self;
        let advice = match kind {
            FailedKind::Denied => {
                ": its trust policy has to name the function's role and the external id of Options, and the function's role \
                 has to be allowed sts:AssumeRole on it (parameter TargetRoleArns)"
            }
            FailedKind::Expired => ": the function's own session is not taken any more",
            FailedKind::Throttled => ": STS has too many calls",
            FailedKind::AccountFull
            | FailedKind::Refused
            | FailedKind::TooManyPending
            | FailedKind::TooSoon
            | FailedKind::Unclear => ": STS does not answer",
        };
        format!("role {role} cannot be assumed{advice}; {code}: {message}")
    }
}

/// What an error of the SDK's AssumeRole provider means. Whoever STS refuses it refuses the next time too, whatever its code.
pub(in crate::aws) fn of_assume_role(error: &CredentialsError) -> Failed {
    let answered = causes(error).find_map(|cause| cause.downcast_ref::<ErrorMetadata>());
    if let Some(metadata) = answered {
        let message = metadata.message().unwrap_or_default();
        let Some(code) = metadata.code().map(without_origin) else {
            return failed(FailedKind::Unclear, "BadAnswer", &chain(error));
        };
        let kind = match kind(code, BAD_REQUEST) {
            FailedKind::AccountFull | FailedKind::Refused | FailedKind::TooManyPending | FailedKind::TooSoon => {
                FailedKind::Denied
            }
            kind @ (FailedKind::Denied | FailedKind::Expired | FailedKind::Throttled | FailedKind::Unclear) => kind,
        };
        return failed(kind, code, message);
    }
    // Our own credentials, with which STS would have been asked.
    let own = causes(error).skip(1).find_map(|cause| cause.downcast_ref::<CredentialsError>());
    let is_late = matches!(own, Some(CredentialsError::ProviderTimedOut(_)));
    let is_out_of_reach = causes(error).any(|cause| cause.is::<ConnectorError>());
    match own {
        // The SDK names every place where there are none, in six lines.
        Some(CredentialsError::CredentialsNotLoaded(_)) => {
            failed(FailedKind::Denied, "NoCredentials", "no credentials were found")
        }
        Some(_) if !is_late => failed(FailedKind::Denied, "NoCredentials", &chain(error)),
        None if !is_out_of_reach => failed(FailedKind::Denied, "NotAssumed", &chain(error)),
        Some(_) | None => failed(FailedKind::Unclear, "NoConnection", &chain(error)),
    }
}

/// The status of an answer that the table is asked for without: it then decides by the code alone.
const BAD_REQUEST: u16 = 400;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::failure;
    use aws_sdk_ec2::error::{BoxError, SdkError};
    use aws_sdk_ec2::operation::describe_volumes::DescribeVolumesError;

    const ROLE: &str = "arn:aws:iam::111122223333:role/opendlm-target";

    /// The failure of a call for which these credentials were missing.
    fn of(error: CredentialsError) -> Failed {
        let not_assumed = NotAssumed { role: ROLE.to_owned(), failed: of_assume_role(&error) };
        let missing = CredentialsError::provider_error(not_assumed);
        let connector = ConnectorError::other(missing.into(), None);
        failure::of(&SdkError::<DescribeVolumesError>::dispatch_failure(connector))
    }

    fn answered(code: &str) -> CredentialsError {
        CredentialsError::provider_error(ErrorMetadata::builder().code(code).message("STS's own words").build())
    }

    #[track_caller]
    fn check(error: CredentialsError, expected: FailedKind) {
        let failed = of(error);
        assert_eq!((failed.kind, failed.code.as_str()), (expected, CODE), "{}", failed.message);
        assert!(failed.message.starts_with(&format!("role {ROLE} cannot be assumed: ")), "{}", failed.message);
    }

    #[test]
    fn whom_sts_refuses_it_refuses_again_and_the_rest_may_pass() {
        for code in ["AccessDenied", "ValidationError", "RegionDisabledException", "SomethingNew"] {
            check(answered(code), FailedKind::Denied);
        }
        check(answered("ExpiredToken"), FailedKind::Expired);
        check(answered("Throttling"), FailedKind::Throttled);
        check(answered("ServiceUnavailable"), FailedKind::Unclear);
        let without_code = ErrorMetadata::builder().message("a proxy's page").build();
        check(CredentialsError::provider_error(without_code), FailedKind::Unclear);
        let unreachable = ConnectorError::io(BoxError::from("connection refused"));
        check(CredentialsError::provider_error(unreachable), FailedKind::Unclear);
        let own = |error: CredentialsError| ConnectorError::other(error.into(), None);
        check(CredentialsError::provider_error(own(CredentialsError::not_loaded("none"))), FailedKind::Denied);
        let late = CredentialsError::provider_timed_out(std::time::Duration::from_secs(5));
        check(CredentialsError::provider_error(own(late)), FailedKind::Unclear);
        check(CredentialsError::provider_error("malformed"), FailedKind::Denied);
    }

    #[test]
    fn the_message_names_the_role_and_what_to_do_before_sts_has_its_say() {
        let long =
            ErrorMetadata::builder().code("AccessDenied").message("User: x is not authorized ".repeat(100)).build();
        let message = of(CredentialsError::provider_error(long)).message;
        let expected = format!(
            "role {ROLE} cannot be assumed: its trust policy has to name the function's role and the external id of Options, \
             and the function's role has to be allowed sts:AssumeRole on it (parameter TargetRoleArns); AccessDenied: User: x \
             is not authorized"
        );
        assert!(message.starts_with(&expected), "{message}");
    }
}
