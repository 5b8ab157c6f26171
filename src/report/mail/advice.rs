//! What each failure means and what to do about it, by its code: ours, EC2's, and what Lambda and Step Functions say.
//!
//! `docs/operations.md` says the same at more length; a test holds that every code stands there.

mod copies;

/// How much a failure matters, where its code says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// A backup is missing, or nobody can tell.
    Backup,
    /// Something stays that is to go, and stays until somebody does something.
    CleanUp,
    /// Deletions wait until somebody agrees.
    Consent,
    /// An earlier scheduled time has no backup and never will.
    Earlier,
    /// It passes by itself: of a deletion nothing is left once the next run has tried again.
    Passing,
    /// The code alone does not say.
    Unknown,
}

/// What is known of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// Who says what a report quotes beside the code.
    speaker: Speaker,
    /// How much it matters.
    pub weight: Weight,
    /// What it means, a sentence.
    pub means: &'static str,
    /// What to do, in one or two sentences.
    pub cure: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaker {
    Ec2,
    Opendlm,
}

impl Advice {
    /// Whose words a report quotes beside the code.
    #[must_use]
    pub fn said_by(&self) -> &'static str {
        match self.speaker {
            Speaker::Ec2 => "EC2 says",
            Speaker::Opendlm => "opendlm says",
        }
    }
}

/// What is known of a code; of any other that EC2 refused the call under that name.
#[must_use]
pub fn advice(code: &str) -> Advice {
    let known = all().find(|(codes, _)| codes.contains(&code)).map(|(_, advice)| *advice);
    known.unwrap_or(UNKNOWN)
}

/// Every code that something is known of.
pub fn codes() -> impl Iterator<Item = &'static str> {
    all().flat_map(|(codes, _)| codes.iter().copied())
}

fn all() -> impl Iterator<Item = &'static (&'static [&'static str], Advice)> {
    ADVICE.iter().chain(copies::ADVICE)
}

const fn ours(weight: Weight, means: &'static str, cure: &'static str) -> Advice {
    Advice { speaker: Speaker::Opendlm, weight, means, cure }
}

const fn of_ec2(weight: Weight, means: &'static str, cure: &'static str) -> Advice {
    Advice { speaker: Speaker::Ec2, weight, means, cure }
}

pub(super) const UNKNOWN: Advice = of_ec2(
    Weight::Unknown,
    "EC2 refused the call.",
    "Its words say why. Mend that in EC2; the next start tries again, and a run now makes a missing backup at once.",
);

