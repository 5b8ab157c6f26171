use crate::aws::observe::tests::{
    ec2_tag, filters_of, instance, instances, instances_by, observe, snapshot, snapshots, tagged_volume, volume,
    volumes, volumes_by,
};
use crate::aws::tests::{account, error_answer, instance_policy, policy};
use crate::tags;
use crate::world::{Coverage, CutShort, World};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types;
use aws_smithy_mocks::{Rule, mock};

fn of_volumes(volumes: &'static [&'static str]) -> Rule {
    let of_volume = |(number, volume): (usize, &&str)| snapshot(&format!("snap-{number:x}")).volume_id(*volume).build();
    mock!(Client::describe_snapshots)
        .then_output(move || snapshots(volumes.iter().enumerate().map(of_volume).collect(), None))
}

fn of_instances(instances: &'static [&'static str]) -> Rule {
    let of_instance = |(number, instance): (usize, &&str)| {
        snapshot(&format!("snap-{number:x}")).tags(ec2_tag(tags::INSTANCE_ID, instance)).build()
    };
    mock!(Client::describe_snapshots)
        .then_output(move || snapshots(instances.iter().enumerate().map(of_instance).collect(), None))
}

fn targeted_volume() -> Rule {
    volumes_by("tag:auto-backup", || volumes(vec![volume("vol-1")], None))
}

fn in_state(id: &str, state: types::VolumeState) -> types::Volume {
    let mut volume = tagged_volume(id, &[]);
    volume.state = Some(state);
    volume
}

