//! `opendlm:stamp`: what a snapshot was made by, and a digest that tells whether anybody has edited our tags since.
//!
//! Everyone who may call CreateTags can change a tag, copy all tags of one snapshot onto another, or remove some. So our
//! tags are believed whole or not at all: the digest is over all of them but the hold, and EC2's own start time, which nobody
//! can change, must fit the time of the call. It is no secret: it catches edits, not forgers. The volume is not part of it,
//! because one call tags all volumes of an instance alike.
//!
//! The value, as in `1 d=8c2f9a61d0b7e345 t=2026-11-22T17:00:05.214Z k=7+- n=3 r=2026-11-20T08:00:00Z now`: the version, the
//! digest, the time of the call to the millisecond (it tells two calls apart), the count in force of each schedule that the snapshot is for (`-` by age), how many members
//! its set was planned with, the revision of the policy, and whether it was made by `Options.RunNow`.

use super::{
    ALSO, COPIED_FROM, COPIES, EXPIRATION_TIME, INSTANCE_ID, Mark, POLICY_ID, SCHEDULE_NAME, SCHEDULED_TIME, VOLUME_ID,
    written,
};
use crate::policy::{CopyRule, ScheduleName, Tag, fnv1a};
use jiff::Timestamp;
use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::sync::Arc;

/// The key.
pub const STAMP: &str = "opendlm:stamp";

/// EC2's limit of characters in a tag value (EC2 user guide, "Tag restrictions").
pub(crate) const VALUE_CHARACTERS_MAX: usize = 256;

/// What stands between two names in [`ALSO`] and between two counts: no schedule's name holds it.
const SEPARATOR: char = '+';

/// What the stamp of a snapshot says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Whether the digest fits our tags as they are now.
    pub is_intact: bool,
    /// When the call was planned that made the snapshot, by the function's clock.
    pub called: Timestamp,
    /// The count in force when the snapshot was made, for each schedule that it is for, in the order of the names; `None` for
    /// one that keeps by age.
    pub counts: Vec<Option<NonZeroU32>>,
    /// How many snapshots the call was to make; `None` for one of a volume by itself.
    pub members: Option<u32>,
    /// The revision of the policy that made it.
    pub revision: Option<Timestamp>,
    /// Whether `Options.RunNow` asked for it.
    pub is_run_now: bool,
}

/// Our tags as they stand on a snapshot, in the order of the digest.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Raw<'t> {
    values: [Option<&'t str>; KEYS.len()],
    stamp: Option<&'t str>,
}

/// What the digest is over, beside the rest of the stamp.
const KEYS: [&str; 15] = [
    POLICY_ID,
    SCHEDULE_NAME,
    ALSO[0],
    ALSO[1],
    SCHEDULED_TIME,
    EXPIRATION_TIME,
    INSTANCE_ID,
    COPIES[0],
    COPIES[1],
    COPIES[2],
    COPIES[3],
    COPIES[4],
    COPIES[5],
    COPIED_FROM,
    VOLUME_ID,
];

impl<'t> Raw<'t> {
    /// Takes note of a tag; what is no tag of ours is passed over.
    pub(super) fn note(&mut self, key: &str, value: &'t str) {
        if key == STAMP {
            self.stamp = Some(value);
        } else if let Some(place) = KEYS.iter().position(|known| *known == key)
            && let Some(known) = self.values.get_mut(place)
        {
            *known = Some(value);
        }
    }

