//! What the run has begun and EC2's listing may not show yet.
//!
//! A filtered listing may lag for minutes; reads by id do not (live captures: a new snapshot is shown by its id within
//! 0.2 s). So what EC2 answered with an id is asked for by that id wherever the listing does not show it, and counts as
//! seen when EC2 shows it. Where no answer arrived there is no id, and the tags alone tell: then nothing is made again
//! before the settling time is over.

use super::progress::Progress;
use crate::lookup::LookupSet;
use crate::plan::due::saturating_add;
use crate::policy::PolicyId;
use crate::tags::{self, Ownership};
use crate::world::{SnapshotId, World};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// How many creations `Next` remembers, and how many a turn makes at most: EC2 allows 100 calls and 5 a second, so 700 in
/// the two minutes of the settling time. At 30 bytes each they stay under 36 KB. Beyond that the oldest are forgotten:
/// should EC2's listing not show one of them after the settling time, it is made twice, and the second one goes again.
pub const UNSETTLED_MAX: usize = 1_200;

/// How many are remembered between the turns of one invocation, which write no `Next`. A look that goes on beside a turn's calls began
/// before them, so that some turns pass until one tells of all that they made: at 5 a second in up to 200 s each, three of them.
const UNSETTLED_IN_MEMORY_MAX: usize = 4 * UNSETTLED_MAX;

/// The creations of one turn that EC2's listing may not show yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Unsettled {
    /// When the turn's calls had ended.
    pub at: Timestamp,
    /// What was begun, or perhaps was.
    pub subjects: Vec<Begun>,
}

/// A creation that EC2 accepted, or perhaps did.
///
/// In `Next` a text: the hash of what it is about (names are long; two that meet only postpone), the snapshot's id without
/// `snap-` where EC2 answered with one, and a mark where the last look did not find it as ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Begun {
    /// The hash of its subject.
    pub subject: String,
    /// The snapshot, where EC2 answered.
    pub id: Option<SnapshotId>,
    /// What the last look said of it.
    pub seen: Seen,
}

/// What the last look said of a snapshot that the run has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Seen {
    /// Nothing that stands against it: it was not looked for yet, or it is there.
    #[default]
    Fine,
    /// EC2 shows it by its id, without the tags that make it ours.
    NotOurs,
    /// EC2 says that no snapshot has this id. Once it may lag.
    NotFound,
}

impl Begun {
    /// A creation without an answer, by the hash of its subject.
    #[must_use]
    pub fn unanswered(subject: String) -> Self {
        Self { subject, id: None, seen: Seen::Fine }
    }

    /// A snapshot that EC2 began, by the hash of its subject.
    #[must_use]
    pub fn answered(subject: String, id: SnapshotId) -> Self {
        Self { subject, id: Some(id), seen: Seen::Fine }
    }
}

const ID_PREFIX: &str = "snap-";

impl Seen {
    fn mark(self) -> &'static str {
        match self {
            Self::Fine => "",
            Self::NotOurs => "!",
            Self::NotFound => "?",
        }
    }
}

impl fmt::Display for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.subject)?;
        if let Some(id) = self.id {
            write!(f, " {}{}", id.to_string().trim_start_matches(ID_PREFIX), self.seen.mark())?;
        }
        Ok(())
    }
}

impl From<Begun> for String {
    fn from(begun: Begun) -> Self {
        begun.to_string()
    }
}

impl TryFrom<String> for Begun {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let Some((subject, rest)) = text.split_once(' ') else { return Ok(Self::unanswered(text)) };
        let marks = [Seen::NotOurs, Seen::NotFound];
        let seen = marks.into_iter().find(|seen| rest.ends_with(seen.mark())).unwrap_or_default();
        let digits = rest.strip_suffix(seen.mark()).unwrap_or(rest);
        let id = SnapshotId::parse(&format!("{ID_PREFIX}{digits}"));
        let id = id.ok_or_else(|| format!("{digits} is not the id of a snapshot, expected hexadecimal digits"))?;
        Ok(Self { subject: subject.to_owned(), id: Some(id), seen })
    }
}

impl Progress {
    /// The snapshots to ask for by their ids wherever the listing does not show them.
    #[must_use]
    pub fn ids_begun(&self) -> BTreeSet<SnapshotId> {
        let begun = self.unsettled.iter().flat_map(|turn| &turn.subjects).filter_map(|begun| begun.id);
        begun.chain(self.copies.open_sources()).collect()
    }

