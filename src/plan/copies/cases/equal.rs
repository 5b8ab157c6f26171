//! Which copies are as good as each other: of a RunNow's snapshot, and of two sets for one time.

use super::*;
use crate::fixtures;
use crate::world::Tier;

/// The members of one set, begun and complete five minutes later.
fn set(numbers: [u32; 2], began: &str, rules: &[&str]) -> [Snapshot; 2] {
    let member = |number, volume| {
        let mut made = source(number, volume, TODAY, rules).of_instance(1);
        made.start_time = at(began);
        made.completed_at = Some(at(began) + SignedDuration::from_mins(5));
        made.with_stamp(|stamp| (stamp.members, stamp.called) = (Some(2), at(began)))
    };
    [member(numbers[0], 1), member(numbers[1], 2)]
}

fn sets_policy() -> Policy {
    let mut policy = instance_policy(count(3));
    policy.schedules[0].copies = vec![rule(RULE)];
    policy
}

/// What is decided about the copies of each snapshot of an instance's sets, and which copies stay. What goes rests on what stays.
fn decided(sets: &[[Snapshot; 2]], copies: Vec<Snapshot>, now: &str) -> (Vec<String>, Vec<SnapshotId>) {
    let mut world = world_with(sets.concat(), copies);
    (world.volumes, world.instances) = (vec![], vec![fixtures::instance(1, 1, [2])]);
    let (policy, options) = (sets_policy(), Options::default());
    let plan = planned(&policy, &options, TODAY, now, &world);
    let london = of(&plan, &london());
    let word = |verdict: &CopyVerdict<'_>| format!("{verdict:?}").split([' ', '(']).next().unwrap().to_owned();
    let wanted = |member: &Snapshot| london.wanted.iter().find(|wanted| wanted.source.id == member.id);
    let verdicts = sets.as_flattened().iter().map(|member| wanted(member).map_or("-".to_owned(), |w| word(&w.verdict)));
    let stays = london.copies.iter().filter(|decision| matches!(decision.verdict, SnapshotVerdict::Keep(_)));
    let stays: Vec<SnapshotId> = stays.map(|decision| decision.snapshot.id).collect();
    for goes in london.copies.iter().filter(|decision| matches!(decision.verdict, SnapshotVerdict::Delete(_))) {
        let rests_on: Vec<SnapshotId> = london.rests_on(goes).unwrap().iter().map(|copy| copy.id).collect();
        assert_eq!(rests_on, stays, "all of the set that stays");
    }
    (verdicts.collect(), stays)
}

fn copied(source: &Snapshot, number: u32, began: &str) -> Snapshot {
    copy_of(source, number, began, &london())
}

#[test]
fn a_member_of_another_set_for_the_same_time_is_no_copy_of_this_ones() {
    let first = set([1, 2], "2026-11-22T17:00:00Z", &[RULE]);
    let second = set([3, 4], "2026-11-22T17:00:30Z", &[RULE, "eu-west-1:5d:-"]);
    let mixed = vec![copied(&first[0], 1, "2026-11-22T17:06:00Z"), copied(&second[1], 4, "2026-11-22T17:06:20Z")];
    let (verdicts, _) = decided(&[first, second], mixed, "2026-11-22T17:40:00Z");
    assert_eq!(verdicts, ["Done", "Begin", "Begin", "Done"]);
}

#[test]
fn what_was_copied_of_a_duplicate_set_takes_no_place_in_the_one_that_stays() {
    let first = set([1, 2], "2026-11-22T17:00:02Z", &[RULE]);
    let second = set([3, 4], "2026-11-22T17:00:40Z", &[RULE]);
    let of_second = vec![copied(&second[0], 3, "2026-11-22T17:06:00Z")];
    let sets = [first, second];
    let (verdicts, stays) = decided(&sets, of_second.clone(), "2026-11-22T17:40:00Z");
    assert_eq!(verdicts, ["Begin", "Begin", "-", "-"]);
    assert_eq!(stays.len(), 1);
    // It goes when the other set is copied whole, also when its own snapshot is gone.
    let began = "2026-11-22T17:41:00Z";
    let half = [&of_second[..], &[copied(&sets[0][0], 1, began)]].concat();
    assert_eq!(decided(&sets, half.clone(), "2026-11-22T17:50:00Z").1.len(), 2);
    let whole = [&half[..], &[copied(&sets[0][1], 2, began)]].concat();
    let stays = |sets: &[[Snapshot; 2]], copies| decided(sets, copies, "2026-11-22T17:50:00Z").1;
    let of_first: Vec<SnapshotId> = whole[1..].iter().map(|copy| copy.id).collect();
    assert_eq!(stays(&sets, whole.clone()), of_first);
    assert_eq!(stays(&sets[..1], whole.clone()), of_first);
    let mut archived = whole.clone();
    archived[2].tier = Tier::Archive;
    assert_eq!(stays(&sets, archived).len(), 3);
    // Nor one that somebody has copied on together with its tags.
    let on = Snapshot { id: SnapshotId::parse("snap-0c000000000000009").unwrap(), ..whole[0].clone() };
    assert_eq!(stays(&sets, [&whole[..], &[on]].concat()).len(), 4);
    let held = [&[whole[0].clone().held("forever")], &whole[1..]].concat();
    assert_eq!(stays(&sets, held).len(), 3);
}

#[test]
fn of_the_copies_of_two_sets_each_stays_whole() {
    let first = set([1, 2], "2026-11-22T17:00:00Z", &[RULE]);
    let second = set([3, 4], "2026-11-22T17:00:30Z", &[RULE]);
    let began = ["2026-11-22T17:06:20Z", "2026-11-22T17:30:00Z", "2026-11-22T17:06:00Z", "2026-11-22T17:06:00Z"];
    let of_both = [&first[..], &second[..]].concat();
    let mut copies: Vec<Snapshot> =
        of_both.iter().zip(1..).zip(began).map(|((source, number), began)| copied(source, number, began)).collect();
    let sets = [first, second];
    let all = |sets: &[[Snapshot; 2]], copies| decided(sets, copies, "2026-11-22T17:40:00Z").1.len();
    assert_eq!(all(&sets, copies.clone()), 2, "the second set goes at home, so its copies go");
    assert_eq!(all(&[], copies.clone()), 4, "nobody knows which of them to have");
    // Of two copies of one snapshot one is enough.
    copies.push(copied(&sets[0][0], 5, "2026-11-22T17:07:00Z"));
    let stays = decided(&sets[..1], copies, "2026-11-22T17:40:00Z").1;
    assert_eq!((stays.len(), stays.contains(&SnapshotId::parse("snap-0c000000000000001").unwrap())), (2, false));
}

#[test]
fn of_two_copies_of_a_run_nows_snapshot_one_goes() {
    let button = source(1, 1, YESTERDAY, &[RULE]).with_stamp(|stamp| stamp.is_run_now = true);
    let copies = ["2026-11-21T17:06:00Z", "2026-11-21T17:06:20Z"].into_iter().zip(1..);
    let copies = copies.map(|(began, number)| copied(&button, number, began)).collect();
    let world = world_with(vec![button, source(3, 1, TODAY, &[RULE])], copies);
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let plan = planned(&policy, &options, TODAY, "2026-11-22T17:30:00Z", &world);
    let london = of(&plan, &london());
    let goes: Vec<_> = london.copies.iter().filter(|d| matches!(d.verdict, SnapshotVerdict::Delete(_))).collect();
    let [goes] = goes[..] else { panic!("{goes:?}") };
    let rests_on = london.rests_on(goes).unwrap();
    assert!(matches!(&rests_on[..], [other] if other.id != goes.snapshot.id), "{rests_on:?}");
}

#[test]
fn a_run_nows_copy_is_no_newer_one_of_a_series_and_no_deletion_rests_on_it() {
    let (policy, options) = (policy_with(&["eu-west-2:1d:-"]), Options::default());
    let button = source(9, 1, "2026-11-22T09:00:00Z", &[RULE]).with_stamp(|stamp| stamp.is_run_now = true);
    let by_button = copied(&button, 9, "2026-11-22T09:06:00Z");
    // Its age has passed, and it is begun all the same: it would be the newest one.
    let left = source(1, 1, YESTERDAY, &["eu-west-2:1d:-"]);
    let world = world_with(vec![left, button.clone(), snapshot(3, 1, TODAY).stamped(&[3])], vec![by_button.clone()]);
    check_wanted(&policy, (TODAY, "2026-11-22T17:20:00Z"), &world, &BEGIN);
    let days = ["2026-11-15T17:00:00Z", YESTERDAY].into_iter().zip(1..);
    let sources: Vec<Snapshot> = days.map(|(day, number)| source(number, 1, day, &["eu-west-2:1d:-"])).collect();
    let began = ["2026-11-15T17:10:00Z", "2026-11-21T17:10:00Z"];
    let copies = sources.iter().zip(1..).zip(began).map(|((source, number), began)| copied(source, number, began));
    let copies: Vec<Snapshot> = copies.chain([by_button]).collect();
    let world = world_with([sources, vec![button]].concat(), copies);
    let plan = planned(&policy, &options, TODAY, "2026-11-22T17:05:00Z", &world);
    let london = of(&plan, &london());
    let goes = london.copies.iter().find(|d| matches!(d.verdict, SnapshotVerdict::Delete(_))).unwrap();
    let rests_on: Vec<String> = london.rests_on(goes).unwrap().iter().map(|copy| copy.id.to_string()).collect();
    assert_eq!(rests_on, ["snap-0c000000000000002"]);
}

#[test]
fn a_duplicate_whose_copy_is_under_way_stays_where_nobody_has_looked_yet() {
    let twin = |number, began: &str| {
        let made = Snapshot { start_time: at(began), ..source(number, 1, YESTERDAY, &[RULE]) };
        made.with_stamp(|stamp| stamp.called = at(began))
    };
    let (first, second) = (twin(1, "2026-11-21T17:00:00Z"), twin(2, "2026-11-21T17:00:10Z"));
    let under_way = copied(&second, 2, "2026-11-21T17:06:00Z").pending();
    let mut world = world_with(vec![first, second.clone()], vec![under_way]);
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let waits = |world: &World| {
        let plan = planned(&policy, &options, TODAY, TODAY, world);
        let decision = plan.snapshots.iter().find(|decision| decision.snapshot.id == second.id).unwrap();
        matches!(decision.verdict, SnapshotVerdict::Keep(crate::plan::KeepReason::CopyOpen { .. }))
    };
    assert!(waits(&world));
    world.regions.insert(london(), View { unseen: Some(Unseen::not_yet()), ..View::default() });
    assert!(waits(&world));
}

#[test]
fn a_plan_that_takes_the_only_copy_of_a_time_is_no_plan() {
    let button = source(1, 1, YESTERDAY, &[RULE]).with_stamp(|stamp| stamp.is_run_now = true);
    let copies = vec![copied(&button, 1, "2026-11-21T17:06:00Z")];
    let world = world_with(vec![button, source(3, 1, TODAY, &[RULE])], copies);
    let (policy, options, now) = (policy_with(&[RULE]), Options::default(), "2026-11-22T17:30:00Z");
    let mut plan = planned(&policy, &options, TODAY, now, &world);
    let copy = &mut plan.regions[0].copies[0];
    copy.verdict = SnapshotVerdict::Delete(DeleteReason::Duplicate { beside: copy.snapshot.start_time });
    let broken = crate::plan::check::check(&policy, &options, at(now), &world, &plan);
    assert!(format!("{broken:?}").contains("is the only copy for its time"), "{broken:?}");
}

#[test]
fn the_copies_of_two_sets_for_one_time_are_no_whole_set_beside_which_an_older_one_goes() {
    let day = "eu-west-2:1d:-";
    let old = set([1, 2], "2026-11-21T17:00:02Z", &[day]).map(|mut member| {
        member.marks.scheduled_time = crate::tags::Mark::Read(at(YESTERDAY));
        member
    });
    let first = set([3, 4], "2026-11-22T17:00:02Z", &[day]);
    let second = set([5, 6], "2026-11-22T17:00:40Z", &[day]);
    let of_old = [copied(&old[0], 1, "2026-11-21T17:06:00Z"), copied(&old[1], 2, "2026-11-21T17:06:00Z")];
    let began = "2026-11-22T17:06:00Z";
    let under_way = copied(&first[0], 3, began).pending();
    let failed = copied(&first[0], 3, began).in_state(SnapshotState::Error);
    let (of_first, of_second) = (copied(&first[1], 4, began), copied(&second[0], 5, began));
    let fates = |copies: &[&Snapshot]| {
        let copies = of_old.iter().chain(copies.iter().copied()).cloned().collect();
        let mut world = world_with([&old[..], &first[..], &second[..]].concat(), copies);
        (world.volumes, world.instances) = (vec![], vec![fixtures::instance(1, 1, [2])]);
        let (policy, options) = (sets_policy(), Options::default());
        let plan = planned(&policy, &options, TODAY, "2026-11-22T17:20:00Z", &world);
        let broken = crate::plan::check::check(&policy, &options, at("2026-11-22T17:20:00Z"), &world, &plan);
        assert_eq!(broken.len(), 0, "{broken:?}");
        let of_old = |d: &&crate::plan::SnapshotDecision<'_>| of_old.iter().any(|copy| copy.id == d.snapshot.id);
        of(&plan, &london()).copies.iter().filter(of_old).map(|d| format!("{:?}", d.verdict)).collect::<Vec<_>>()
    };
    let stay = vec![format!("{:?}", SnapshotVerdict::Keep(KeepReason::NewestCompleted)); 2];
    assert_eq!(fates(&[&under_way, &of_first]), stay, "control: half of one set");
    assert_eq!(fates(&[&under_way, &of_first, &of_second]), stay, "halves of two sets");
    assert_eq!(fates(&[&failed, &of_first, &of_second]), stay, "halves of two sets, one failed");
}
