//! `PolicyDetails`.

use super::super::{PolicyId, Schedule, Tag, Targets};
use super::default_policy;
use super::event;
use super::kind::Kinds;
use super::node::{Node, Word};
use super::object::Object;
use super::schedule::{self, Outline, Setting};
use super::shape;
use super::tags;
use std::collections::BTreeSet;

const POLICY_TYPES: [Word<()>; 3] = [
    Word::new("EBS_SNAPSHOT_MANAGEMENT", ()).on(Kinds::SNAPSHOTS.or(Kinds::DEFAULT_VOLUMES)),
    Word::new("EVENT_BASED_POLICY", ()).on(Kinds::EVENTS).later(),
    Word::new("IMAGE_MANAGEMENT", ()).on(Kinds::IMAGES.or(Kinds::DEFAULT_INSTANCES)).later(),
];

const LANGUAGES: [Word<()>; 2] =
    [Word::new("SIMPLIFIED", ()).on(Kinds::DEFAULTS), Word::new("STANDARD", ()).on(Kinds::CUSTOM)];

const RESOURCE_TYPES: [Word<()>; 2] =
    [Word::new("INSTANCE", ()).on(Kinds::INSTANCES.or(Kinds::IMAGES)), Word::new("VOLUME", ()).on(Kinds::VOLUMES)];

const DEFAULT_RESOURCE_TYPES: [Word<()>; 2] =
    [Word::new("INSTANCE", ()).on(Kinds::DEFAULT_INSTANCES), Word::new("VOLUME", ()).on(Kinds::DEFAULT_VOLUMES)];

const RESOURCE_LOCATIONS: [Word<Location>; 3] = [
    Word::new("CLOUD", Location::Cloud),
    Word::new("LOCAL_ZONE", Location::LocalZone).on(Kinds::SNAPSHOTS).later(),
    Word::new("OUTPOST", Location::Outpost).on(Kinds::SCHEDULED).later(),
];

/// Where resources are, or snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Location {
    /// In the Region.
    Cloud,
    /// In a Local Zone.
    LocalZone,
    /// On an Outpost.
    Outpost,
}

impl Location {
    /// As `ResourceLocations` has it.
    pub(super) fn word_of_resources(self) -> &'static str {
        match self {
            Self::Cloud => "CLOUD",
            Self::LocalZone => "LOCAL_ZONE",
            Self::Outpost => "OUTPOST",
        }
    }

    /// As `CreateRule.Location` has it.
    pub(super) fn word_of_snapshots(self) -> &'static str {
        match self {
            Self::Cloud => "CLOUD",
            Self::LocalZone => "LOCAL_ZONE",
            Self::Outpost => "OUTPOST_LOCAL",
        }
    }
}

/// What a policy does and to what.
#[derive(Debug)]
pub(super) struct Details {
    pub(super) targets: Targets,
    pub(super) schedules: Vec<Schedule>,
}

/// Which volumes of its instances a policy leaves out.
#[derive(Debug, Default)]
struct Parameters {
    exclude_boot_volume: bool,
    exclude_data_volume_tags: Vec<Tag>,
}

/// Reads the details of the policy with that id.
pub(super) fn read(object: &mut Object<'_>, id: &PolicyId) -> Option<Details> {
    let policy_type = object.take("PolicyType");
    policy_type.word(&POLICY_TYPES);
    object.take("PolicyLanguage").word(&LANGUAGES);
    object.take("ResourceTypes").list(1..=1, |entry| entry.word(&RESOURCE_TYPES));
    let resource_type = object.take("ResourceType");
    resource_type.word(&DEFAULT_RESOURCE_TYPES);
    if object.kinds() == Kinds::DEFAULTS && resource_type.is_empty() && policy_type.is_empty() {
        resource_type.error("missing, expected INSTANCE or VOLUME: what a default policy is about is never assumed");
    }
    let locations = object.take("ResourceLocations").list(1..=1, |entry| entry.word(&RESOURCE_LOCATIONS));
    let target_tags = tags::target(&object.take("TargetTags")).given();
    let parameters = parameters(&object.take("Parameters"));
    event::check_source(&object.take("EventSource"));
    event::check_actions(&object.take("Actions"));
    let of_default_policy = default_policy::read(object);
    let location = locations.given().and_then(|list| list.first().copied()).unwrap_or(Location::Cloud);
    let excludes_data_volumes = parameters.as_ref().is_some_and(|given| !given.exclude_data_volume_tags.is_empty());
    let setting = Setting { id: id.clone(), location, excludes_data_volumes };
    let schedules = schedules(&object.take("Schedules"), &setting);
    if object.kinds().is_within(Kinds::DEFAULTS) {
        return of_default_policy;
    }
    Some(Details { targets: targets(object.kinds(), target_tags?, parameters?)?, schedules: schedules? })
}