    /// The hashes of what must not be made again now: what EC2 may not show yet although it was begun, and what it does
    /// not show as it should.
    #[must_use]
    pub fn unsettled_at(&self, now: Timestamp, settling: SignedDuration) -> BTreeSet<&str> {
        let is_open = |turn: &Unsettled, begun: &&Begun| is_recent(turn.at, now, settling) || begun.seen != Seen::Fine;
        let of_turn = |turn| move |begun: &&Begun| is_open(turn, begun);
        let open = self.unsettled.iter().flat_map(|turn| turn.subjects.iter().filter(of_turn(turn)));
        open.map(|begun| begun.subject.as_str()).collect()
    }

    /// Takes in what a look at `now` shows of what the run has begun. A creation is settled, and not remembered any more, when
    /// the settling time is over and the listing shows it. Two looks that do not find its id settle it too: somebody
    /// deleted the snapshot. So does a look that shows it without our tags while the listing shows others of this run.
    pub fn note_look(&mut self, policy: &PolicyId, world: &World, now: Timestamp, settling: SignedDuration) {
        self.hidden = None;
        if self.unsettled.is_empty() {
            return;
        }
        let view = View::of(policy, world);
        let ids = self.unsettled.iter().flat_map(|turn| &turn.subjects).filter_map(|begun| begun.id);
        self.is_listed |= { ids }.any(|id| view.listed.contains(&id));
        let (is_listed, mut hidden) = (self.is_listed, None);
        for turn in &mut self.unsettled {
            let is_over = !is_recent(turn.at, now, settling);
            turn.subjects.retain_mut(|begun| {
                let Some(id) = begun.id else { return !is_over };
                if view.shows_by_id(&id) {
                    begun.seen = if view.ours_by_id.contains(&id) { Seen::Fine } else { Seen::NotOurs };
                    hidden = hidden.or((is_over && !is_listed).then_some(id));
                    !(is_over && is_listed && begun.seen == Seen::NotOurs)
                } else if world.by_id.not_found.contains(&id) {
                    let was_not_found = std::mem::replace(&mut begun.seen, Seen::NotFound) == Seen::NotFound;
                    !(is_over && was_not_found)
                } else {
                    begun.seen = Seen::Fine;
                    !(is_over && view.listed.contains(&id))
                }
            });
        }
        self.unsettled.retain(|turn| !turn.subjects.is_empty());
        self.hidden = hidden.map(|id| id.to_string());
    }

    /// Remembers what EC2 may not list yet; `made` of it counts as created, or perhaps is.
    pub(super) fn remember_unsettled(&mut self, subjects: Vec<Begun>, made: usize, now: Timestamp) {
        self.creations = self.creations.saturating_add(u64::try_from(made).unwrap_or(u64::MAX));
        if !subjects.is_empty() {
            // Not before the calls had ended.
            let at = saturating_add(tags::to_the_second(now), SignedDuration::from_secs(1));
            self.unsettled.push(Unsettled { at, subjects });
        }
        self.forget_oldest(UNSETTLED_IN_MEMORY_MAX);
    }

    /// As `Next` holds it: with the newest of what is unsettled.
    #[must_use]
    pub fn in_next(&self) -> Self {
        let mut next = self.clone();
        next.forget_oldest(UNSETTLED_MAX);
        next
    }

    /// Remembers so many of the newest creations.
    fn forget_oldest(&mut self, remembered_max: usize) {
        let count: usize = self.unsettled.iter().map(|turn| turn.subjects.len()).sum();
        let mut excess = count.saturating_sub(remembered_max);
        for turn in &mut self.unsettled {
            let forgotten = excess.min(turn.subjects.len());
            turn.subjects.drain(..forgotten);
            excess -= forgotten;
        }
        self.unsettled.retain(|turn| !turn.subjects.is_empty());
    }
}

/// What a look shows, for looking up.
struct View<'w> {
    world: &'w World,
    listed: LookupSet<SnapshotId>,
    ours_by_id: LookupSet<SnapshotId>,
}

impl<'w> View<'w> {
    fn of(policy: &PolicyId, world: &'w World) -> Self {
        let (mut listed, mut ours_by_id) = (LookupSet::default(), LookupSet::default());
        for snapshot in &world.snapshots {
            if !world.by_id.shown.contains(&snapshot.id) {
                listed.insert(snapshot.id);
            } else if tags::ownership(policy, snapshot) == Ownership::Ours {
                ours_by_id.insert(snapshot.id);
            }
        }
        Self { world, listed, ours_by_id }
    }

    fn shows_by_id(&self, id: &SnapshotId) -> bool {
        self.world.by_id.shown.contains(id)
    }
}

fn is_recent(at: Timestamp, now: Timestamp, settling: SignedDuration) -> bool {
    now.duration_since(at) < settling
}

#[cfg(test)]
mod tests;
