//! What a turn answers, and the four names under which one that cannot go on fails.

use crate::event::Event;
use crate::report::{self, Report};
use crate::turn::{Conclusion, Status};
use serde::Serialize;
use serde_json::Value;

/// The answer of a turn (design.md 4.2).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Answer {
    /// `WAITING` or `DONE`.
    pub status: &'static str,
    /// After how many seconds to call again; 0 when done.
    pub wait_seconds: u32,
    /// The event of the next turn.
    pub next: Value,
    /// What happened so far.
    pub report: Report,
}

impl Answer {
    /// The answer to `event` after a turn.
    #[must_use]
    pub fn new(event: &Event, conclusion: &Conclusion, report: Report) -> Self {
        let (status, wait_seconds) = match conclusion.status {
            Status::Done(_) => ("DONE", 0),
            Status::Waiting { seconds } => ("WAITING", seconds),
        };
        Self { status, wait_seconds, next: event.next(&conclusion.progress), report }
    }
}

/// Why a turn cannot go on. The variant's name is the error that Step Functions sees.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// The role may not do what the policy needs. Another try will not help.
    #[error("{0}")]
    AccessDenied(String),
    /// The event is not one that opendlm can carry out. Another try will not help.
    #[error("{0}")]
    PolicyInvalid(String),
    /// EC2 has too many calls. Another try will help.
    #[error("{0}")]
    Throttled(String),
    /// EC2 cannot be reached or does not answer as expected. Another try may help.
    #[error("{0}")]
    Unavailable(String),
}

impl TurnError {
    /// The stable name that `Retry` and `Catch` match.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::AccessDenied(_) => "AccessDenied",
            Self::PolicyInvalid(_) => "PolicyInvalid",
            Self::Throttled(_) => "Throttled",
            Self::Unavailable(_) => "Unavailable",
        }
    }

    /// The name and the whole message.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}: {}", self.name(), report::chain(self))
    }
}
