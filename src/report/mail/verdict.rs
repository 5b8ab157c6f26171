//! What a run that failed means for the backups, and whether anybody has to do something now.

use crate::report::mail::advice::{Weight, advice};
use crate::report::{FailureReport, Report};

/// What a failed run comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A backup that was due is not there, or nobody can tell.
    BackupsMissing,
    /// Nothing is missing; something is to be cleaned up by somebody.
    CleanUp,
    /// Nothing is missing; what failed is tried again by itself.
    Passing,
    /// Nothing is missing now; an earlier time was, and cannot be made up for.
    MissedEarlier,
    /// Nothing is missing; what would be deleted waits until somebody agrees.
    WaitsForConsent,
}

/// A word of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// What is wrong now, with the cure.
    Doctor,
    /// What a run would do now.
    Plan,
    /// The last runs.
    Runs,
    /// A run now.
    Start,
}

impl Verdict {
    /// The verdict of a finished run. When in doubt backups are missing.
    pub(super) fn of(report: &Report) -> Self {
        let weights: Vec<Weight> = report.failures.iter().map(weight).collect();
        let all = |wanted: Weight| !weights.is_empty() && weights.iter().all(|weight| *weight == wanted);
        let is_missing = report.counts.not_created > 0
            || report.stopped > 0
            || weights.is_empty()
            || hides_more_than_deletions(report)
            || weights.contains(&Weight::Backup)
            || report.targets.iter().any(|target| target.outcome == "FAILED");
        if is_missing {
            return Self::BackupsMissing;
        }
        if weights.contains(&Weight::Earlier) {
            // Where this run had nothing to make, the next time is still to come.
            return if all(Weight::Earlier) && has_made(report) { Self::MissedEarlier } else { Self::BackupsMissing };
        }
        if all(Weight::Consent) {
            Self::WaitsForConsent
        } else if all(Weight::Passing) && !hides_failures(report) {
            Self::Passing
        } else {
            Self::CleanUp
        }
    }

    /// The middle of the subject.
    pub(super) fn headline(self, report: &Report) -> String {
        match self {
            Self::BackupsMissing => match report.counts.not_created {
                0 => "BACKUPS MISSING".to_owned(),
                1 => "1 BACKUP MISSING".to_owned(),
                number => format!("{number} BACKUPS MISSING"),
            },
            Self::CleanUp => format!("only clean-up failed ({})", report.failed),
            Self::Passing => "nothing to do, it is tried again".to_owned(),
            Self::MissedEarlier => "nothing to do now, one time was missed".to_owned(),
            Self::WaitsForConsent => "no hurry, deletions wait for your consent".to_owned(),
        }
    }

    /// The words of the command line that help, in the order in which somebody needs them. Only a missing backup asks for a run now.
    pub(super) fn words(self) -> &'static [Word] {
        match self {
            Self::BackupsMissing => &[Word::Start, Word::Doctor, Word::Runs],
            Self::CleanUp | Self::MissedEarlier => &[Word::Doctor, Word::Runs],
            Self::Passing => &[Word::Runs],
            Self::WaitsForConsent => &[Word::Plan, Word::Runs],
        }
    }

    /// The first lines of the text.
    pub(super) fn explained(self, report: &Report) -> String {
        match self {
            Self::BackupsMissing => missing(report),
            Self::CleanUp => "No due backup is missing. Only clean-up failed: old snapshots stay and cost money until \
                              somebody looks. It can wait until the morning."
                .to_owned(),
            Self::Passing => {
                "No due backup is missing, and nobody has to do anything: the next run deletes what this one \
                              could not."
                    .to_owned()
            }
            Self::MissedEarlier => {
                "Nobody has to do anything now: what was due in this run is complete. But an earlier \
                                    time has no backup, and none can be made for it any more."
                    .to_owned()
            }
            Self::WaitsForConsent => {
                "No due backup is missing, and there is no hurry: opendlm would delete more than it \
                                      may, keeps the snapshots, and waits for your consent."
                    .to_owned()
            }
        }
    }
}

fn missing(report: &Report) -> String {
    let mut sentences = Vec::new();
    match report.counts.not_created {
        0 => {}
        1 => sentences.push("1 backup that was due is not there or not complete".to_owned()),
        number => sentences.push(format!("{number} backups that were due are not there or not complete")),
    }
    match report.stopped {
        0 => {}
        1 => sentences.push("1 volume has no backup as new as the policy asks for".to_owned()),
        number => sentences.push(format!("{number} volumes have no backup as new as the policy asks for")),
    }
    let failed = report.targets.iter().filter(|target| target.outcome == "FAILED").count();
    if failed > 0 {
        sentences.push(format!("in {failed} of {} targets the run could not go on", report.targets.len()));
    }
    if sentences.is_empty() {
        return "BACKUPS ARE MISSING, or nobody can tell whether they are there. What failed says why.".to_owned();
    }
    format!("BACKUPS ARE MISSING: {}.", sentences.join("; "))
}

/// Whether a report counts more failures than it names.
fn hides_failures(report: &Report) -> bool {
    u64::try_from(report.failures.len()).is_ok_and(|told| told < report.failed)
}

/// Whether a report counts more failures than it names which are no deletions of one snapshot: one of them may be a backup.
fn hides_more_than_deletions(report: &Report) -> bool {
    let told = report.failures.iter().filter(|failure| !failure.is_of_one_deletion()).count();
    let others = report.failed.saturating_sub(report.counts.not_deleted);
    u64::try_from(told).is_ok_and(|told| told < others)
}

/// How much one failure matters.
fn weight(failure: &FailureReport) -> Weight {
    match advice(&failure.code).weight {
        Weight::Passing if failure.is_of_one_deletion() => Weight::Passing,
        _ if failure.is_of_one_deletion() => Weight::CleanUp,
        Weight::Passing | Weight::Unknown => Weight::Backup,
        weight @ (Weight::Backup | Weight::CleanUp | Weight::Consent | Weight::Earlier) => weight,
    }
}

/// Whether the run found what was due in it complete.
fn has_made(report: &Report) -> bool {
    report.volumes.get("exists: Exists").is_some_and(|count| *count > 0)
}
