//! The copies of a simulated account: which rules its policy has, how people change those, and what they do in the Regions.

use super::ec2::{Abroad, Copied, Ec2, Faults, There};
use super::life::{Record, Span};
use super::random::Random;
use super::shape::Shape;
use crate::place::Region;
use crate::plan::due::saturating_add;
use crate::policy::{Age, AgeUnit, CopyRule, KeyArn, Policy, Tag};
use crate::tags::{self, stamp::STAMP};
use jiff::{SignedDuration, Timestamp};
use std::num::NonZeroU32;

const HOME: &str = "us-east-1";
/// The Regions that copies go to: `CopyRegions` of the stack.
const OTHERS: [&str; 2] = ["eu-west-2", "eu-central-1"];
/// The longest age of a copy, so that all is as the policy says within two weeks.
const DAYS_MAX: u64 = 5;
/// So soon somebody has to copy a copy that all of its tags fit: within half an hour of its call.
const FITS_WITHIN: SignedDuration = SignedDuration::from_mins(29);
/// So late they fit no more, whatever clocks say.
const FITS_NOT_AFTER: SignedDuration = SignedDuration::from_mins(32);

/// From this seed on policies copy their snapshots.
pub const FIRST_SEED: u64 = 1_000_000;

/// How long a year with copies lasts, in days. A turn there sees three Regions and costs ten times as much as one without copies, and
/// nothing of copies needs longer: so more accounts are seen in the same time.
pub const DAYS: i64 = 120;

/// Whether the policy of a seed copies its snapshots.
#[must_use]
pub fn has_copies(seed: u64) -> bool {
    seed >= FIRST_SEED
}

/// What the account of a seed is called in reports.
#[must_use]
pub fn name(seed: u64) -> String {
    let name = Shape::of_seed(seed).name();
    if has_copies(seed) { format!("{name}, with copies") } else { name.to_owned() }
}

/// The other Regions of an account, with chance of their own.
#[must_use]
pub fn abroad(seed: u64) -> Abroad {
    Abroad::new(region(HOME), others(), Random::new(seed.wrapping_mul(0x9e6c_63d0_876a_9a69) ^ 0x5bd1_e995))
}

/// The Regions that copies go to.
pub fn others() -> impl Iterator<Item = Region> {
    OTHERS.iter().map(|name| region(name))
}

fn region(name: &str) -> Region {
    Region::parse(name).expect("a Region of AWS")
}

/// The policy with one or two rules for each schedule.
#[must_use]
pub fn with_rules(mut policy: Policy, random: &mut Random) -> Policy {
    for schedule in &mut policy.schedules {
        schedule.copies = (0..=random.below(2)).map(|at| rule(usize::try_from(at).unwrap_or(0), random)).collect();
    }
    policy
}

fn rule(at: usize, random: &mut Random) -> CopyRule {
    let region = region(OTHERS.get(at).copied().unwrap_or(HOME));
    let encrypted = random.happens(5_000);
    let arn = format!("arn:aws:kms:{region}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab");
    let key = if encrypted && random.happens(5_000) { KeyArn::parse(&arn) } else { None };
    CopyRule { region, retain: age(random), encrypted, copy_tags: random.happens(5_000), key }
}

/// A few days, or for ever.
fn age(random: &mut Random) -> Option<Age> {
    let days = NonZeroU32::new(u32::try_from(1 + random.below(DAYS_MAX)).unwrap_or(1));
    if random.happens(500) { None } else { days.map(|interval| Age { interval, unit: AgeUnit::Days }) }
}

/// Somebody changes a rule, takes one off, or adds one.
#[must_use]
pub fn edited(mut policy: Policy, random: &mut Random) -> Policy {
    let place = random.index(policy.schedules.len());
    let Some(schedule) = place.and_then(|at| policy.schedules.get_mut(at)) else { return policy };
    let copies = &mut schedule.copies;
    let of = random.index(copies.len());
    match (random.below(4), of) {
        (0, Some(of)) => {
            copies.remove(of);
        }
        (1, Some(of)) => {
            if let Some(rule) = copies.get_mut(of) {
                rule.retain = age(random);
            }
        }
        _ => {
            let added = rule(random.index(OTHERS.len()).unwrap_or(0), random);
            copies.retain(|other| other.region != added.region);
            copies.push(added);
        }
    }
    policy
}

