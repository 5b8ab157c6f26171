//! The table of EC2's error codes, and what each one means for the next turn.

use crate::action::FailedKind;

/// What an error means. EC2 calls it `AuthFailure` too when one key may not be used, which is no fault of the credentials
/// (shared/wire/errors/27).
pub(super) fn kind_of(code: &str, message: &str, status: u16) -> FailedKind {
    if code == AUTH_FAILURE && message.contains(OF_A_KEY) { FailedKind::Refused } else { kind(code, status) }
}

/// What an error code means. Every unknown code of a 4xx answer is a refusal for this resource.
pub(super) fn kind(code: &str, status: u16) -> FailedKind {
    if ACCOUNT_FULL.contains(&code) {
        FailedKind::AccountFull
    } else if DENIED.contains(&code) {
        FailedKind::Denied
    } else if EXPIRED.contains(&code) {
        FailedKind::Expired
    } else if THROTTLED.contains(&code) {
        FailedKind::Throttled
    } else if TOO_MANY_PENDING.contains(&code) {
        FailedKind::TooManyPending
    } else if TOO_SOON.contains(&code) {
        FailedKind::TooSoon
    } else if UNCLEAR.contains(&code) || status >= INTERNAL_SERVER_ERROR {
        FailedKind::Unclear
    } else {
        FailedKind::Refused
    }
}

/// Whether a code says that EC2 had too many calls.
pub(in crate::aws) fn is_throttle(code: &str) -> bool {
    THROTTLED.contains(&without_origin(code))
}

/// The code alone: EC2's error reference also writes `Client.RequestLimitExceeded` and `Server.InternalError`.
pub(super) fn without_origin(code: &str) -> &str {
    code.strip_prefix("Client.").or_else(|| code.strip_prefix("Server.")).unwrap_or(code)
}

const AUTH_FAILURE: &str = "AuthFailure";
const OF_A_KEY: &str = "Not authorized to use key";

/// The Region has as many snapshots of the account as may be (EBS user guide, "Quotas for Amazon EBS": 100,000, and more for
/// who asks). No answer with it was ever seen.
const ACCOUNT_FULL: &[&str] = &["SnapshotLimitExceeded"];

/// The account, the role or the credentials stand in the way (EC2 API reference, "Common client error codes"; the
/// names of the other AWS protocols, because endpoints and proxies answer with them too).
const DENIED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    AUTH_FAILURE,
    "Blocked",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "OptInRequired",
    "PendingVerification",
    "SignatureDoesNotMatch",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
];

/// EC2 says `RequestExpired` of a session that is over and of a clock that is off (shared/wire/errors/09 and 17); the other
/// AWS protocols have names of their own for the first.
const EXPIRED: &[&str] = &["ExpiredToken", "ExpiredTokenException", "RequestExpired"];

/// Too many calls: EC2's `RequestLimitExceeded`, and what the SDK takes for throttling (aws-runtime,
/// `THROTTLING_ERRORS`) as far as it can come from EC2.
const THROTTLED: &[&str] = &[
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
    "TooManyRequestsException",
];

/// As many snapshots of the account are pending in the Region as may be (EC2 API reference, "Client error codes"). How
/// many that are is documented nowhere.
const TOO_MANY_PENDING: &[&str] = &["PendingSnapshotLimitExceeded"];

/// Another snapshot of the same volume was begun less than 15 s ago, or as many as a volume may have are under way (EBS
/// user guide, "Snapshot quotas": five, one for st1 and sc1).
const TOO_SOON: &[&str] = &["ConcurrentSnapshotLimitExceeded", "SnapshotCreationPerVolumeRateExceeded"];

/// EC2 lost its way, perhaps after it had done the work (EC2 API reference, "Server error codes"). With them all codes
/// of 5xx answers.
const UNCLEAR: &[&str] = &[
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "RequestTimeout",
    "RequestTimeoutException",
    "RetryableError",
    "ServiceUnavailable",
    "Unavailable",
];

const INTERNAL_SERVER_ERROR: u16 = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_stands_in_two_tables() {
        let mut codes: Vec<&str> =
            [ACCOUNT_FULL, DENIED, EXPIRED, THROTTLED, TOO_MANY_PENDING, TOO_SOON, UNCLEAR].concat();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }

    #[test]
    fn a_throttle_is_told_with_and_without_its_origin() {
        assert!(is_throttle("RequestLimitExceeded") && is_throttle("Client.RequestLimitExceeded"));
        assert!(!is_throttle("PendingSnapshotLimitExceeded") && !is_throttle("InternalError"));
    }
}
