//! What the reader of events promises, whatever the bytes; and what follows from an event that it accepts.

use jiff::{SignedDuration, Timestamp};
use opendlm::answer::Answer;
use opendlm::event::{self, Event, json};
use opendlm::plan::{self, check as promises};
use opendlm::policy::decode::{Finding, IdRule, Reading};
use opendlm::policy::{Policy, PolicyId, ScheduleName};
use opendlm::report;
use opendlm::sim::Account;
use opendlm::tags::{self, Mark, Marks};
use opendlm::turn::Progress;
use opendlm::world::{
    AttachedVolume, Instance, InstanceId, InstanceState, Origin, Snapshot, SnapshotId, SnapshotState, SourceId, Tier,
    VolumeId,
};
use serde_json::Value;

/// When the turns happen.
const NOW: &str = "2026-11-22T17:20:00Z";

/// The longest finding: a path and a message that list the keys of an object and quote a text of the document.
const FINDING_LENGTH_MAX: usize = 3000;

/// What an answer is promised to stay under.
const ANSWER_LENGTH_MAX: usize = 200_000;

/// Reads `data` as the function and the command line do, and makes a turn of each event that is accepted.
///
/// # Panics
/// When a promise is broken.
pub(super) fn check(data: &[u8]) {
    let reading = json::read(data);
    check_reading(&reading);
    let lenient: Option<Value> = serde_json::from_slice(data).ok();
    match &reading.value {
        Some(value) => assert_eq!(Some(value), lenient.as_ref(), "what is accepted means what it means to everybody"),
        None => assert!(!reading.errors.is_empty(), "a refusal without a reason"),
    }
    // What is not strict JSON is read on all the same: an event may reach the function by way of a laxer reader.
    let Some(value) = lenient else { return };
    for rule in [IdRule::Optional, IdRule::Required] {
        let reading = event::read(&value, rule);
        check_reading(&reading);
        assert_eq!(event::read(&value, rule), reading, "reading twice");
        if let Some(event) = &reading.value {
            check_event(event, &reading.warned(), rule);
        }
        let reading = event::read_document(&value, rule);
        check_reading(&reading);
        let wrapped = event::read(&event::with_bare_policy_wrapped(value.clone()), rule);
        assert_eq!(reading.value.is_some(), wrapped.value.is_some(), "a bare policy and the event around it");
    }
}

fn check_reading<T>(reading: &Reading<T>) {
    let is_refused = !(reading.errors.is_empty() && reading.not_supported.is_empty());
    assert_eq!(reading.value.is_none(), is_refused, "a value, or the reason why there is none");
    for Finding { path, message } in reading.errors.iter().chain(&reading.not_supported).chain(&reading.warnings) {
        assert!(path.len() + message.len() <= FINDING_LENGTH_MAX, "{path}: {message}");
        assert!(!path.chars().chain(message.chars()).any(is_hidden), "{path:?}: {message:?}");
        assert!(!message.is_empty());
    }
    assert_eq!(reading.refusal().is_some(), is_refused);
    assert!(reading.refusal().is_none_or(|refusal| refusal.len() <= event::REFUSAL_LENGTH_MAX));
    let warned: usize = reading.warned().iter().map(String::len).sum();
    assert!(warned <= event::WARNINGS_LENGTH_MAX, "{warned} bytes of warnings");
}

/// What no message may hold: control characters, other ends of lines, and what turns the direction of writing.
fn is_hidden(character: char) -> bool {
    let is_format = matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    character.is_control() || is_format || character == '\u{feff}'
}

/// An accepted event makes a turn, whatever values it holds, and its `Next` is the same event again.
fn check_event(event: &Event, warnings: &[String], rule: IdRule) {
    let now: Timestamp = NOW.parse().expect("an instant");
    for now in [Some(now), event.scheduled_time, event.progress.as_ref().map(|progress| progress.begun)] {
        let Some(now) = now else { continue };
        let Ok(progress) = event.progress_at(now) else { continue };
        let mut account = account(&event.policy, progress.start);
        let world = account.observe(now);
        let plan = plan::plan(&event.policy, &event.options, &progress.start(), now, &world);
        assert_eq!(promises::check(&event.policy, &event.options, now, &world, &plan), vec![]);
        assert_eq!(plan, plan::plan(&event.policy, &event.options, &progress.start(), now, &world));
        for snapshot in &world.snapshots {
            let explanation = report::explain::explain(&event.policy, &event.options, now, &world, &plan, &snapshot.id);
            assert!(!explanation.goes.is_empty());
        }
        let progress_before = progress.clone();
        let conclusion = account.turn(&event.policy, &event.options, progress, now);
        let report =
            report::report(&event.policy, &event.options, &plan, &conclusion.progress, conclusion.status, warnings);
        let answer = Answer::new(event, &conclusion, report, warnings, None);
        check_next(event, &answer.next, rule);
        check_split(event, &progress_before, rule);
        let length = serde_json::to_vec(&answer).expect("an answer is JSON").len();
        assert!(event.progress.is_some() || length < ANSWER_LENGTH_MAX, "an answer of {length} bytes");
    }
}

