//! What people do to the tags of our snapshots: they edit one, many at once, or copy all of them from one onto others.

use super::ec2::Ec2;
use super::life::Record;
use super::random::Random;
use crate::policy::Tag;
use crate::tags::{self, Marks, stamp::STAMP};
use jiff::{SignedDuration, Timestamp};

/// Something that somebody does to tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tampering {
    /// All tags of one snapshot are copied onto others.
    CopyAll,
    /// One tag of ours is damaged.
    Damage,
    /// One scheduled time is written on many.
    OneTime,
    /// One tag of ours is taken off.
    Remove,
    /// A scheduled time of 2099.
    Year2099,
}

const TAMPERINGS: [Tampering; 5] =
    [Tampering::CopyAll, Tampering::Damage, Tampering::OneTime, Tampering::Remove, Tampering::Year2099];

/// The tags of ours that people edit. Without the policy's id a snapshot is nobody's.
const EDITED: [&str; 4] = [tags::SCHEDULE_NAME, tags::SCHEDULED_TIME, tags::EXPIRATION_TIME, STAMP];

/// How many snapshots a bulk edit reaches at most.
const BULK_MAX: usize = 9;

/// Copied tags say something else only where the other snapshot began much earlier or later: within half an hour its stamp fits.
const APART_MIN: SignedDuration = SignedDuration::from_hours(2);

/// Does something by chance, and says what.
pub fn happen(ec2: &mut Ec2, random: &mut Random, now: Timestamp) -> Tampering {
    let at = random.index(TAMPERINGS.len());
    let tampering = at.and_then(|at| TAMPERINGS.get(at)).copied().unwrap_or(Tampering::Damage);
    let is_there = |record: &&mut Record| record.is_ours && record.is_good(now);
    let mut there: Vec<&mut Record> = ec2.records.iter_mut().filter(is_there).collect();
    let Some(of) = random.index(there.len()) else { return tampering };
    let key = random.index(EDITED.len()).and_then(|at| EDITED.get(at)).copied().unwrap_or(STAMP);
    let mut torn = Vec::new();
    match tampering {
        Tampering::CopyAll => {
            let Some((tags, began)) = there.get(of).map(|from| (from.tags.clone(), from.snapshot.start_time)) else {
                return tampering;
            };
            // They may have been copied there from a third one.
            let marks = Marks::read(tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())));
            let called = marks.stamp.value().map_or(began, |stamp| stamp.called);
            let is_far = |record: &&mut Record| {
                let apart = |from| record.snapshot.start_time.duration_since(from).abs() > APART_MIN;
                apart(began) && apart(called)
            };
            for record in there.into_iter().filter(is_far).take(BULK_MAX) {
                write(record, tags.clone(), now, &mut torn);
            }
        }
        Tampering::OneTime => {
            let time = there.get(of).and_then(|from| value(&from.tags, tags::SCHEDULED_TIME));
            for record in there.into_iter().take(BULK_MAX) {
                let tags = with(&record.tags, tags::SCHEDULED_TIME, time.clone());
                write(record, tags, now, &mut torn);
            }
        }
        Tampering::Damage | Tampering::Remove | Tampering::Year2099 => {
            let Some(record) = there.get_mut(of) else { return tampering };
            let tags = match tampering {
                // Without its stamp it is believed as one of opendlm 0.1: nobody can tell.
                Tampering::Remove if key == STAMP => return tampering,
                Tampering::Remove => with(&record.tags, key, None),
                Tampering::Year2099 => {
                    with(&record.tags, tags::SCHEDULED_TIME, Some("2099-01-01T00:00:00Z".to_owned()))
                }
                Tampering::CopyAll | Tampering::Damage | Tampering::OneTime => {
                    let damaged = value(&record.tags, key).map(|value| format!("{value}x"));
                    with(&record.tags, key, damaged)
                }
            };
            write(record, tags, now, &mut torn);
        }
    }
    // A set of which one member is doubted is not whole any more.
    for member in ec2.records.iter_mut().filter(|member| member.is_ours && torn.contains(&member.call)) {
        member.is_torn = true;
    }
    tampering
}

/// Writes tags on a snapshot, if they are others than it has.
fn write(record: &mut Record, tags: Vec<Tag>, now: Timestamp, torn: &mut Vec<u64>) {
    if tags != record.tags {
        torn.push(record.call);
        record.edit(tags, now);
    }
}

fn value(tags: &[Tag], key: &str) -> Option<String> {
    tags.iter().find(|tag| tag.key == key).map(|tag| tag.value.clone())
}

/// The tags with another value of one, or without it. One that is not there is not added.
fn with(tags: &[Tag], key: &str, value: Option<String>) -> Vec<Tag> {
    let edited = |tag: &Tag| match &value {
        _ if tag.key != key => Some(tag.clone()),
        Some(value) => Some(Tag { value: value.clone(), ..tag.clone() }),
        None => None,
    };
    tags.iter().filter_map(edited).collect()
}
