//! The fields of default policies, which stand in `PolicyDetails` or, as a shorthand, beside it.

use super::super::{
    Age, AgeUnit, CopyRule, CreateRule, DefaultTargets, RetainRule, Schedule, ScheduleName, Tag, Targets,
};
use super::details::Details;
use super::kind::Kinds;
use super::node::{Field, Node, Word};
use super::object::Object;
use super::pattern;
use super::shape;
use super::tags;
use crate::place::Region;
use std::collections::BTreeSet;
use std::num::NonZeroU32;

/// The days between snapshots when `CreateInterval` is absent (reference 1.2).
const CREATE_DAYS_DEFAULT: u32 = 1;

/// The days that snapshots stay when `RetainInterval` is absent (reference 1.2).
const RETAIN_DAYS_DEFAULT: u32 = 7;

/// `ExcludeVolumeTypes`: at most six of these seven, so that one type stays.
const VOLUME_TYPES: [Word<&str>; 7] = [
    volume_type("gp2"),
    volume_type("gp3"),
    volume_type("io1"),
    volume_type("io2"),
    volume_type("sc1"),
    volume_type("st1"),
    volume_type("standard"),
];

const fn volume_type(name: &'static str) -> Word<&'static str> {
    Word::new(name, name)
}

/// What `Exclusions` leave out.
#[derive(Debug, Default)]
struct Exclusions {
    boot_volumes: bool,
    volume_types: Vec<String>,
    tags: Vec<Tag>,
}

/// Takes and checks them (V15). What they make is a policy only where the document is a default policy for volumes.
pub(super) fn read(object: &mut Object<'_>) -> Option<Details> {
    let create = object.take("CreateInterval").integer(1..=7);
    let retain_node = object.take("RetainInterval");
    let retain = retain_node.integer(2..=14);
    let copy_tags = object.take("CopyTags").boolean();
    let extend_deletion = object.take("ExtendDeletion").boolean();
    let copies_node = object.take("CrossRegionCopyTargets");
    let regions = copies_node.list(0..=3, |entry| {
        entry.object(&shape::COPY_TARGET, |target| target.take("TargetRegion").matching(&pattern::REGION).given())
    });
    let regions = regions.and_then(|regions| distinct(&copies_node, &regions));
    let exclusions = object.take("Exclusions").object(&shape::EXCLUSIONS, exclusions);
    check_intervals(&retain_node, create, retain);
    if object.kinds() != Kinds::DEFAULT_VOLUMES {
        return None;
    }
    let exclusions = exclusions.or(Exclusions::default())?;
    let targets = DefaultTargets {
        create_interval_days: NonZeroU32::new(create.or(CREATE_DAYS_DEFAULT)?)?,
        exclude_boot_volumes: exclusions.boot_volumes,
        exclude_volume_types: exclusions.volume_types,
        exclude_tags: exclusions.tags,
        extend_deletion: extend_deletion.or(false)?,
    };
    let retain_days = NonZeroU32::new(retain.or(RETAIN_DAYS_DEFAULT)?)?;
    let retain = Age { interval: retain_days, unit: AgeUnit::Days };
    let copies = regions.or(Vec::new())?.into_iter().map(|region| copy_rule(region, retain)).collect();
    let schedules = vec![schedule(retain, copy_tags.or(false)?, copies)];
    Some(Details { targets: Targets::AllVolumes(targets), schedules })
}

/// The only schedule of a default policy. Whom it serves at a start is up to its targets.
fn schedule(retain: Age, copy_tags: bool, copies: Vec<CopyRule>) -> Schedule {
    Schedule {
        name: ScheduleName::of_default_policy(),
        create: CreateRule::OnStart,
        retain: RetainRule::Age(retain),
        copy_tags,
        tags_to_add: Vec::new(),
        variable_tags: Vec::new(),
        copies,
    }
}

/// A copy stays as long as its snapshot, gets no tags, and is encrypted where the snapshot is (reference 2.15).
fn copy_rule(region: Region, retain: Age) -> CopyRule {
    CopyRule { region, retain: Some(retain), encrypted: false, copy_tags: false, key: None }
}

/// The Regions, unless one stands there twice.
fn distinct(node: &Node<'_>, names: &[&str]) -> Option<Vec<Region>> {
    let mut seen = BTreeSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(**name)) {
        node.error(format!("two targets are {twice}, expected each Region once"));
        return None;
    }
    let regions = names.iter().map(|name| Region::parse(name)).collect::<Option<Vec<Region>>>();
    if regions.is_none() {
        return node.expected(pattern::REGION.expected).given();
    }
    regions
}

fn check_intervals(retain_node: &Node<'_>, create: Field<u32>, retain: Field<u32>) {
    let (Some(create), Some(retain)) = (create.or(CREATE_DAYS_DEFAULT), retain.or(RETAIN_DAYS_DEFAULT)) else {
        return;
    };
    if retain < create {
        retain_node.error(format!("{retain} days, expected more than the {create} days of CreateInterval"));
    } else if retain == create {
        retain_node.warning(format!(
            "{retain} days, expected more than the {create} days of CreateInterval: Amazon DLM's API asks for more, \
             its console for as many"
        ));
    }
}

fn exclusions(object: &mut Object<'_>) -> Option<Exclusions> {
    let boot_volumes = boot_volumes(object);
    let types = object.take("ExcludeVolumeTypes").list(0..=6, |entry| entry.word(&VOLUME_TYPES));
    let tags = tags::excluding(&object.take("ExcludeTags"));
    Some(Exclusions {
        boot_volumes: boot_volumes?,
        volume_types: types.or(Vec::new())?.into_iter().map(str::to_owned).collect(),
        tags: tags.or(Vec::new())?,
    })
}

/// `ExcludeBootVolumes`, or what Amazon's own user guide calls it in an example (reference 1.11).
fn boot_volumes(object: &mut Object<'_>) -> Option<bool> {
    let node = object.take("ExcludeBootVolumes");
    let misspelled_node = object.take("ExcludeBootVolume");
    let (given, misspelled) = (node.boolean(), misspelled_node.boolean());
    if misspelled == Field::Absent || !object.kinds().meets(Kinds::DEFAULT_VOLUMES) {
        return given.or(false);
    }
    misspelled_node.warning("ExcludeBootVolume is read as ExcludeBootVolumes, expected the latter");
    let misspelled = misspelled.given()?;
    let given = given.or(misspelled)?;
    if given != misspelled {
        misspelled_node.error(format!("{misspelled} where ExcludeBootVolumes is {given}, expected only the latter"));
        return None;
    }
    Some(given)
}
