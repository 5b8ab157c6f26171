//! What is wrong with one policy.

use super::*;
use crate::policy::PolicyState;
use crate::world::SnapshotId;

#[test]
fn each_fault_of_the_backups_is_named() {
    let seen_world = |world: World| move |seen: &mut PolicySeen| seen.looked = Look::Seen(looked(&world));
    check_policy(seen_world(world([], [])), &["targets"], &[]);
    // The backup of today is missing.
    check_policy(seen_world(world([volume(1)], history().into_iter().take(2))), &["backups", "last time"], &[]);
    let gone = snapshot(7, 2, "2026-11-20T17:00:00Z").stamped(&[3]);
    check_policy(seen_world(world([volume(1)], history().into_iter().chain([gone]))), &["orphans"], &[]);
    let edited =
        snapshot(8, 1, "2026-11-19T17:00:00Z").stamped(&[3]).with_stamp(|stamp: &mut Stamp| stamp.is_intact = false);
    check_policy(seen_world(world([volume(1)], history().into_iter().chain([edited]))), &["tags", "orphans"], &[]);
    let forged = Snapshot { description: "by hand".into(), ..snapshot(9, 1, "2026-11-18T17:00:00Z") };
    check_policy(seen_world(world([volume(1)], history().into_iter().chain([forged]))), &["look-alikes"], &[]);
}

#[test]
fn who_may_not_look_knows_nothing_and_what_is_refused_is_wrong() {
    check_policy(|seen| seen.looked = Look::Unknown("AccessDenied: no".to_owned()), &[], &["look"]);
    check_policy(|seen| seen.looked = Look::Wrong("PolicyInvalid: no".to_owned()), &["look"], &[]);
}

#[test]
fn a_disabled_policy_is_wrong_for_who_asks_about_it_and_nothing_else_is_said() {
    let by_policy = |gathered: &mut Gathered| {
        gathered.scope = Scope::Policy;
        gathered.policies[0].deployed = deployed(vec![found("DISABLED")]);
        gathered.policies[0].policy.as_mut().unwrap().state = PolicyState::Disabled;
    };
    let lines = check(by_policy, &["policy"], &[]);
    assert!(lines.iter().all(|line| line.about != "targets"));
    let by_schedules = |gathered: &mut Gathered| {
        gathered.scope = Scope::Policy;
        gathered.policies[0].deployed = deployed(vec![Found { is_enabled: false, ..found("ENABLED") }]);
    };
    check(by_schedules, &["policy"], &[]);
    // Beside one that is enabled nobody minds.
    let other = |gathered: &mut Gathered| {
        let mut other = seen();
        other.deployed = deployed(vec![Found { is_enabled: false, ..found("ENABLED") }]);
        gathered.policies.push(other);
    };
    check(other, &[], &[]);
}

#[test]
fn each_fault_of_the_schedules_is_named() {
    let schedules = |found: Vec<Found>| move |seen: &mut PolicySeen| seen.deployed = deployed(found);
    let with = |change: fn(&mut Found)| {
        let mut found = found("ENABLED");
        change(&mut found);
        vec![found]
    };
    // At another time than the policy's.
    check_policy(schedules(with(|found| found.expression = "cron(0 3 * * ? *)".to_owned())), &["schedules"], &[]);
    check_policy(schedules(with(|found| found.timezone = "Europe/Berlin".to_owned())), &["schedules"], &[]);
    check_policy(schedules(with(|found| found.machine = "another".to_owned())), &["schedules"], &[]);
    check_policy(schedules(with(|found| found.dead_letter_queue = None)), &["schedules"], &[]);
    check_policy(schedules(with(|found| found.id.group = "default".to_owned())), &["schedules"], &[]);
    let mut older = found("ENABLED");
    older.id.name = "older".to_owned();
    older.input = older.input.replace(DEPLOYED, "2026-11-19T08:00:00Z");
    check_policy(schedules(vec![found("ENABLED"), older.clone()]), &["schedules"], &[]);
    older.input = found("ENABLED").input;
    older.is_enabled = false;
    check_policy(schedules(vec![found("ENABLED"), older]), &["policy"], &[]);
}

#[test]
fn what_put_has_not_written_is_well_at_its_times_and_else_unknown() {
    let without = |expression: &str| {
        let mut found = found("ENABLED");
        found.input = document("ENABLED").to_string();
        found.expression = expression.to_owned();
        move |seen: &mut PolicySeen| seen.deployed = deployed(vec![found])
    };
    check_policy(without("cron(0 17 * * ? *)"), &[], &[]);
    check_policy(without("rate(1 hour)"), &[], &["schedules"]);
    check_policy(|seen| seen.deployed = None, &[], &["schedules"]);
}

