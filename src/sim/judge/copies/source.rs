//! Did a snapshot stay as long as its copies need it?

use super::{Look, WINDOW, copies, promised, serves};
use crate::place::Region;
use crate::sim::ec2::{Copied, Ec2};
use crate::sim::judge::{SKEW_MAX, truth};
use crate::sim::life::Record;
use crate::world::SnapshotId;
use jiff::{SignedDuration, Timestamp};

/// How long a snapshot stays for a copy that is under way: the issue gives no bound, the longest that anybody has reported is days.
pub(super) const UNDER_WAY_FOR_MAX: SignedDuration = SignedDuration::from_hours(24 * 7);

/// What is wrong with the deletion of a snapshot, for its copies; `None` when nothing is. Of a duplicate no copy is wanted.
#[must_use]
pub fn fault(ec2: &Ec2, look: Look<'_>, (gone, is_duplicate): (&Record, bool), at: Timestamp) -> Option<String> {
    if truth::has_failed(gone, at) {
        return None;
    }
    if let Some(member) = waiting_member(ec2, gone, at).filter(|_| !is_duplicate) {
        return Some(format!("{} was deleted, but {member} of its set waits for its copy", gone.snapshot.id));
    }
    promised(gone).into_keys().find_map(|region| {
        let wrong = |why: &str| Some(format!("{} was deleted, but its copy in {region} {why}", gone.snapshot.id));
        let of_it = || copies(ec2, &region).iter().filter(|copy| copy.of.snapshot.id == gone.snapshot.id);
        let is_done = |copy: &Copied| {
            let record = &copy.record;
            let is_there = look.abroad.get(&region).is_some_and(|&seen| record.exists(truth::firm_since(seen)));
            record.is_ours && record.is_complete(at) && (record.removed.is_none() || is_there)
        };
        let mut all = copies(ec2, &region).iter();
        if all.any(|copy| serves(copy, gone) && is_done(copy)) {
            return None;
        }
        let is_shown = |copy: &Copied| {
            let began = copy.record.snapshot.start_time;
            let is_shown = look.abroad.get(&region).is_some_and(|&seen| began < truth::firm_since(seen));
            let is_pending = copy.record.exists(at) && at < copy.record.ends_at;
            copy.record.is_ours
                && copy.record.edited.is_none()
                && is_shown
                && is_pending
                && at + SKEW_MAX < began + UNDER_WAY_FOR_MAX
        };
        if of_it().any(is_shown) {
            return wrong("is under way");
        }
        let is_in_time = at + SKEW_MAX < gone.ends_at + WINDOW;
        if is_in_time && !is_duplicate { wrong("is wanted") } else { None }
    })
}

/// Another member of its set that waits for its copy: nobody copies what is left of a set.
fn waiting_member(ec2: &Ec2, gone: &Record, at: Timestamp) -> Option<SnapshotId> {
    let is_untouched = |member: &Record| {
        member.is_ours && member.removed.is_none() && member.is_good(at) && !member.is_torn && member.edited.is_none()
    };
    let others = ec2
        .records
        .iter()
        .filter(|member| member.call == gone.call && member.snapshot.id != gone.snapshot.id && is_untouched(member));
    let waits = |member: &&Record| {
        let lacks = |region: &Region| {
            let is_done = |copy: &Copied| serves(copy, member) && copy.record.is_ours && copy.record.is_complete(at);
            !copies(ec2, region).iter().any(is_done)
        };
        at + SKEW_MAX < member.ends_at + WINDOW && promised(member).keys().any(lacks)
    };
    if gone.is_torn || gone.edited.is_some() { None } else { others.into_iter().find(waits).map(|m| m.snapshot.id) }
}