/// `Next` goes through JSON and comes back as the same event, with the state of the run.
fn check_next(event: &Event, next: &Value, rule: IdRule) {
    let text = serde_json::to_vec(next).expect("an answer is JSON");
    let read = json::read(&text).value.expect("an answer is strict JSON");
    assert_eq!(&read, next, "through JSON and back");
    let reading = event::read(next, rule);
    // A made-up state of the run may be at its limits, where a turn more leads beyond them.
    if event.progress.is_some() && reading.errors.iter().any(|finding| finding.path == "Progress") {
        return;
    }
    assert_eq!(reading.refusal(), None, "Next is understood");
    let again = reading.value.expect("it was not refused");
    let mut options = event.options.clone();
    if options.targets_from.is_some() {
        // Where the list is, is repeated; the list is not.
        options.targets.clear();
    }
    assert_eq!((&again.policy, &again.options), (&event.policy, &options));
    assert_eq!(again.scheduled_time, event.scheduled_time);
    let progress = again.progress.as_ref().expect("Next holds the state of the run");
    assert_eq!(&again.next(progress), next);
}

/// The event of each target is an event, with this target and no others.
fn check_split(event: &Event, progress: &Progress, rule: IdRule) {
    let (common, targets) = event.split(progress);
    for (target, place) in targets.iter().zip(&event.options.targets) {
        let mut event_of_target = common.clone();
        let options = event_of_target["Options"].as_object_mut().expect("there are options, since there are targets");
        options.extend(target.as_object().expect("a target is an object").clone());
        let reading = event::read(&event_of_target, rule);
        // As above.
        if event.progress.is_some() && reading.errors.iter().any(|finding| finding.path == "Progress") {
            return;
        }
        assert_eq!(reading.refusal(), None, "the event of a target is understood");
        let again = reading.value.expect("it was not refused");
        assert_eq!((again.options.target.as_ref(), again.options.targets.len()), (Some(place), 0));
        assert_eq!(again.policy, event.policy);
    }
}

/// A small account for the policy: two volumes and an instance, and of each of the policy's first names snapshots that
/// are complete, pending, failed, in the future, unreadable, and somebody else's.
fn account(policy: &Policy, start: Timestamp) -> Account {
    let mut account = Account::new(2, SignedDuration::from_mins(5));
    account.instances = vec![instance()];
    account.untargeted.insert(SourceId::Volume(volume(3)));
    let mut number = 0;
    for schedule in policy.schedules.iter().take(2) {
        for (index, hours) in [-30 * 24, -48, -25, -24, -1, 0, 1].into_iter().enumerate() {
            number += 1;
            let time = start.checked_add(SignedDuration::from_hours(hours)).unwrap_or(start);
            account.add_snapshot(snapshot(policy, &schedule.name, number, index, time));
        }
    }
    account
}

fn instance() -> Instance {
    let attached = |number, is_root| AttachedVolume { id: volume(number), is_root, tags: vec![] };
    Instance {
        id: InstanceId::parse("i-00000000000000001").expect("an id"),
        state: InstanceState::Running,
        volumes: vec![attached(1, true), attached(2, false)],
    }
}

fn volume(number: usize) -> VolumeId {
    VolumeId::parse(&format!("vol-{number:017x}")).expect("an id")
}

fn snapshot(policy: &Policy, schedule: &ScheduleName, number: usize, index: usize, time: Timestamp) -> Snapshot {
    let other = PolicyId::parse("policy-other").expect("an id");
    let is_ours = index != 2;
    let marks = Marks {
        policy_id: Some(policy.id.as_str().into()),
        schedule_name: Mark::Read(schedule.clone()),
        scheduled_time: if index == 3 { Mark::Unreadable("soon".to_owned()) } else { Mark::Read(time) },
        expiration_time: if index.is_multiple_of(2) { Mark::Read(time) } else { Mark::Absent },
        instance_id: if index == 1 { Mark::Read(instance().id) } else { Mark::Absent },
        ..Marks::default()
    };
    Snapshot {
        id: SnapshotId::parse(&format!("snap-{number:017x}")).expect("an id"),
        volume_id: volume(1 + index % 3),
        description: tags::description(if is_ours { &policy.id } else { &other }, schedule).into(),
        state: match index {
            0 => SnapshotState::Error,
            5 => SnapshotState::Pending,
            _ => SnapshotState::Completed,
        },
        state_message: (index == 0).then(|| "Given key ID is not accessible".into()),
        start_time: time,
        completed_at: None,
        origin: if index == 6 { Origin::Copied } else { Origin::Created },
        marks: marks.into(),
        tier: Tier::Standard,
        full_size_bytes: 1 << 30,
    }
}