#[test]
fn a_last_run_that_failed_or_did_not_come_is_wrong() {
    let runs = |runs: Vec<Run>| move |seen: &mut PolicySeen| seen.runs = Look::Seen(runs);
    let lines = check_policy(runs(vec![run("2026-11-22T17:00:01Z", Ended::Failed)]), &["last run"], &[]);
    assert_eq!(says(&lines, "last run"), "0a1b2c3d ended FAILED 2 h ago: vol-0a: no snapshot");
    check_policy(runs(vec![run("2026-11-22T17:00:01Z", Ended::TimedOut)]), &["last run"], &[]);
    check_policy(runs(vec![run("2026-11-22T17:00:01Z", Ended::Stopped)]), &["last run"], &[]);
    // The one of yesterday.
    let lines = check_policy(runs(vec![run("2026-11-21T17:00:01Z", Ended::Succeeded)]), &["last run"], &[]);
    assert!(says(&lines, "last run").contains("none came for 2026-11-22T17:00:00Z"), "{lines:?}");
    check_policy(runs(vec![]), &["last run"], &[]);
    let is_new = |seen: &mut PolicySeen| {
        seen.runs = Look::Seen(vec![]);
        let mut found = found("ENABLED");
        found.input = found.input.replace(DEPLOYED, "2026-11-22T18:00:00Z");
        seen.deployed = deployed(vec![found]);
    };
    assert_eq!(says(&check_policy(is_new, &[], &[]), "last run"), "there was none yet, and none was due");
}

#[test]
fn a_run_is_waited_for_ten_minutes() {
    let yesterday = || Look::Seen(vec![run("2026-11-21T17:00:01Z", Ended::Succeeded)]);
    let at_time = |now: &'static str| {
        move |gathered: &mut Gathered| {
            gathered.now = at(now);
            gathered.policies[0].runs = yesterday();
        }
    };
    check(at_time("2026-11-22T17:09:59Z"), &[], &[]);
    check(at_time("2026-11-22T17:10:00Z"), &["last run"], &[]);
}

#[test]
fn who_else_backs_up_the_same_is_named() {
    let other = OtherPolicy { id: "policy-0dlm".to_owned(), description: "old".to_owned() };
    let lines = check_policy(|seen| seen.others = Look::Seen(vec![other]), &["double backups"], &[]);
    assert!(says(&lines, "double backups").contains("policy-0dlm (old)"));
}

#[test]
fn only_a_backup_proves_that_a_key_may_be_used() {
    let key_of =
        [(volume_id(1), "key-a".to_owned()), (volume_id(2), "key-a".to_owned()), (volume_id(3), "key-b".to_owned())];
    let uses = key_uses(&key_of.into(), &[volume_id(1)].into());
    let told: Vec<(&str, usize, usize)> =
        uses.iter().map(|each| (each.key.as_str(), each.volumes, each.backed_up)).collect();
    assert_eq!(told, [("key-a", 2, 1), ("key-b", 1, 0)]);
    let lines = check_policy(|seen| seen.keys = Look::Seen(uses.clone()), &[], &["keys"]);
    assert!(says(&lines, "keys").starts_with("1 volume under key-b"));
    check_policy(|seen| seen.keys = Look::Seen(uses[..1].to_vec()), &[], &[]);
}

#[test]
fn what_nobody_has_seen_of_a_listing_is_told() {
    let listing = |change: fn(&mut Listing)| {
        move |seen: &mut PolicySeen| {
            let Look::Seen(listing) = &mut seen.listing else { unreachable!("it is seen") };
            change(listing);
        }
    };
    let lines = check_policy(
        listing(|listing| listing.transfer_types = [("magic".to_owned(), 1)].into()),
        &[],
        &["transfer types"],
    );
    assert!(says(&lines, "to report back").contains("transfer-types=magic:1"));
    check_policy(listing(|listing| listing.id_lengths = [(0, 1)].into()), &[], &["ids"]);
    let id = || SnapshotId::parse("snap-0123456789abcdef0").unwrap();
    check_policy(
        listing(|listing| listing.newest = Newest::NotShown { id: snapshot(1, 1, NOW).id, seconds: 45 }),
        &[],
        &["listing lag"],
    );
    let lines = check_policy(listing(|listing| listing.newest = Newest::NotFresh), &[], &["listing lag"]);
    assert!(says(&lines, "to report back").contains("lag-seconds=unknown "));
    let later = |seen: &mut PolicySeen| {
        let Look::Seen(listing) = &mut seen.listing else { unreachable!("it is seen") };
        listing.newest = Newest::ShownLater { id: id(), seconds: 7 };
    };
    let lines = check_policy(later, &[], &[]);
    assert_eq!(says(&lines, "listing lag"), "snap-0123456789abcdef0 was listed 7 s after its id showed it");
    assert!(says(&lines, "to report back").contains("lag-seconds=7 "));
}