fn untargeted(world: &World) -> Vec<String> {
    world.untargeted.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_volume_that_lost_its_tag_is_not_gone_and_one_on_its_way_out_is() {
    let by_id = mock!(Client::describe_volumes)
        .match_requests(|asked| {
            asked.max_results() == Some(1000)
                && asked.volume_ids().is_empty()
                && asked.include_managed_resources() == Some(true)
                && filters_of(asked.filters()) == [("volume-id", vec!["vol-2", "vol-3", "vol-4", "vol-5", "vol-6"])]
        })
        .then_output(|| {
            let deleting = in_state("vol-3", types::VolumeState::Deleting);
            let deleted = in_state("vol-4", types::VolumeState::Deleted);
            let failed = in_state("vol-6", types::VolumeState::Error);
            volumes(vec![in_state("vol-2", types::VolumeState::Available), deleting, deleted, failed], None)
        });
    let snapshots = of_volumes(&["vol-1", "vol-3", "vol-2", "vol-5", "vol-4", "vol-6", "vol-2"]);
    let world = observe(&[&targeted_volume(), &by_id, &snapshots]).await;
    assert_eq!(untargeted(&world), ["vol-2", "vol-6"]);
    assert_eq!(world.volumes.len(), 1);
    assert_eq!((world.coverage, by_id.num_calls()), (Coverage::Complete, 1));
}

#[tokio::test]
async fn nothing_is_looked_up_when_all_sources_are_targeted_or_not_ours() {
    let rule = mock!(Client::describe_snapshots).then_output(|| {
        let copy = snapshot("snap-2").volume_id("vol-ffffffff").build();
        let foreign = snapshot("snap-3").volume_id("vol-3").description("mine").build();
        snapshots(vec![snapshot("snap-1").volume_id("vol-1").build(), copy, foreign], None)
    });
    let volumes = targeted_volume();
    let world = observe(&[&volumes, &rule]).await;
    assert_eq!((untargeted(&world).len(), volumes.num_calls()), (0, 1));
}

#[tokio::test]
async fn the_instances_of_sets_are_looked_up_by_their_tag() {
    let targeted = instances_by("tag:auto-backup", || instances(vec![instance("i-1", "vol-1", &[]).build()], None));
    let by_id = mock!(Client::describe_instances)
        .match_requests(|asked| {
            asked.max_results() == Some(1000)
                && asked.instance_ids().is_empty()
                && asked.include_managed_resources() == Some(true)
                && filters_of(asked.filters()) == [("instance-id", vec!["i-2", "i-3", "i-4", "i-5"])]
        })
        .then_output(|| {
            let in_state = |id: &str, name: types::InstanceStateName| {
                let untagged = instance(id, "vol-9", &[]).set_tags(None);
                untagged.state(types::InstanceState::builder().name(name).build()).build()
            };
            let stopped = in_state("i-2", types::InstanceStateName::Stopped);
            let terminated = in_state("i-3", types::InstanceStateName::Terminated);
            let going = in_state("i-4", types::InstanceStateName::ShuttingDown);
            instances(vec![stopped, terminated, going], None)
        });
    let account = account(&[&targeted, &by_id, &of_instances(&["i-1", "i-2", "i-3", "i-4", "i-5", "machine"])]);
    let world = account.observe(&instance_policy(&[])).await.unwrap();
    assert_eq!(untargeted(&world), ["i-2"]);
    assert_eq!(world.coverage, Coverage::Complete);
}

#[tokio::test]
async fn many_sources_are_looked_up_200_at_a_time_and_page_by_page() {
    let ours = mock!(Client::describe_snapshots).then_output(|| {
        let of_volume = |n: usize| snapshot(&format!("snap-{n:x}")).volume_id(format!("vol-{n:04x}")).build();
        snapshots((16..466).map(of_volume).collect(), None)
    });
    let by_id = mock!(Client::describe_volumes)
        .match_requests(|asked| filters_of(asked.filters())[0].0 == "volume-id")
        .then_compute_output(|asked| {
            // Each chunk comes in two pages: the first half, then the other.
            let (first, second) = asked.filters()[0].values().split_at(asked.filters()[0].values().len() / 2);
            let (ids, next) = if asked.next_token().is_none() { (first, Some("more")) } else { (second, None) };
            volumes(ids.iter().map(|id| tagged_volume(id, &[])).collect(), next)
        });
    let world = observe(&[&targeted_volume(), &by_id, &ours]).await;
    assert_eq!((world.untargeted.len(), by_id.num_calls()), (450, 6));
}

#[tokio::test]
async fn a_look_up_that_fails_fails_the_observation() {
    for (status, code, name) in [
        (403, "UnauthorizedOperation", "AccessDenied"),
        (503, "RequestLimitExceeded", "Throttled"),
        (500, "InternalError", "Unavailable"),
        (400, "InvalidParameterValue", "Unavailable"),
    ] {
        let by_id = mock!(Client::describe_volumes)
            .match_requests(|asked| filters_of(asked.filters())[0].0 == "volume-id")
            .then_http_response(move || error_answer(status, code));
        let account = account(&[&targeted_volume(), &by_id, &of_volumes(&["vol-2"])]);
        let error = account.observe(&policy(&[("auto-backup", "dlm")])).await.unwrap_err();
        assert_eq!(error.name(), name, "{code}");
    }
}

#[tokio::test]
async fn a_look_up_that_is_cut_short_takes_nothing_for_gone() {
    let circle = volumes_by("volume-id", || volumes(vec![], Some("again")));
    let world = observe(&[&targeted_volume(), &circle, &of_volumes(&["vol-2", "vol-3"])]).await;
    assert_eq!(untargeted(&world), ["vol-2", "vol-3"]);
    assert_eq!(world.coverage, Coverage::Partial(CutShort::TooManyPages));
    let garbled = volumes_by("volume-id", || volumes(vec![tagged_volume("disk-2", &[])], None));
    let world = observe(&[&targeted_volume(), &garbled, &of_volumes(&["vol-2"])]).await;
    assert_eq!(untargeted(&world), ["vol-2"]);
    assert_eq!(world.coverage, Coverage::Partial(CutShort::Unreadable));
}

#[tokio::test]
async fn what_was_not_asked_for_is_not_noted() {
    let by_id =
        volumes_by("volume-id", || volumes(vec![tagged_volume("vol-2", &[]), tagged_volume("vol-9", &[])], None));
    let world = observe(&[&targeted_volume(), &by_id, &of_volumes(&["vol-2"])]).await;
    assert_eq!(untargeted(&world), ["vol-2"]);
}

/// The user's case: one empty answer of DescribeVolumes, HTTP 200, must not lose the day.
#[tokio::test]
async fn what_the_look_by_id_shows_with_a_target_tag_is_a_target_although_the_listing_lacked_it() {
    let empty = volumes_by("tag:auto-backup", || volumes(vec![], None));
    let by_id = volumes_by("volume-id", || {
        let hidden = types::OperatorResponse::builder().managed(true).hidden_by_default(true).build();
        let mut managed = tagged_volume("vol-4", &[("auto-backup", "dlm")]);
        managed.operator = Some(hidden);
        let mut going = tagged_volume("vol-5", &[("auto-backup", "dlm")]);
        going.state = Some(types::VolumeState::Deleting);
        let others =
            [tagged_volume("vol-3", &[("auto-backup", "DLM")]), tagged_volume("vol-9", &[("auto-backup", "dlm")])];
        volumes(
            [tagged_volume("vol-2", &[("auto-backup", "dlm")]), managed, going].into_iter().chain(others).collect(),
            None,
        )
    });
    let world = observe(&[&empty, &by_id, &of_volumes(&["vol-2", "vol-3", "vol-4", "vol-5"])]).await;
    let targeted: Vec<_> = world.volumes.iter().map(|volume| (volume.id.to_string(), volume.tags.len())).collect();
    assert_eq!(targeted, [("vol-2".to_owned(), 0)], "read as the listing reads it, without tags that nobody asks for");
    assert_eq!(untargeted(&world), ["vol-3", "vol-4"]);
    assert_eq!(world.coverage, Coverage::Complete);
}

#[tokio::test]
async fn an_instance_that_the_listing_lacked_is_a_target_with_its_volumes() {
    let empty = instances_by("tag:auto-backup", || instances(vec![], None));
    let by_id = instances_by("instance-id", || {
        let untagged = instance("i-3", "vol-3", &[]).set_tags(None).build();
        instances(vec![instance("i-2", "vol-2", &[]).build(), untagged], None)
    });
    let account = account(&[&empty, &by_id, &of_instances(&["i-2", "i-3"])]);
    let world = account.observe(&instance_policy(&[])).await.unwrap();
    let targeted: Vec<_> =
        world.instances.iter().map(|instance| (instance.id.to_string(), instance.volumes.len())).collect();
    assert_eq!((targeted, untargeted(&world)), (vec![("i-2".to_owned(), 1)], vec!["i-3".to_owned()]));
}
