//! How a run fails altogether: the four names of the function, and what Lambda and Step Functions say.

use super::{Advice, Weight, ours};

pub(super) const ADVICE: &[(&[&str], Advice)] = &[
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
];
