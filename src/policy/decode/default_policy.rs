//! The fields of default policies, which stand in `PolicyDetails` or, as a shorthand, beside it.

use super::kind::Kinds;
use super::node::{Field, Word};
use super::object::Object;
use super::pattern;
use super::shape;
use super::tags;

/// The days between snapshots when `CreateInterval` is absent (reference 1.2).
const CREATE_DAYS_DEFAULT: u32 = 1;

/// The days that snapshots stay when `RetainInterval` is absent (reference 1.2).
const RETAIN_DAYS_DEFAULT: u32 = 7;

/// `ExcludeVolumeTypes`: at most six of these seven, so that one type stays.
const VOLUME_TYPES: [Word<()>; 7] = [
    Word::new("gp2", ()),
    Word::new("gp3", ()),
    Word::new("io1", ()),
    Word::new("io2", ()),
    Word::new("sc1", ()),
    Word::new("st1", ()),
    Word::new("standard", ()),
];

/// Takes and checks them (V15).
pub(super) fn check(object: &mut Object<'_>) {
    let create = object.take("CreateInterval").integer(1..=7);
    let retain_node = object.take("RetainInterval");
    let retain = retain_node.integer(2..=14);
    for name in ["CopyTags", "ExtendDeletion"] {
        object.take(name).boolean();
    }
    object.take("CrossRegionCopyTargets").list(0..=3, |entry| {
        entry.object(&shape::COPY_TARGET, |target| target.take("TargetRegion").matching(&pattern::REGION).given())
    });
    object.take("Exclusions").object(&shape::EXCLUSIONS, check_exclusions);
    let is_given = create != Field::Absent || retain != Field::Absent;
    if let (Some(create), Some(retain)) = (create.or(CREATE_DAYS_DEFAULT), retain.or(RETAIN_DAYS_DEFAULT))
        && is_given
    {
        if retain < create {
            retain_node.error(format!("{retain} days, expected more than the {create} days of CreateInterval"));
        } else if retain == create {
            retain_node.warning(format!(
                "{retain} days, expected more than the {create} days of CreateInterval: Amazon DLM's API asks \
                 for more, its console for as many"
            ));
        }
    }
}

fn check_exclusions(object: &mut Object<'_>) -> Option<()> {
    object.take("ExcludeBootVolumes").boolean();
    let misspelled = object.take("ExcludeBootVolume");
    if misspelled.boolean() != Field::Absent && object.kinds().meets(Kinds::DEFAULT_VOLUMES) {
        misspelled.warning("ExcludeBootVolume is read as ExcludeBootVolumes, expected the latter");
    }
    object.take("ExcludeVolumeTypes").list(0..=6, |entry| entry.word(&VOLUME_TYPES));
    tags::excluding(&object.take("ExcludeTags"));
    Some(())
}
