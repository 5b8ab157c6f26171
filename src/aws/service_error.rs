//! Why a call of Scheduler or of Step Functions came to nothing: what people deploy with is told in one way.

use super::failure::{self, CallFailed};
use crate::action::{Failed, FailedKind};
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use std::error::Error;

/// Why a call came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// Somebody else has made or is changing the same thing.
    #[error("{0}; somebody else is changing it at the same time, try again")]
    Conflict(CallFailed),
    /// The credentials do not allow it, or there are none.
    #[error("{failed}; expected valid credentials that are allowed {service}:{call}", call = .failed.call)]
    Denied {
        /// The service, as IAM calls it.
        service: &'static str,
        /// The call.
        failed: CallFailed,
    },
    /// There is no such schedule, group, machine or execution.
    #[error("{0}")]
    NotFound(CallFailed),
    /// The service does not take what is to be written, by its own words.
    #[error("{0}")]
    Refused(CallFailed),
    /// Everything else.
    #[error("{0}; try again, and if it stays look at AWS_REGION, AWS_ENDPOINT_URL and the way to the endpoint")]
    Unavailable(CallFailed),
}

impl ServiceError {
    /// What the error of a call means; `service` is what IAM calls the service.
    pub(super) fn of<E>(service: &'static str, call: &'static str, error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let Failed { kind, code, message } = failure::of(error);
        let failed = CallFailed { call, code, message };
        match (kind, failed.code.as_str()) {
            (_, "ConflictException") => Self::Conflict(failed),
            (_, "ExecutionDoesNotExist" | "ResourceNotFoundException" | "StateMachineDoesNotExist") => {
                Self::NotFound(failed)
            }
            (FailedKind::Denied | FailedKind::Expired, _) => Self::Denied { service, failed },
            (FailedKind::Refused, _) => Self::Refused(failed),
            (
                FailedKind::AccountFull
                | FailedKind::Throttled
                | FailedKind::TooManyPending
                | FailedKind::TooSoon
                | FailedKind::Unclear,
                _,
            ) => Self::Unavailable(failed),
        }
    }

    /// A list whose pages do not end.
    pub(super) fn endless(call: &'static str) -> Self {
        let message = "the list does not end".to_owned();
        Self::Unavailable(CallFailed { call, code: "TooManyPages".to_owned(), message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sfn::config::http::HttpResponse;
    use aws_sdk_sfn::error::ErrorMetadata;

    fn error(code: &str) -> ServiceError {
        let metadata = ErrorMetadata::builder().code(code).message("no").build();
        let answer = HttpResponse::new(400.try_into().unwrap(), "".into());
        ServiceError::of("states", "StartExecution", &SdkError::service_error(metadata, answer))
    }

    #[test]
    fn an_error_says_what_to_do_where_there_is_something_to_do() {
        for (code, cure) in [
            ("AccessDeniedException", "expected valid credentials that are allowed states:StartExecution"),
            ("ConflictException", "somebody else is changing it at the same time, try again"),
            ("ThrottlingException", "try again, and if it stays look at AWS_REGION"),
        ] {
            let told = error(code).to_string();
            assert!(told.contains(code) && told.contains(cure), "{told}");
        }
    }

    #[test]
    fn what_is_refused_or_not_there_is_told_in_the_words_of_the_service_alone() {
        for code in ["ExecutionDoesNotExist", "ResourceNotFoundException", "StateMachineDoesNotExist"] {
            assert!(matches!(error(code), ServiceError::NotFound(_)), "{code}");
            assert!(error(code).to_string().ends_with(": no"), "{}", error(code));
        }
        assert!(matches!(error("ValidationException"), ServiceError::Refused(_)));
        assert!(error("ValidationException").to_string().ends_with(": no"));
    }
}