/// How much goes wrong in each Region from now on.
pub fn season(abroad: &mut Abroad) {
    let Abroad { regions, random, .. } = abroad;
    for there in regions.values_mut() {
        let mut rate = |rates: [u64; 3]| random.index(3).and_then(|at| rates.get(at)).copied().unwrap_or(0);
        there.faults = Faults {
            lag: rate([0, 2_000, 8_000]),
            lost_answer: rate([0, 200, 2_000]),
            failure: rate([0, 200, 2_000]),
            throttled: rate([0, 500, 3_000]),
            list_failure: rate([0, 100, 1_000]),
            cut_short: rate([0, 50, 300]),
            error: rate([0, 200, 2_000]),
            hangs: rate([0, 0, 100]),
            off_clock: rate([0, 0, 50]),
            ..Faults::NONE
        };
    }
}

/// Nothing goes wrong any more, and nothing stands against deletions but what somebody has written.
pub fn calm(abroad: &mut Abroad) {
    for there in abroad.regions.values_mut() {
        there.faults = Faults::NONE;
        (there.dark, there.denied, there.key_off, there.taken) = (None, None, None, None);
        there.copies.iter_mut().for_each(|copy| (copy.record.locked, copy.record.imaged) = (None, None));
    }
}

/// Something that happens to copies, or to a Region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// A copy goes to the archive tier.
    Archive,
    /// Somebody copies a copy in its Region, tags and description and all.
    Clone,
    /// Somebody copies a copy to another Region, or back, tags and description and all.
    CloneElsewhere,
    /// The Region does not answer for hours or days.
    Dark,
    /// Somebody deletes a copy.
    Delete,
    /// The role may not look there for some hours.
    Denied,
    /// Somebody edits a tag of a copy, or takes one off.
    Edit,
    /// A copy is held for some days.
    Hold,
    /// The key may not be used for hours or days.
    KeyOff,
    /// A copy is locked for some days.
    Lock,
    /// Others have copies under way for some hours: few places are left, or none.
    Taken,
}

const HAPPENINGS: [Happening; 11] = [
    Happening::Archive,
    Happening::Clone,
    Happening::CloneElsewhere,
    Happening::Dark,
    Happening::Delete,
    Happening::Denied,
    Happening::Edit,
    Happening::Hold,
    Happening::KeyOff,
    Happening::Lock,
    Happening::Taken,
];

/// Does something by chance, and says what and where.
pub fn happen(ec2: &mut Ec2, now: Timestamp) -> Option<(Happening, Region)> {
    let abroad = ec2.abroad.as_mut()?;
    let random = &mut abroad.random;
    let happening = random.index(HAPPENINGS.len()).and_then(|at| HAPPENINGS.get(at)).copied()?;
    let at = random.index(abroad.regions.len())?;
    let region = abroad.regions.keys().nth(at)?.clone();
    let hours = |random: &mut Random, most: i64| Span {
        from: now,
        until: saturating_add(now, random.seconds(60, most * 3_600)),
    };
    let there = abroad.regions.get_mut(&region)?;
    match happening {
        Happening::Archive => some_copy(there, random, now, |copy| copy.record.archived = Some(now)),
        Happening::Clone | Happening::CloneElsewhere => clone_some(ec2, &region, happening, now),
        Happening::Dark => there.dark = Some(hours(random, 40)),
        Happening::Delete => some_copy(there, random, now, |copy| {
            copy.record.removed = Some((now, super::life::Remover::User));
        }),
        Happening::Denied => there.denied = Some(hours(random, 12)),
        Happening::Edit => {
            let number = random.below(6);
            some_copy(there, random, now, |copy| edit(&mut copy.record, number, now));
        }
        Happening::Hold => {
            let span = hours(random, 240);
            some_copy(there, random, now, |copy| copy.record.held = Some(span));
        }
        Happening::KeyOff => there.key_off = Some((hours(random, 60), random.happens(5_000))),
        Happening::Lock => {
            let span = hours(random, 240);
            some_copy(there, random, now, |copy| copy.record.locked = Some(span));
        }
        Happening::Taken => {
            let taken = 17 + random.index(4).unwrap_or(0);
            there.taken = Some((hours(random, 12), taken));
        }
    }
    Some((happening, region))
}