    /// The text of the stamp, if there is one.
    pub(super) fn stamp(&self) -> Option<&'t str> {
        self.stamp
    }

    /// The names in the values of [`ALSO`], in the order in which they were written.
    pub(super) fn also(&self, share: &mut impl FnMut(&str) -> Arc<str>) -> Mark<Vec<ScheduleName>> {
        self.list(&ALSO, |name| ScheduleName::parse_sharing(name, &mut *share).ok())
    }

    /// The copies in the values of [`COPIES`].
    pub(super) fn copies(&self) -> Mark<Vec<CopyRule>> {
        self.list(&COPIES, CopyRule::parse)
    }

    /// What the values of these keys list, each entry read by `read`.
    fn list<T: Clone>(&self, keys: &[&str], mut read: impl FnMut(&str) -> Option<T>) -> Mark<Vec<T>> {
        let values = KEYS.iter().zip(self.values).filter(|(key, _)| keys.contains(key));
        let mut list = Mark::Absent;
        for text in values.filter_map(|(_, value)| value) {
            let entries = text.split(SEPARATOR).map(&mut read).collect::<Option<Vec<T>>>();
            list = match (list, entries) {
                (Mark::Absent, Some(entries)) => Mark::Read(entries),
                (Mark::Read(known), Some(entries)) => Mark::Read([known, entries].concat()),
                (_, None) | (Mark::Unreadable(_), Some(_)) => Mark::Unreadable(text.to_owned()),
            };
        }
        list
    }

    /// The stamp; `None` where its text has no meaning.
    pub(super) fn read(&self) -> Option<Stamp> {
        let text = self.stamp?;
        let (digest, rest) = text.strip_prefix("1 d=")?.split_once(' ')?;
        let mut stamp = Stamp {
            is_intact: digest == self.digest(rest),
            called: rest.strip_prefix("t=")?.split(' ').next()?.parse().ok()?,
            counts: Vec::new(),
            members: None,
            revision: None,
            is_run_now: false,
        };
        for part in rest.split(' ').skip(1) {
            match part.split_once('=') {
                Some(("k", counts)) => stamp.counts = read_counts(counts)?,
                Some(("n", members)) => stamp.members = Some(members.parse().ok()?),
                Some(("r", revision)) => stamp.revision = Some(revision.parse().ok()?),
                None if part == "now" => stamp.is_run_now = true,
                Some(_) | None => return None,
            }
        }
        (!stamp.counts.is_empty()).then_some(stamp)
    }

    fn digest(&self, rest: &str) -> String {
        let values = KEYS.iter().zip(self.values).filter_map(|(key, value)| Some((*key, value?)));
        let texts = values.flat_map(|(key, value)| [key, "=", value, "\n"]).chain([rest]);
        format!("{:016x}", fnv1a(texts.flat_map(str::bytes)))
    }
}

fn read_counts(text: &str) -> Option<Vec<Option<NonZeroU32>>> {
    let read = |count: &str| if count == "-" { Some(None) } else { count.parse().ok().map(Some) };
    text.split(SEPARATOR).map(read).collect()
}

/// The stamp on a new snapshot that carries these other tags of ours.
pub(crate) fn tag(own: &[Tag], stamp: &Stamp) -> Tag {
    let count = |count: &Option<NonZeroU32>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
    let counts: Vec<String> = stamp.counts.iter().map(count).collect();
    let mut rest = format!("t={} k={}", stamp.called, counts.join(&SEPARATOR.to_string()));
    if let Some(members) = stamp.members {
        let _ = write!(rest, " n={members}");
    }
    if let Some(revision) = stamp.revision {
        let _ = write!(rest, " r={}", written(revision));
    }
    if stamp.is_run_now {
        rest.push_str(" now");
    }
    let mut raw = Raw::default();
    own.iter().for_each(|tag| raw.note(&tag.key, &tag.value));
    Tag { key: STAMP.to_owned(), value: format!("1 d={} {rest}", raw.digest(&rest)) }
}

/// The tags that name the schedules that a snapshot is for beside its owner: as few as hold the names.
///
/// A policy has four schedules, so three names of 120 characters at the most: two in a tag and one.
pub(crate) fn also<'a>(others: impl Iterator<Item = &'a ScheduleName>) -> Vec<Tag> {
    listed(&ALSO, others.map(ScheduleName::to_string))
}

/// The tags that name the copies that a snapshot is to get: as few as hold them.
pub(crate) fn copies(rules: &[CopyRule]) -> Vec<Tag> {
    listed(&COPIES, rules.iter().map(CopyRule::written))
}

