//! What fails for the whole run and not for one resource: the account's limit of snapshots, and an expired session.
//!
//! Promise: however many calls met it, it is remembered and told once.

use super::progress::{Failure, Progress};
use super::subject::Subject;
use crate::action::{Action, Failed, FailedKind, Outcome};
use crate::plan::{Plan, TargetVerdict};

/// In how many turns a session is tried that EC2 has called expired: one that somebody renews meanwhile goes on.
const SESSION_ATTEMPTS_MAX: u32 = 3;

/// What a failure of this kind is about, if it is about the whole run.
fn subject(kind: FailedKind) -> Option<Subject> {
    match kind {
        FailedKind::AccountFull => Some(Subject::Account),
        FailedKind::Expired => Some(Subject::Session),
        FailedKind::Denied
        | FailedKind::Refused
        | FailedKind::Throttled
        | FailedKind::TooManyPending
        | FailedKind::TooSoon
        | FailedKind::Unclear => None,
    }
}

/// Whether a failure of this kind is about the whole run.
pub(super) fn is_run_wide(kind: FailedKind) -> bool {
    subject(kind).is_some()
}

/// Whether a remembered failure is about the whole run.
pub(super) fn is_of_run(failure: &Failure) -> bool {
    failure.subject.is_run_wide()
}

/// Remembers what met the whole run in a turn, and forgets what another call has shown to be over.
pub(super) fn note<'d>(progress: &mut Progress, done: impl Iterator<Item = &'d (Action, Outcome)> + Clone) {
    let met = |kind| {
        done.clone().find_map(|(action, outcome)| match outcome {
            Outcome::Failed(failed) if failed.kind == kind => Some((action.api().name(), failed)),
            Outcome::Changed(_) | Outcome::Created(_) | Outcome::Deleted | Outcome::Failed(_) | Outcome::NotStarted => {
                None
            }
        })
    };
    let worked = |creations_only: bool| {
        done.clone().any(|(action, outcome)| {
            (action.is_creation() || !creations_only) && matches!(outcome, Outcome::Created(_) | Outcome::Deleted)
        })
    };
    for (kind, creations_only) in [(FailedKind::AccountFull, true), (FailedKind::Expired, false)] {
        let Some(subject) = subject(kind) else { continue };
        match met(kind) {
            Some((action, failed)) => progress.remember_run_wide(action, subject, &told(failed)),
            None if worked(creations_only) => progress.forget_failure(&subject),
            None => {}
        }
    }
}

/// The failure with what to do about it. That comes first: what EC2 says is cut.
fn told(failed: &Failed) -> Failed {
    let message = match failed.cure() {
        Some(cure) => format!("{cure}; EC2 says: {}", failed.message),
        None => failed.message.clone(),
    };
    Failed { message, ..failed.clone() }
}

/// Whether a run-wide failure still matters in the light of a plan: the limit as long as something is to be made, the session
/// as long as anything is to be done, which `is_open` says.
pub(super) fn matters(failure: &Failure, plan: &Plan<'_>, is_open: bool) -> bool {
    if failure.subject == Subject::Account {
        plan.targets.iter().any(|decision| matches!(decision.verdict, TargetVerdict::Create { .. }))
    } else {
        is_open
    }
}

impl Progress {
    /// Whether the account had no room for another snapshot when one was last tried: one creation a turn finds out whether
    /// there is some by now.
    #[must_use]
    pub fn is_account_full(&self) -> bool {
        self.run_wide(&Subject::Account).is_some()
    }

    /// Whether the run makes nothing more after the start window, for a reason that is not that of one resource.
    pub(super) fn is_stopped(&self) -> bool {
        self.is_account_full() || self.is_session_over()
    }

    /// Whether EC2 has called the session expired so often that nobody renews it.
    pub(super) fn is_session_over(&self) -> bool {
        self.run_wide(&Subject::Session).is_some_and(|failure| failure.attempts >= SESSION_ATTEMPTS_MAX)
    }

    /// Whether something fails for the whole run, which tells why nothing came of a target.
    #[must_use]
    pub fn is_hindered(&self) -> bool {
        self.failures.iter().any(is_of_run)
    }

    fn run_wide(&self, subject: &Subject) -> Option<&Failure> {
        self.failures.iter().find(|failure| failure.subject == *subject)
    }
}

#[cfg(test)]
mod tests;
