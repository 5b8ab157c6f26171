//! Did a snapshot stay as long as its copies need it?

use super::{Look, WINDOW, copies, promised, serves};
use crate::sim::ec2::{Copied, Ec2};
use crate::sim::judge::{SKEW_MAX, truth};
use crate::sim::life::Record;
use jiff::{SignedDuration, Timestamp};

/// How long a snapshot stays for a copy that is under way: the issue gives no bound, the longest that anybody has reported is days.
pub(super) const UNDER_WAY_FOR_MAX: SignedDuration = SignedDuration::from_hours(24 * 7);

/// What is wrong with the deletion of a snapshot, for its copies; `None` when nothing is. Of a duplicate no copy is wanted.
#[must_use]
pub fn fault(ec2: &Ec2, look: Look<'_>, (gone, is_duplicate): (&Record, bool), at: Timestamp) -> Option<String> {
    if truth::has_failed(gone, at) {
        return None;
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