/// A complete copy of ours, if there is any.
fn some_copy(there: &mut There, random: &mut Random, now: Timestamp, change: impl FnOnce(&mut Copied)) {
    let is_there = |copy: &&mut Copied| copy.record.is_ours && copy.record.is_good(now);
    let mut copies: Vec<&mut Copied> = there.copies.iter_mut().filter(is_there).collect();
    if let Some(copy) = random.index(copies.len()).and_then(|at| copies.get_mut(at)) {
        change(copy);
    }
}

/// Another value of a tag of ours, or none.
fn edit(record: &mut Record, number: u64, now: Timestamp) {
    let key = [tags::SCHEDULED_TIME, tags::EXPIRATION_TIME, STAMP, tags::COPIED_FROM, tags::VOLUME_ID, tags::POLICY_ID];
    let key = usize::try_from(number).ok().and_then(|at| key.get(at)).copied().unwrap_or(STAMP);
    let is_taken_off = number >= 2;
    let edited = |tag: &Tag| match tag.key == key {
        true if is_taken_off => None,
        true => Some(Tag { value: "2099-01-01T00:00:00Z".to_owned(), ..tag.clone() }),
        false => Some(tag.clone()),
    };
    let tags: Vec<Tag> = record.tags.iter().filter_map(edited).collect();
    if tags != record.tags {
        record.edit(tags, now);
    }
}

/// Somebody copies a copy by hand with all that it carries: in its Region, to the other one, or back home.
fn clone_some(ec2: &mut Ec2, region: &Region, happening: Happening, now: Timestamp) {
    let id = ec2.new_id();
    let Some(abroad) = &mut ec2.abroad else { return };
    let random = &mut abroad.random;
    let Some(there) = abroad.regions.get(region) else { return };
    let copies: Vec<&Copied> =
        there.copies.iter().filter(|copy| copy.record.is_ours && copy.record.is_good(now)).collect();
    // The newest one, whose tags may still fit, as often as any.
    let newest = copies.iter().max_by_key(|copy| copy.record.snapshot.start_time);
    let any = random.index(copies.len()).and_then(|at| copies.get(at));
    let Some(&copy) = (if random.happens(5_000) { newest } else { any }) else { return };
    let Some(mut snapshot) = copy.record.seen(now) else { return };
    (snapshot.id, snapshot.start_time, snapshot.marks.hold) = (id, now, None);
    // What somebody edited fits nowhere; one that EC2 began off its clock has the tags of its call.
    let is_edited = copy.record.edited.is_some() && copy.record.off_clock.is_none();
    let called = copy.record.snapshot.start_time;
    let age = now.duration_since(called);
    if FITS_WITHIN <= age && age < FITS_NOT_AFTER {
        return;
    }
    let fits = happening == Happening::Clone && age < FITS_WITHIN && !is_edited;
    let ends_at = saturating_add(now, SignedDuration::from_mins(1));
    let record = Record::new(snapshot, copy.record.tags.clone(), u64::MAX, ends_at);
    let record = Record { is_ours: fits, maker: copy.record.maker.clone(), ..record };
    let copied = Copied { record, of: copy.of.clone(), is_clone: true };
    let to_home = random.happens(5_000);
    match happening {
        Happening::CloneElsewhere if to_home => ec2.records.push(copied.record),
        Happening::CloneElsewhere => {
            let other = abroad.regions.iter_mut().find(|(other, _)| *other != region);
            if let Some((_, other)) = other {
                other.copies.push(copied);
            }
        }
        _ => {
            if let Some(there) = abroad.regions.get_mut(region) {
                there.copies.push(copied);
            }
        }
    }
}
