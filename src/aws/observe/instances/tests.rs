use super::*;
use crate::aws::observe::tests::{
    ec2_tag, filters_of, instance, instances, instances_by, mapping, no_snapshots, tagged_volume, volumes, volumes_by,
};
use crate::aws::tests::{account, error_answer, instance_policy, tags_of};
use crate::world::{Coverage, World};
use aws_sdk_ec2::Client;
use aws_smithy_mocks::{Rule, mock};

fn targeted(found: fn() -> Vec<types::Instance>) -> Rule {
    instances_by("tag:auto-backup", move || instances(found(), None))
}

async fn observe_excluding(excluded: &[(&str, &str)], rules: &[&Rule]) -> World {
    account(rules).observe(&instance_policy(excluded)).await.unwrap()
}

fn ids(world: &World) -> Vec<String> {
    world.instances.iter().map(|instance| instance.id.to_string()).collect()
}

/// Each attached volume with the number of its tags.
fn tags(world: &World) -> Vec<String> {
    let volumes = world.instances.iter().flat_map(|instance| &instance.volumes);
    volumes.map(|volume| format!("{} {}", volume.id, volume.tags.len())).collect()
}

#[tokio::test]
async fn instances_are_asked_for_by_target_tag_page_by_page_and_compared_to_the_letter() {
    let page = |token: Option<&'static str>, answer: fn() -> Vec<types::Instance>, next: Option<&'static str>| {
        mock!(Client::describe_instances)
            .match_requests(move |asked| {
                asked.max_results() == Some(1000)
                    && asked.next_token() == token
                    && filters_of(asked.filters()) == [("tag:auto-backup", vec!["dlm"])]
            })
            .then_output(move || instances(answer(), next))
    };
    let first = page(None, || vec![instance("i-1", "vol-1", &[]).build()], Some("a"));
    let empty = page(Some("a"), Vec::new, Some("b"));
    let last = page(
        Some("b"),
        || {
            let other_case = instance("i-2", "vol-2", &[]).set_tags(Some(vec![ec2_tag("auto-backup", "DLM")]));
            vec![instance("i-1", "vol-1", &[]).build(), other_case.build(), instance("i-3", "vol-3", &[]).build()]
        },
        None,
    );
    let world = observe_excluding(&[], &[&first, &empty, &last, &no_snapshots()]).await;
    assert_eq!(ids(&world), ["i-1", "i-3"]);
    assert_eq!(world.coverage, Coverage::Complete);
    assert!(world.volumes.is_empty());
}

#[test]
fn an_instance_is_read_field_by_field() {
    let detached = types::EbsInstanceBlockDevice::builder().volume_id("vol-3").status(AttachmentStatus::Detached);
    let detaching = types::EbsInstanceBlockDevice::builder().volume_id("vol-4").status(AttachmentStatus::Detaching);
    let on = |ebs: types::builders::EbsInstanceBlockDeviceBuilder| {
        types::InstanceBlockDeviceMapping::builder().device_name("/dev/sdx").ebs(ebs.build()).build()
    };
    let ec2 = instance("i-0a", "vol-1", &["vol-2"])
        .block_device_mappings(on(detached))
        .block_device_mappings(on(detaching))
        .block_device_mappings(types::InstanceBlockDeviceMapping::builder().device_name("/dev/sdy").build())
        .build();
    let attached = |id: &str, is_root| AttachedVolume { id: VolumeId::parse(id).unwrap(), is_root, tags: Vec::new() };
    let (volumes, unreadable) = attached_volumes(&ec2);
    assert_eq!(volumes, [attached("vol-1", true), attached("vol-2", false), attached("vol-4", false)]);
    assert_eq!(unreadable, None);
    let expected = Instance { id: InstanceId::parse("i-0a").unwrap(), state: InstanceState::Running, volumes };
    assert_eq!(read_instance(&ec2, expected.volumes.clone()), Some(expected));
    assert_eq!(read_instance(&instance("machine", "vol-1", &[]).build(), Vec::new()), None);
}

