//! JSON to [`Policy`], or all that is wrong with it at once, each with its JSON path.
//!
//! Everything in Amazon DLM's schema is understood and checked, whether opendlm carries it out or not. The tables are
//! in `shape`; the other rooms read one object each, with `node` and `object` as their tools. What the tables cannot
//! say, the rules between fields, carries the number that `reference/dlm.md` 1.13 gives it: V1 to V18.
//!
//! Promise: no document makes this panic, the findings do not depend on the order of the document's keys, and every
//! list of findings is bounded.

mod amount;
mod archive;
mod copy;
mod create_rule;
mod default_policy;
mod details;
mod envelope;
mod event;
mod fast_restore;
mod hint;
mod kind;
mod node;
mod notes;
mod object;
mod pattern;
mod schedule;
mod script;
mod shape;
mod share;
mod shown;
mod spacing;
mod tags;
#[cfg(test)]
mod tests;

use super::Policy;
pub(crate) use hint::nearest as nearest_key;
use kind::Kinds;
use node::{Context, Field, Node};
use notes::Notes;
use serde_json::Value;
pub(crate) use shown::shown;
use std::cell::RefCell;

/// What reading a document gave: what was wrong, what is not built yet, what was understood differently, and the
/// value when the first two lists are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading<T> {
    /// The value, present exactly when `errors` and `not_supported` are empty.
    pub value: Option<T>,
    /// What makes the document wrong, whoever reads it.
    pub errors: Vec<Finding>,
    /// What is right by DLM's rules but not carried out by opendlm yet.
    pub not_supported: Vec<Finding>,
    /// What was ignored or understood differently.
    pub warnings: Vec<Finding>,
}

/// Something to tell about one place of a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where: a JSON path such as `PolicyDetails.Schedules[1].RetainRule`.
    pub path: String,
    /// What is wrong and what was expected, lower case, no full stop.
    pub message: String,
}

/// Whether a policy needs its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdRule {
    /// It may be absent: the document is only checked.
    Optional,
    /// It must be there: snapshots will carry it.
    Required,
}

/// Reads a policy that stands at `path` (`""` for the root of the document).
#[must_use]
pub fn policy(value: &Value, path: &str, id: IdRule) -> Reading<Policy> {
    let context = Context { kinds: Kinds::of(value), notes: RefCell::new(Notes::default()) };
    let root = Node::new(&context, path.to_owned(), Some(value));
    let policy = match root.object(&shape::ENVELOPE, |object| envelope::read(object, id)) {
        Field::Absent => root.expected("an object").given(),
        field => field.given(),
    };
    context.notes.into_inner().into_reading(path, policy)
}
