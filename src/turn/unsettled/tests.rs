//! What is remembered of what the run has begun, and what looks make of it.

use super::*;
use crate::fixtures::*;
use crate::world::{Snapshot, World};

const NOW: &str = "2026-11-22T17:00:00Z";
/// The settling time of what was begun at `NOW` is over.
const SETTLED: &str = "2026-11-22T17:02:01Z";
const SETTLING: SignedDuration = SignedDuration::from_secs(120);

fn begun(number: u32) -> Begun {
    Begun::answered(format!("{number:08x}"), snapshot(number, 1, NOW).id)
}

fn having(subjects: Vec<Begun>) -> Progress {
    let mut progress = Progress::new(&start(NOW));
    progress.remember_unsettled(subjects, 1, at(NOW));
    progress
}

fn listed(snapshots: impl IntoIterator<Item = Snapshot>) -> World {
    world([volume(1)], snapshots)
}

fn by_id(snapshots: impl IntoIterator<Item = Snapshot>) -> World {
    let mut world = listed(snapshots);
    world.by_id.shown = world.snapshots.iter().map(|snapshot| snapshot.id).collect();
    world
}

fn not_found(numbers: impl IntoIterator<Item = u32>) -> World {
    let mut world = listed([]);
    world.by_id.not_found = numbers.into_iter().map(|number| snapshot(number, 1, NOW).id).collect();
    world
}

/// What is remembered after `looks`, each at its time: the ids, the subjects that are not to be made again, and what is hidden.
#[track_caller]
fn check(looks: &[(&str, &World)], ids: &[u32], blocked: &[&str], hidden: Option<u32>) {
    let mut progress = having(vec![begun(1), begun(2)]);
    let mut last = at(NOW);
    for (time, world) in looks {
        last = at(time);
        progress.note_look(&policy_id(), world, last, SETTLING);
    }
    let ids: BTreeSet<SnapshotId> = ids.iter().map(|&number| snapshot(number, 1, NOW).id).collect();
    assert_eq!(progress.ids_begun(), ids);
    assert_eq!(progress.unsettled_at(last, SETTLING), blocked.iter().copied().collect());
    assert_eq!(progress.hidden, hidden.map(|number| snapshot(number, 1, NOW).id.to_string()));
}

const BOTH: [&str; 2] = ["00000001", "00000002"];

#[test]
fn until_the_settling_time_is_over_nothing_is_made_again_whatever_a_look_shows() {
    let both = || [snapshot(1, 1, NOW), snapshot(2, 1, NOW)];
    for world in [listed(both()), by_id(both()), not_found([1, 2]), listed([])] {
        check(&[(NOW, &world), (NOW, &world), (NOW, &world)], &[1, 2], &BOTH, None);
    }
}

#[test]
fn what_a_listing_shows_after_the_settling_time_is_forgotten() {
    let both = listed([snapshot(1, 1, NOW), snapshot(2, 1, NOW)]);
    check(&[(SETTLED, &both)], &[], &[], None);
}

#[test]
fn what_is_seen_by_id_alone_is_asked_for_as_long_as_the_run_lives() {
    let mut one_of_each = listed([snapshot(1, 1, NOW), snapshot(2, 1, NOW)]);
    one_of_each.by_id.shown = [snapshot(2, 1, NOW).id].into();
    check(&[(SETTLED, &one_of_each), (SETTLED, &one_of_each)], &[2], &[], None);
}

#[test]
fn when_no_listing_shows_any_of_the_run_the_endpoint_does_not_filter() {
    let both = by_id([snapshot(1, 1, NOW), snapshot(2, 1, NOW)]);
    check(&[(SETTLED, &both)], &[1, 2], &[], Some(1));
    // It was late, that is all.
    let late = listed([snapshot(1, 1, NOW), snapshot(2, 1, NOW)]);
    check(&[(SETTLED, &both), (SETTLED, &late)], &[], &[], None);
    // Once shown, a listing that loses sight of them is one that lags.
    check(&[(NOW, &late), (SETTLED, &both)], &[1, 2], &[], None);
}