#[test]
fn without_a_root_device_no_volume_is_the_root_volume() {
    let ec2 = types::Instance::builder()
        .block_device_mappings(types::InstanceBlockDeviceMapping::builder().ebs(ebs("vol-1")).build())
        .block_device_mappings(mapping("/dev/sda1", "vol-2"))
        .build();
    assert!(attached_volumes(&ec2).0.iter().all(|volume| !volume.is_root));
}

fn ebs(volume: &str) -> types::EbsInstanceBlockDevice {
    types::EbsInstanceBlockDevice::builder().volume_id(volume).build()
}

#[track_caller]
fn check_state(name: &str, is_configured: Option<bool>, reason: Option<&str>, expected: &InstanceState) {
    let state = types::InstanceState::builder().name(name.into()).build();
    let hibernation = types::HibernationOptions::builder().set_configured(is_configured).build();
    let reason = types::StateReason::builder().set_code(reason.map(ToOwned::to_owned)).build();
    let ec2 = types::Instance::builder().state(state).hibernation_options(hibernation).state_reason(reason).build();
    assert_eq!(&instance_state(&ec2), expected, "{name}");
}

#[test]
fn states_are_read_and_a_hibernated_instance_is_known_by_its_reason() {
    for (name, state) in [
        ("pending", InstanceState::Pending),
        ("running", InstanceState::Running),
        ("shutting-down", InstanceState::ShuttingDown),
        ("stopped", InstanceState::Stopped),
        ("stopping", InstanceState::Stopping),
        ("terminated", InstanceState::Terminated),
        ("haunted", InstanceState::Unknown("haunted".to_owned())),
    ] {
        check_state(name, Some(false), None, &state);
    }
    assert_eq!(instance_state(&types::Instance::builder().build()), InstanceState::Unknown("unstated".to_owned()));
    for name in ["stopped", "stopping"] {
        check_state(name, Some(true), Some("Client.UserInitiatedHibernate"), &InstanceState::Hibernated);
    }
    check_state("stopped", Some(true), Some("Client.UserInitiatedShutdown"), &InstanceState::Stopped);
    check_state("stopped", None, Some("Client.UserInitiatedHibernate"), &InstanceState::Stopped);
    check_state("running", Some(true), Some("Client.UserInitiatedHibernate"), &InstanceState::Running);
}

#[tokio::test]
async fn tags_of_volumes_are_read_only_when_something_hangs_on_them() {
    let found = || targeted(|| vec![instance("i-1", "vol-1", &["vol-2"]).build()]);
    let by_instance = || {
        mock!(Client::describe_volumes)
            .match_requests(|asked| {
                asked.max_results() == Some(1000)
                    && filters_of(asked.filters()) == [("attachment.instance-id", vec!["i-1"])]
            })
            .then_output(|| {
                let root = tagged_volume("vol-1", &[("a", "1"), ("b", "2")]);
                volumes(vec![root, tagged_volume("vol-2", &[]), tagged_volume("vol-9", &[])], None)
            })
    };
    let world = observe_excluding(&[], &[&found(), &no_snapshots()]).await;
    assert_eq!(tags(&world), ["vol-1 0", "vol-2 0"]);
    let world = observe_excluding(&[("tier", "scratch")], &[&found(), &by_instance(), &no_snapshots()]).await;
    assert_eq!(tags(&world), ["vol-1 2", "vol-2 0"]);
    assert_eq!(world.instances[0].volumes[0].tags, tags_of(&[("a", "1"), ("b", "2")]));
    let mut copying = instance_policy(&[]);
    copying.schedules[0].copy_tags = true;
    let world = account(&[&found(), &by_instance(), &no_snapshots()]).observe(&copying).await.unwrap();
    assert_eq!(tags(&world), ["vol-1 2", "vol-2 0"]);
    assert_eq!(world.coverage, Coverage::Complete);
}