const ADVICE: &[(&[&str], Advice)] = &[
    // What stops a run, or what it finds missing: report/failures.rs.
    (
        &["MaximumDeletions"],
        ours(
            Weight::Consent,
            "A run would delete more than it may.",
            "Look at the list (opendlm plan, below). If those snapshots are to go, set Options.MaximumDeletions as said above; if \
             not, mend the policy. Until then they only cost money.",
        ),
    ),
    (
        &["NewerPolicy"],
        ours(
            Weight::CleanUp,
            "This start brought an older version of the policy than the one that made the newest snapshots.",
            "Find out which schedule still has the old version, and replace or delete it.",
        ),
    ),
    (
        &["BackupsStopped"],
        ours(
            Weight::Backup,
            "Backups came before and come no more.",
            "See what earlier runs said (opendlm runs, below). Are the starts at the policy's times? Then run the policy now.",
        ),
    ),
    (
        &["NothingDue"],
        ours(
            Weight::Backup,
            "The start meets no time of the policy, and there is no backup at all.",
            "Compare the starts (opendlm list) with the times in the policy (opendlm next): a start has to come at a scheduled \
             time, or within the start window after it.",
        ),
    ),
    (
        &["NoTargets"],
        ours(
            Weight::Backup,
            "Nothing carries a target tag any more, although what was backed up is still there.",
            "Compare TargetTags with the tags of the volumes or instances. Somebody has changed one or the other.",
        ),
    ),
    (
        &["Missed"],
        ours(
            Weight::Earlier,
            "No run made a backup for a scheduled time, and its start window is over.",
            "Nothing can be made for that time any more. Find out why no run came then: executions that failed, the \
             dead-letter queue, a disabled schedule.",
        ),
    ),
    (
        &["ObservationCutShort"],
        ours(
            Weight::Backup,
            "The run did not see the whole account.",
            "On AWS: start the run again, and report it if it stays. On another endpoint: that one does not list as EC2 does.",
        ),
    ),
    (
        &["NotListed", "NotMade"],
        ours(
            Weight::Backup,
            "EC2 does not list by their tag what the run made, so the run stopped.",
            "This is an endpoint that does not filter by tags as EC2 does. opendlm cannot work with it.",
        ),
    ),
    (
        &["NotVisible"],
        ours(
            Weight::Backup,
            "EC2 shows no snapshot, although a call to make one was accepted or may have been.",
            "Run the policy now. If it stays, ask AWS Support with the request's time.",
        ),
    ),
    (
        &["SnapshotFailed", "SnapshotsFailed"],
        ours(
            Weight::Backup,
            "EC2 began a snapshot and it went to error.",
            "If the words name a key, the key is disabled, or its policy does not let the function's role use it. Mend that \
             and run the policy now. The failed snapshots go by themselves.",
        ),
    ),
    (
        &["SetIncomplete"],
        ours(
            Weight::Backup,
            "An instance's set has fewer snapshots than the instance had volumes: it is no backup of the whole instance.",
            "Look in CloudTrail for a DeleteSnapshot; where there is none, a volume was detached meanwhile. What is left stays, \
             and can be restored volume by volume. The next scheduled run makes a whole set.",
        ),
    ),
    (
        &["SnapshotsInDoubt"],
        ours(
            Weight::Backup,
            "Two snapshots of one scheduled time are in doubt: EC2 began them at another time than their stamp says, or somebody \
             edited their tags.",
            "Compare the function's clock with EC2's start time, and look in CloudTrail for CreateTags. Both snapshots stay and can \
             be restored; no rule counts them.",
        ),
    ),
    (
        &["StillPending"],
        ours(
            Weight::Backup,
            "A snapshot is still not complete after more than 40 hours.",
            "Look at it in EC2. It counts as soon as it is complete; if it never is, ask AWS Support.",
        ),
    ),
    (
        &["NoVolumeLeft"],
        ours(
            Weight::Backup,
            "The policy leaves out every volume of the instance.",
            "Change ExcludeBootVolume or ExcludeDataVolumeTags, or take the target tag off the instance.",
        ),
    ),
    (
        &["TooManyExclusions"],
        ours(
            Weight::Backup,
            "The policy leaves out more volumes of the instance than EC2 takes in one call.",
            "Take the tags of ExcludeDataVolumeTags off some volumes, or target volumes in place of instances.",
        ),
    ),
    (
        &["NoReport"],
        ours(
            Weight::Backup,
            "The run for a target ended without a word.",
            "Look at its execution in the Map Run of this one.",
        ),
    ),
    // How a run fails altogether: the four names of the function, and what Lambda and Step Functions say.
    (
        &["AccessDenied"],
        ours(
            Weight::Backup,
            "The function's role, or the role of a target, may not do what the run needs.",
            "The words name the call. Give the role the rights of template.yaml (or target-role.yaml), and look for a policy \
             of your organization that denies it. Then run the policy now.",
        ),
    ),
    (
        &["PolicyInvalid"],
        ours(
            Weight::Backup,
            "The event that starts the run cannot be carried out. No backup is made until it is corrected.",
            "Correct what the words name in the policy's file (opendlm check FILE tells all of it), and put it again: opendlm \
             put FILE.",
        ),
    ),
    (
        &["Throttled"],
        ours(
            Weight::Backup,
            "EC2 had too many calls of the account for 25 minutes.",
            "Find out which tool calls EC2 so often (CloudTrail). Lower Options.ApiShare, or start at another time. Then run \
             the policy now.",
        ),
    ),
    (
        &["Unavailable"],
        ours(
            Weight::Backup,
            "EC2 could not be reached, or did not answer as expected, for 25 minutes.",
            "See the AWS Health Dashboard. In a VPC look at the way to the EC2 endpoint. Then run the policy now.",
        ),
    ),
    (
        &["UnexpectedAnswer"],
        ours(
            Weight::Backup,
            "The function answered what the state machine does not know.",
            "Function and state machine are of different versions: deploy the stack again, then run the policy now.",
        ),
    ),
    (
        &[
            "Lambda.AWSLambdaException",
            "Lambda.ClientExecutionTimeoutException",
            "Lambda.SdkClientException",
            "Lambda.ServiceException",
            "Lambda.TooManyRequestsException",
            "Lambda.Unknown",
            "Runtime.ExitError",
            "Sandbox.Timedout",
            "States.Timeout",
        ],
        ours(
            Weight::Backup,
            "Lambda could not run the function to its end, several times on end.",
            "Look at the function's log for a crash or a REPORT line with all memory used: then give it more (MemorySize). \
             TooManyRequests: the account's concurrency is used up by other functions. Then run the policy now.",
        ),
    ),
    // EC2's refusals: aws/failure/codes.rs.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_stands_twice() {
        let mut all: Vec<&str> = codes().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn every_advice_is_a_sentence_about_the_matter_and_one_about_what_to_do() {
        for (codes, advice) in all() {
            for text in [advice.means, advice.cure] {
                assert!(text.ends_with('.') && text.len() < 320 && !text.contains("  "), "{codes:?}: {text}");
            }
        }
    }
}