#[test]
fn an_id_that_is_not_found_twice_after_the_settling_time_was_deleted() {
    let gone = not_found([1, 2]);
    check(&[(SETTLED, &gone)], &[1, 2], &BOTH, None);
    check(&[(SETTLED, &gone), (SETTLED, &gone)], &[], &[], None);
    check(&[(NOW, &gone), (SETTLED, &gone)], &[], &[], None);
    let back = by_id([snapshot(1, 1, NOW), snapshot(2, 1, NOW)]);
    check(&[(NOW, &back), (SETTLED, &gone)], &[1, 2], &BOTH, None);
}

#[test]
fn without_our_tags_it_is_not_made_again_until_a_listing_shows_others() {
    let foreign = |number| Snapshot { description: "somebody's".into(), ..snapshot(number, 1, NOW) };
    let hidden = by_id([foreign(1), foreign(2)]);
    check(&[(SETTLED, &hidden)], &[1, 2], &BOTH, Some(1));
    let mut one_listed = listed([snapshot(1, 1, NOW), foreign(2)]);
    one_listed.by_id.shown = [snapshot(2, 1, NOW).id].into();
    check(&[(SETTLED, &one_listed)], &[], &[], None);
}

#[test]
fn without_an_answer_the_tags_alone_tell() {
    let mut progress = having(vec![Begun::unanswered("0000000a".to_owned())]);
    assert!(progress.ids_begun().is_empty());
    progress.note_look(&policy_id(), &listed([]), at(NOW), SETTLING);
    assert_eq!(progress.unsettled_at(at(NOW), SETTLING), ["0000000a"].into());
    progress.note_look(&policy_id(), &listed([]), at(SETTLED), SETTLING);
    assert!(progress.unsettled.is_empty());
}

#[test]
fn what_is_unsettled_is_bounded_and_the_oldest_is_forgotten_first() {
    let mut progress = Progress::new(&start(NOW));
    let begun = |from: u32, count: u32| (from..from + count).map(begun).collect::<Vec<_>>();
    progress.remember_unsettled(begun(0, 800), 800, at(NOW));
    progress.remember_unsettled(begun(800, 700), 700, at(NOW));
    assert_eq!(progress.ids_begun().len(), 1500, "between the turns of an invocation all of it is remembered");
    let progress = progress.in_next();
    let unsettled = progress.unsettled_at(at(NOW), SETTLING);
    assert_eq!((unsettled.len(), progress.ids_begun().len()), (UNSETTLED_MAX, UNSETTLED_MAX));
    assert_eq!((unsettled.first().copied(), progress.creations), (Some("0000012c"), 1500));
    let length = serde_json::to_vec(&progress.unsettled).unwrap().len();
    assert!(length < 36_000, "{length} bytes");
    let mut long = Progress::new(&start(NOW));
    (0..7).for_each(|turn| long.remember_unsettled(begun(turn * 1_000, 1_000), 1_000, at(NOW)));
    assert_eq!(long.ids_begun().len(), UNSETTLED_IN_MEMORY_MAX);
}

#[test]
fn it_travels_as_text() {
    let seen = |seen| Begun { seen, ..begun(0xabc) };
    let check = |begun: &Begun, text: &str| {
        assert_eq!(serde_json::to_value(begun).unwrap(), serde_json::json!(text));
        assert_eq!(&serde_json::from_value::<Begun>(serde_json::json!(text)).unwrap(), begun);
    };
    check(&Begun::unanswered("1a2b3c4d".to_owned()), "1a2b3c4d");
    check(&seen(Seen::Fine), "00000abc 00000000000000abc");
    check(&seen(Seen::NotFound), "00000abc 00000000000000abc?");
    check(&seen(Seen::NotOurs), "00000abc 00000000000000abc!");
    let refused = serde_json::from_value::<Begun>(serde_json::json!("00000abc snap")).unwrap_err();
    assert_eq!(refused.to_string(), "snap is not the id of a snapshot, expected hexadecimal digits");
}
