use super::*;
use crate::aws::observe::tests::{instance, volume};
use crate::aws::tests::account;
use crate::world::Asks;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::operation::describe_images::{DescribeImagesError, DescribeImagesOutput};
use aws_sdk_ec2::operation::describe_instances::DescribeInstancesOutput;
use aws_sdk_ec2::operation::describe_volumes::{DescribeVolumesError, DescribeVolumesOutput};
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::error::ErrorMetadata;

fn source(text: &str) -> SourceId {
    VolumeId::parse(text).map(SourceId::Volume).unwrap_or_else(|| SourceId::Instance(InstanceId::parse(text).unwrap()))
}

fn asks(sources: &[&str], images: bool) -> Asks {
    Asks { sources: sources.iter().map(|text| source(text)).collect(), images }
}

async fn closer(asks: &Asks, rules: &[&Rule]) -> (World, Option<String>) {
    let mut world = World::default();
    let failed = account(rules).look_closer(asks, &mut world).await.unwrap();
    (world, failed.map(|failed| failed.code))
}

/// What EC2 answers to the ids of volumes: an error where `vol-0b` is among them, which does not exist (EC2 API reference,
/// "Client error codes": `InvalidVolume.NotFound`), else what it has of them.
fn volumes_by_id(shown: &'static [(&'static str, &'static str)]) -> Vec<Rule> {
    let has_missing = |ids: &[String]| ids.iter().any(|id| id == "vol-0b");
    let fails = mock!(Client::describe_volumes)
        .match_requests(move |asked| has_missing(asked.volume_ids()) && asked.max_results().is_none())
        .then_error(|| {
            let error =
                ErrorMetadata::builder().code("InvalidVolume.NotFound").message("The volume 'vol-0b' does not exist.");
            DescribeVolumesError::generic(error.build())
        });
    let shows = mock!(Client::describe_volumes)
        .match_requests(move |asked| !has_missing(asked.volume_ids()))
        .then_compute_output(move |asked| {
            let known = shown.iter().filter(|(id, _)| asked.volume_ids().iter().any(|asked| asked == id));
            let volumes = known.map(|(id, state)| {
                let mut read = volume(id);
                read.state = Some((*state).into());
                read
            });
            DescribeVolumesOutput::builder().set_volumes(Some(volumes.collect())).build()
        });
    vec![fails, shows]
}

#[tokio::test]
async fn a_volume_is_gone_when_ec2_says_so_of_its_id_and_what_an_answer_leaves_out_is_not() {
    let rules = volumes_by_id(&[("vol-0a", "available"), ("vol-0d", "deleting")]);
    let asked = asks(&["vol-0a", "vol-0b", "vol-0c", "vol-0d"], false);
    let (world, _) = closer(&asked, &rules.iter().collect::<Vec<_>>()).await;
    assert_eq!(world.closer.gone, ["vol-0b", "vol-0d"].map(source).into());
    assert_eq!(world.untargeted, ["vol-0a"].map(source).into());
    assert!(!world.closer.images_asked);
}

#[tokio::test]
async fn a_terminated_instance_is_gone() {
    let shows = mock!(Client::describe_instances).then_output(|| {
        let terminated = types::InstanceState::builder().name(types::InstanceStateName::Terminated).build();
        let instances =
            vec![instance("i-0a", "vol-1", &[]).build(), instance("i-0b", "vol-2", &[]).state(terminated).build()];
        let reservation = types::Reservation::builder().set_instances(Some(instances)).build();
        DescribeInstancesOutput::builder().reservations(reservation).build()
    });
    let (world, _) = closer(&asks(&["i-0a", "i-0b"], false), &[&shows]).await;
    assert_eq!((world.closer.gone, world.untargeted), (["i-0b"].map(source).into(), ["i-0a"].map(source).into()));
}

#[tokio::test]
async fn what_amis_use_is_told_with_the_first_of_them() {
    let shows = mock!(Client::describe_images)
        .match_requests(|asked| asked.owners() == ["self"] && asked.include_disabled() == Some(true))
        .then_output(|| {
            let image = |id: &str, snapshots: &[&str]| {
                let devices = snapshots.iter().map(|snapshot| {
                    let ebs = types::EbsBlockDevice::builder().snapshot_id(*snapshot).build();
                    types::BlockDeviceMapping::builder().ebs(ebs).build()
                });
                types::Image::builder().image_id(id).set_block_device_mappings(Some(devices.collect())).build()
            };
            let images = vec![image("ami-0b", &["snap-01", "snap-02"]), image("ami-0a", &["snap-02"])];
            DescribeImagesOutput::builder().set_images(Some(images)).build()
        });
    let (world, failed) = closer(&asks(&[], true), &[&shows]).await;
    let told: Vec<String> =
        world.closer.used_by.iter().map(|(snapshot, image)| format!("{snapshot} {image}")).collect();
    assert_eq!((told, failed), (vec!["snap-01 ami-0b".to_owned(), "snap-02 ami-0a".to_owned()], None));
}

#[tokio::test]
async fn a_role_that_may_not_see_amis_goes_on() {
    let denied = mock!(Client::describe_images).then_error(|| {
        DescribeImagesError::generic(ErrorMetadata::builder().code("UnauthorizedOperation").message("no").build())
    });
    let (world, failed) = closer(&asks(&[], true), &[&denied]).await;
    assert_eq!(failed.as_deref(), Some("UnauthorizedOperation"));
    assert!(world.closer.images_asked && world.closer.used_by.is_empty());
}
