use super::*;
use crate::aws::observe::tests::{instance, instances, tagged_volume, volumes};
use crate::aws::tests::{account, default_policy, error_answer, instance_policy, policy};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::operation::describe_images::DescribeImagesOutput;
use aws_sdk_ec2::operation::describe_instances::DescribeInstancesError;
use aws_sdk_ec2::operation::describe_volumes::DescribeVolumesError;
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::error::ErrorMetadata;

fn not_found(code: &str) -> ErrorMetadata {
    ErrorMetadata::builder().code(code).message("does not exist").build()
}

fn source(id: &str) -> SourceId {
    VolumeId::parse(id).map(SourceId::Volume).or_else(|| InstanceId::parse(id).map(SourceId::Instance)).unwrap()
}

fn sources(ids: &[&str]) -> BTreeSet<SourceId> {
    ids.iter().map(|id| source(id)).collect()
}

/// Calls by ids as EC2's: one that is missing fails the call (capture of a real answer: `InvalidVolume.NotFound`), and ids with a
/// page size are refused (captures errors/33).
fn volumes_by_id(missing: &'static str, code: &'static str) -> [Rule; 2] {
    let is_by_id = |asked: &aws_sdk_ec2::operation::describe_volumes::DescribeVolumesInput| {
        !asked.volume_ids().is_empty() && asked.max_results().is_none() && asked.filters().is_empty()
    };
    let fails = mock!(Client::describe_volumes)
        .match_requests(move |asked| is_by_id(asked) && asked.volume_ids().iter().any(|id| id == missing))
        .then_error(move || DescribeVolumesError::generic(not_found(code)));
    let shows = mock!(Client::describe_volumes).match_requests(is_by_id).then_compute_output(|asked| {
        let state = |id: &str| match id {
            "vol-0d" => types::VolumeState::Deleting,
            _ => types::VolumeState::Available,
        };
        // One that nobody hears of: an answer without it, and without an error.
        let shown = asked.volume_ids().iter().filter(|id| *id != "vol-0f").map(|id| {
            let mut volume = tagged_volume(id, &[]);
            volume.state = Some(state(id));
            volume
        });
        volumes(shown.collect(), None)
    });
    [fails, shows]
}

#[tokio::test]
async fn a_volume_is_gone_when_ec2_says_so_of_its_id_or_shows_it_going_and_not_when_it_is_left_out() {
    for code in VOLUME_NOT_FOUND {
        let [fails, shows] = volumes_by_id("vol-0b", code);
        let mut world = World::default();
        let asked = sources(&["vol-0a", "vol-0b", "vol-0c", "vol-0d", "vol-0f"]);
        account(&[&fails, &shows])
            .look_for_sources(&policy(&[("auto-backup", "dlm")]), &asked, &mut world)
            .await
            .unwrap();
        assert_eq!(world.closer.gone, sources(&["vol-0b", "vol-0d"]), "{code}");
        assert_eq!(world.untargeted, sources(&["vol-0a", "vol-0c"]), "{code}");
        assert_eq!((world.volumes.len(), world.closer.images_asked), (0, false));
    }
}

/// EC2 API reference, "Error codes": `InvalidInstanceID.NotFound`; InstanceStateName: a terminated instance is shown for a while.
#[tokio::test]
async fn an_instance_is_gone_when_it_is_not_found_or_terminated() {
    for code in INSTANCE_NOT_FOUND {
        let fails = mock!(Client::describe_instances)
            .match_requests(|asked| asked.instance_ids().iter().any(|id| id == "i-0b"))
            .then_error(move || DescribeInstancesError::generic(not_found(code)));
        let shows = mock!(Client::describe_instances)
            .match_requests(|asked| asked.max_results().is_none() && !asked.instance_ids().is_empty())
            .then_compute_output(|asked| {
                let state = |id: &str| match id {
                    "i-0c" => types::InstanceStateName::Terminated,
                    "i-0d" => types::InstanceStateName::ShuttingDown,
                    _ => types::InstanceStateName::Stopped,
                };
                let shown = asked.instance_ids().iter().map(|id| {
                    let state = types::InstanceState::builder().name(state(id)).build();
                    instance(id, "vol-9", &[]).set_tags(None).state(state).build()
                });
                instances(shown.collect(), None)
            });
        let mut world = World::default();
        let asked = sources(&["i-0a", "i-0b", "i-0c", "i-0d"]);
        account(&[&fails, &shows])
            .look_for_sources(&policy(&[("auto-backup", "dlm")]), &asked, &mut world)
            .await
            .unwrap();
        assert_eq!(world.closer.gone, sources(&["i-0b", "i-0c", "i-0d"]), "{code}");
        assert_eq!(world.untargeted, sources(&["i-0a"]), "{code}");
    }
}

