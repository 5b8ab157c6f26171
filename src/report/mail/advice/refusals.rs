//! EC2's refusals: the codes of aws/failure/codes.rs.

use super::{Advice, Weight, of_ec2, ours};

pub(super) const ADVICE: &[(&[&str], Advice)] = &[
    (
        &["SnapshotLimitExceeded"],
        ours(
            Weight::Backup,
            "The account has as many snapshots in the Region as it may have.",
            "Delete snapshots that nobody needs, or ask for more (Service Quotas, EBS, snapshots per Region).",
        ),
    ),
    (
        &["PendingSnapshotLimitExceeded"],
        of_ec2(
            Weight::Backup,
            "To the end of the run the account had as many pending snapshots as EC2 allows.",
            "Ask AWS to allow more, or let schedules start at different times.",
        ),
    ),
    (
        &["ConcurrentSnapshotLimitExceeded", "SnapshotCreationPerVolumeRateExceeded"],
        of_ec2(
            Weight::Backup,
            "EC2 takes only so many snapshots of one volume at a time.",
            "Another tool makes snapshots of the same volume. Start one of them at another time.",
        ),
    ),
    (
        &[
            "AccessDeniedException",
            "AuthFailure",
            "Blocked",
            "IncompleteSignature",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "MissingAuthenticationToken",
            "NoCredentials",
            "OptInRequired",
            "PendingVerification",
            "SignatureDoesNotMatch",
            "UnauthorizedOperation",
            "UnrecognizedClientException",
        ],
        of_ec2(
            Weight::Unknown,
            "EC2 does not let the function's role do this.",
            "Compare the role with template.yaml, the key's policy with docs/permissions.md, and look for a policy of your organization \
             (SCP) that denies the call. aws sts decode-authorization-message reads the encoded part.",
        ),
    ),
    (
        &["RoleNotAssumed"],
        ours(
            Weight::Backup,
            "The role of a target could not be assumed.",
            "Its trust policy has to name the function's role and the external id, and the parameter TargetRoleArns the role.",
        ),
    ),
    (
        &["ExpiredToken", "ExpiredTokenException", "RequestExpired"],
        ours(
            Weight::Unknown,
            "The credentials have expired, or the clock of the machine is off.",
            "In Lambda this mends itself: run the policy now. Elsewhere renew the session and set the clock.",
        ),
    ),
    (
        &[
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
        ],
        of_ec2(
            Weight::Passing,
            "EC2 had too many calls of the account.",
            "Run the policy now, when less is going on in the account.",
        ),
    ),
    (
        &[
            "BadAnswer",
            "InternalError",
            "InternalFailure",
            "InternalServerError",
            "NoConnection",
            "RequestTimeout",
            "RequestTimeoutException",
            "RetryableError",
            "ServiceUnavailable",
            "Timeout",
        ],
        of_ec2(
            Weight::Passing,
            "EC2 did not answer, or failed inside.",
            "Run the policy now. If it stays, see the AWS Health Dashboard.",
        ),
    ),
    (
        &["OperationNotPermitted"],
        of_ec2(
            Weight::Unknown,
            "EC2 does not permit it in the state that the resource is in; a snapshot that cannot be deleted is locked, as a rule.",
            "If the lock is meant, tag the snapshot opendlm:hold, and no run tries again. If not, unlock it.",
        ),
    ),
    (
        &["InvalidSnapshot.InUse"],
        of_ec2(
            Weight::Unknown,
            "Something uses the snapshot, as a rule an AMI.",
            "Deregister the AMI if nobody needs it; or tag the snapshot opendlm:hold, and no run tries again.",
        ),
    ),
    (
        &["InvalidVolume.NotFound", "InvalidInstanceID.NotFound"],
        of_ec2(
            Weight::Unknown,
            "It was deleted while the run was at work.",
            "Nothing, if that is so: the next run does not see it any more.",
        ),
    ),
    (
        &["NotOurs"],
        ours(
            Weight::CleanUp,
            "Just before its deletion the snapshot turned out not to be opendlm's.",
            "Report it: the plan should have seen that. Nothing was deleted.",
        ),
    ),
    (
        &["IncorrectState", "NotSent"],
        of_ec2(
            Weight::Unknown,
            "It is in a state in which EC2 does not do this.",
            "Look at it in EC2. The next start tries again; for a backup at once, run the policy now.",
        ),
    ),
];
