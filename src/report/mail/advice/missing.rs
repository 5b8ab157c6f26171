//! What stops a run, or what it finds missing: the codes of report/failures.rs.

use super::{Advice, Weight, ours};

pub(super) const ADVICE: &[(&[&str], Advice)] = &[
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
];