#[tokio::test]
async fn a_look_for_sources_that_fails_fails_the_turn_and_proves_nothing() {
    for (status, code, name) in [
        (403, "UnauthorizedOperation", "AccessDenied"),
        (503, "RequestLimitExceeded", "Throttled"),
        (500, "InternalError", "Unavailable"),
    ] {
        let fails = mock!(Client::describe_volumes)
            .sequence()
            .http_response(move || error_answer(status, code))
            .times(9)
            .build();
        let mut world = World::default();
        let error =
            account(&[&fails]).look_for_sources(&policy(&[]), &sources(&["vol-0a"]), &mut world).await.unwrap_err();
        assert_eq!((error.name(), world), (name, World::default()));
    }
}

fn image(id: &str, snapshots: &[&str]) -> types::Image {
    let mapping = |snapshot: &&str| {
        let ebs = types::EbsBlockDevice::builder().snapshot_id(*snapshot).build();
        types::BlockDeviceMapping::builder().device_name("/dev/sda1").ebs(ebs).build()
    };
    // An instance store has no snapshot.
    let store = types::BlockDeviceMapping::builder().device_name("/dev/sdb").virtual_name("ephemeral0").build();
    types::Image::builder()
        .image_id(id)
        .set_block_device_mappings(Some(snapshots.iter().map(mapping).chain([store]).collect()))
        .build()
}

/// EBS user guide, "Delete an Amazon EBS snapshot": a disabled AMI keeps its snapshots too. Fields as in the captures
/// describe-images/03 and 04.
#[tokio::test]
async fn what_amis_use_is_read_page_by_page_with_disabled_ones() {
    let images = mock!(Client::describe_images)
        .match_requests(|asked| {
            asked.owners() == ["self"]
                && asked.include_disabled() == Some(true)
                && asked.include_deprecated() == Some(true)
        })
        .then_compute_output(|asked| {
            let page = DescribeImagesOutput::builder();
            if asked.next_token().is_none() {
                page.images(image("ami-0b", &["snap-01", "snap-02"])).next_token("more").build()
            } else {
                page.images(image("ami-0a", &["snap-02"])).images(image("", &["snap-03"])).build()
            }
        });
    let mut closer = Closer::default();
    account(&[&images]).look_for_images(&mut closer).await.unwrap();
    let used: Vec<String> = closer.used_by.iter().map(|(snapshot, image)| format!("{snapshot} {image}")).collect();
    assert_eq!(used, ["snap-01 ami-0b", "snap-02 ami-0a"]);
    assert!(closer.images_asked);
}

#[tokio::test]
async fn a_role_without_the_right_has_asked_all_the_same() {
    for (status, code) in [(403, "UnauthorizedOperation"), (503, "RequestLimitExceeded")] {
        let fails = mock!(Client::describe_images)
            .sequence()
            .http_response(move || error_answer(status, code))
            .times(9)
            .build();
        let mut closer = Closer::default();
        account(&[&fails]).look_for_images(&mut closer).await.unwrap_err();
        assert_eq!(closer, Closer { images_asked: true, ..Closer::default() });
    }
}

/// The user's case: DescribeVolumes answers empty twice in one look, HTTP 200.
#[tokio::test]
async fn a_target_that_no_listing_showed_fails_the_look() {
    let mut tagged = tagged_volume("vol-0a", &[("auto-backup", "dlm")]);
    let by_id = |volume: types::Volume| {
        mock!(Client::describe_volumes).then_output(move || volumes(vec![volume.clone()], None))
    };
    let look = async |policy: &Policy, rule: &Rule, id: &str| {
        let mut world = World::default();
        let looked = account(&[rule]).look_for_sources(policy, &sources(&[id]), &mut world).await;
        (looked.map_err(|error| (error.name(), error.to_string())), world)
    };
    for policy in [policy(&[("auto-backup", "dlm")]), default_policy(false, &[])] {
        let (looked, world) = look(&policy, &by_id(tagged.clone()), "vol-0a").await;
        let (name, text) = looked.unwrap_err();
        assert_eq!((name, world), ("Unavailable", World::default()));
        assert!(text.contains("NotListed: vol-0a is a target of the policy by its id"), "{text}");
    }
    let instances =
        mock!(Client::describe_instances).then_output(|| instances(vec![instance("i-0a", "vol-9", &[]).build()], None));
    assert_eq!(look(&instance_policy(&[]), &instances, "i-0a").await.0.unwrap_err().0, "Unavailable");
    // A volume that outlived its instance is there, and no target of a policy for instances whatever its tags say.
    let (looked, world) = look(&instance_policy(&[("auto-backup", "dlm")]), &by_id(tagged.clone()), "vol-0a").await;
    assert_eq!((looked, world.untargeted), (Ok(()), sources(&["vol-0a"])));
    tagged.state = Some(types::VolumeState::Deleting);
    let (looked, world) = look(&policy(&[("auto-backup", "dlm")]), &by_id(tagged), "vol-0a").await;
    assert_eq!((looked, world.closer.gone), (Ok(()), sources(&["vol-0a"])));
}