/// The entries in tags of these keys, as few as hold them.
fn listed(keys: &[&str], entries: impl Iterator<Item = String>) -> Vec<Tag> {
    let mut tags: Vec<Tag> = Vec::new();
    for entry in entries {
        let room = VALUE_CHARACTERS_MAX.saturating_sub(1 + entry.len());
        match tags.last_mut() {
            Some(last) if last.value.len() <= room => {
                last.value.push(SEPARATOR);
                last.value.push_str(&entry);
            }
            Some(_) | None => {
                let key = keys.get(tags.len()).expect("as many keys as the longest list needs");
                tags.push(Tag { key: (*key).to_owned(), value: entry });
            }
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{at, name};
    use crate::tags::{HOLD, Marks};

    fn own() -> Vec<Tag> {
        let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
        vec![
            tag(POLICY_ID, "policy-0123456789abcdef0"),
            tag(SCHEDULE_NAME, "Daily"),
            tag(ALSO[0], "Weekly+Monthly"),
            tag(SCHEDULED_TIME, "2026-11-22T17:00:00Z"),
            tag(INSTANCE_ID, "i-0a"),
        ]
    }

    fn stamp() -> Stamp {
        Stamp {
            is_intact: true,
            called: at("2026-11-22T17:00:05Z"),
            counts: vec![NonZeroU32::new(7), None, NonZeroU32::new(12)],
            members: Some(3),
            revision: Some(at("2026-11-20T08:00:00Z")),
            is_run_now: true,
        }
    }

    fn read(tags: &[Tag]) -> Marks {
        Marks::read(tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())))
    }

    #[test]
    fn what_is_stamped_is_read_again() {
        let mut tags = own();
        tags.push(tag(&own(), &stamp()));
        assert!(tags.last().is_some_and(|tag| tag.value.len() <= VALUE_CHARACTERS_MAX), "{tags:?}");
        let marks = read(&tags);
        assert_eq!(marks.stamp, Mark::Read(stamp()));
        assert_eq!(marks.also, Mark::Read(vec![name("Weekly"), name("Monthly")]));
        let plain = Stamp { members: None, revision: None, is_run_now: false, counts: vec![None], ..stamp() };
        let tags = [&own()[..2], &[tag(&own()[..2], &plain)]].concat();
        assert_eq!(read(&tags).stamp, Mark::Read(plain));
    }

    #[test]
    fn an_edit_of_any_tag_of_ours_shows_and_a_hold_or_a_tag_of_others_does_not() {
        let tags = [own(), vec![tag(&own(), &stamp())]].concat();
        let is_intact = |tags: &[Tag]| read(tags).stamp.value().is_some_and(|stamp| stamp.is_intact);
        assert!(is_intact(&tags));
        for place in 0..tags.len() - 1 {
            let mut edited = tags.clone();
            edited[place].value.push('1');
            assert!(!is_intact(&edited), "{} edited", edited[place].key);
            let mut removed = tags.clone();
            removed.remove(place);
            assert!(!is_intact(&removed), "{} removed", tags[place].key);
        }
        let others =
            [(HOLD, "x"), ("Name", "db")].map(|(key, value)| Tag { key: key.to_owned(), value: value.to_owned() });
        assert!(is_intact(&[&tags[..], &others].concat()));
        let added = Tag { key: EXPIRATION_TIME.to_owned(), value: "2030-01-01T00:00:00Z".to_owned() };
        assert!(!is_intact(&[&tags[..], &[added]].concat()), "one added");
        let mut stamped = tags;
        if let Some(stamp) = stamped.last_mut() {
            stamp.value = stamp.value.replace("k=7", "k=8");
        }
        assert!(!is_intact(&stamped), "the stamp itself edited");
    }

    #[test]
    fn a_stamp_without_meaning_is_none() {
        for text in [
            "",
            "1",
            "2 d=0 t=2026-11-22T17:00:05Z k=1",
            "1 d=0 t=soon k=1",
            "1 d=0 t=2026-11-22T17:00:05Z",
            "1 d=0 t=2026-11-22T17:00:05Z k=0",
            "1 d=0 t=2026-11-22T17:00:05Z k=1 later",
        ] {
            let tags = [Tag { key: STAMP.to_owned(), value: text.to_owned() }];
            assert_eq!(read(&tags).stamp, Mark::Unreadable(text.to_owned()));
        }
    }

    #[test]
    fn twelve_copies_of_the_longest_kind_find_room() {
        let key = |region: &str| format!("arn:aws-us-gov:kms:{region}:111122223333:key/{}", "a".repeat(40));
        let rule = |number: usize| {
            let region = format!("ap-{}-1", ["northeast", "southeast", "southwest"][number % 3]);
            let written = format!("{region}:36500d:et:aws-us-gov/111122223333/{}", "a".repeat(40));
            let rule = CopyRule::parse(&written).unwrap();
            assert_eq!(rule.key.as_ref().map(ToString::to_string), Some(key(&region)));
            rule
        };
        let rules: Vec<CopyRule> = (0..12).map(rule).collect();
        let tags = copies(&rules);
        assert!(tags.iter().all(|tag| tag.value.len() <= VALUE_CHARACTERS_MAX));
        assert_eq!(read(&tags).copies, Mark::Read(rules));
    }

    #[test]
    fn three_names_of_the_longest_kind_find_room() {
        let long = |first: char| name(&format!("{first}{}", "x".repeat(119)));
        let names = [long('a'), long('b'), long('c')];
        let tags = also(names.iter());
        assert_eq!(tags.iter().map(|tag| tag.key.as_str()).collect::<Vec<_>>(), ALSO);
        assert!(tags.iter().all(|tag| tag.value.len() <= VALUE_CHARACTERS_MAX));
        assert_eq!(read(&tags).also, Mark::Read(names.to_vec()));
        assert_eq!(also([name("Weekly"), name("Monthly")].iter()).len(), 1);
    }
}