#[tokio::test]
async fn a_volume_of_several_instances_has_its_tags_in_each() {
    let found =
        targeted(|| vec![instance("i-1", "vol-1", &["vol-3"]).build(), instance("i-2", "vol-2", &["vol-3"]).build()]);
    let by_instance = volumes_by("attachment.instance-id", || {
        let tagged = |id| tagged_volume(id, &[("a", "1")]);
        volumes(vec![tagged("vol-1"), tagged("vol-2"), tagged("vol-3")], None)
    });
    let world = observe_excluding(&[("a", "2")], &[&found, &by_instance, &no_snapshots()]).await;
    assert_eq!(tags(&world), ["vol-1 1", "vol-3 1", "vol-2 1", "vol-3 1"]);
}

#[tokio::test]
async fn a_volume_that_came_off_between_the_looks_is_asked_for_by_id_and_left_out_by_no_guess() {
    let found = targeted(|| vec![instance("i-1", "vol-1", &["vol-2", "vol-3"]).build()]);
    let by_instance =
        volumes_by("attachment.instance-id", || volumes(vec![tagged_volume("vol-1", &[("a", "1")])], None));
    let by_id = mock!(Client::describe_volumes)
        .match_requests(|asked| filters_of(asked.filters()) == [("volume-id", vec!["vol-2", "vol-3"])])
        .then_output(|| volumes(vec![tagged_volume("vol-2", &[("a", "1")])], None));
    let world = observe_excluding(&[("a", "1")], &[&found, &by_instance, &by_id, &no_snapshots()]).await;
    assert_eq!(tags(&world), ["vol-1 1", "vol-2 1", "vol-3 0"]);
    assert_eq!(by_id.num_calls(), 1);
}

#[tokio::test]
async fn instances_are_asked_about_200_at_a_time() {
    let found = targeted(|| (0..450).map(|n| instance(&format!("i-{n:x}"), "vol-1", &[]).build()).collect());
    let by_instance = volumes_by("attachment.instance-id", || volumes(vec![tagged_volume("vol-1", &[])], None));
    let world = observe_excluding(&[("a", "1")], &[&found, &by_instance, &no_snapshots()]).await;
    assert_eq!((world.instances.len(), by_instance.num_calls()), (450, 3));
}

#[tokio::test]
async fn an_instance_with_a_volume_that_cannot_be_read_stays_and_the_observation_is_partial() {
    let found = targeted(|| vec![instance("i-1", "vol-1", &["disk-2"]).build()]);
    let world = observe_excluding(&[], &[&found, &no_snapshots()]).await;
    assert_eq!(tags(&world), ["vol-1 0"]);
    assert_eq!(world.coverage, Coverage::Partial(CutShort::Unreadable));
    let found = targeted(|| vec![instance("machine-1", "vol-1", &[]).build(), instance("i-2", "vol-2", &[]).build()]);
    let world = observe_excluding(&[], &[&found, &no_snapshots()]).await;
    assert_eq!(ids(&world), ["i-2"]);
    assert_eq!(world.coverage, Coverage::Partial(CutShort::Unreadable));
}

#[tokio::test]
async fn a_failed_look_at_instances_or_their_volumes_fails_the_observation() {
    let denied = mock!(Client::describe_instances).then_http_response(|| error_answer(403, "UnauthorizedOperation"));
    let error = account(&[&denied, &no_snapshots()]).observe(&instance_policy(&[])).await.unwrap_err();
    assert!(error.to_string().starts_with("DescribeInstances failed with UnauthorizedOperation"), "{error}");
    let found = targeted(|| vec![instance("i-1", "vol-1", &[]).build()]);
    let denied = mock!(Client::describe_volumes).then_http_response(|| error_answer(403, "UnauthorizedOperation"));
    let account = account(&[&found, &denied, &no_snapshots()]);
    let error = account.observe(&instance_policy(&[("a", "1")])).await.unwrap_err();
    assert_eq!(error.name(), "AccessDenied");
}