/// What a policy with schedules targets; `None` for what is not carried out yet.
fn targets(kinds: Kinds, any_of: Vec<Tag>, parameters: Parameters) -> Option<Targets> {
    let Parameters { exclude_boot_volume, exclude_data_volume_tags } = parameters;
    match kinds {
        Kinds::INSTANCES => Some(Targets::Instances { any_of, exclude_boot_volume, exclude_data_volume_tags }),
        Kinds::VOLUMES => Some(Targets::Volumes { any_of }),
        _ => None,
    }
}

/// Reads `Parameters`, which exclude nothing where they are absent.
fn parameters(node: &Node<'_>) -> Option<Parameters> {
    let parameters = node.object(&shape::PARAMETERS, |object| {
        let exclude_boot_volume = object.take("ExcludeBootVolume").boolean();
        object.take("NoReboot").boolean();
        let exclude_data_volume_tags = tags::excluding(&object.take("ExcludeDataVolumeTags"));
        Some(Parameters {
            exclude_boot_volume: exclude_boot_volume.or(false)?,
            exclude_data_volume_tags: exclude_data_volume_tags.or(Vec::new())?,
        })
    });
    parameters.or(Parameters::default())
}

fn schedules(node: &Node<'_>, setting: &Setting) -> Option<Vec<Schedule>> {
    let outlines = node.list(1..=4, |entry| {
        // Its errors are told; the list goes on, so that schedules are compared with each other whatever is wrong.
        schedule::read(entry, setting).and_then(|outline| Some((entry.clone(), outline)))
    });
    let outlines = outlines.given()?;
    check_names(&outlines);
    check_kinds(&outlines);
    check_archives(&outlines);
    outlines.into_iter().map(|(_, outline)| outline.schedule).collect()
}

/// A schedule's name is its identity, so no two are alike. Whether DLM enforces it is unknown.
fn check_names(outlines: &[(Node<'_>, Outline)]) {
    let mut names = BTreeSet::new();
    for (node, outline) in outlines {
        if let Some(name) = outline.name.as_ref().filter(|name| !names.insert((*name).clone())) {
            node.error(format!("Name is {:?} as another schedule's, expected a name of its own", name.as_str()));
        }
    }
}

/// DLM's console wants all schedules to retain by count or all by age; whether its API does is unknown, and opendlm
/// does not care (V3).
fn check_kinds(outlines: &[(Node<'_>, Outline)]) {
    let retained: Vec<(&Node<'_>, super::amount::Amount)> =
        outlines.iter().filter_map(|(node, outline)| Some((node, outline.retain?))).collect();
    let Some(((_, first), others)) = retained.split_first() else { return };
    for (node, retain) in others.iter().filter(|(_, retain)| !retain.is_like(*first)) {
        node.warning(format!(
            "retains by {} where the first schedule retains by {}, expected one kind if it shall go to Amazon DLM",
            retain.kind(),
            first.kind()
        ));
    }
}

/// One schedule at most archives (V6).
fn check_archives(outlines: &[(Node<'_>, Outline)]) {
    for (node, _) in outlines.iter().filter(|(_, outline)| outline.archives).skip(1) {
        node.error("ArchiveRule is set in another schedule too, expected it in one schedule of a policy");
    }
}
