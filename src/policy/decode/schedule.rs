//! One schedule of a policy.

use super::super::{PolicyId, Schedule, ScheduleName};
use super::amount::{self, Amount, Limits};
use super::archive;
use super::copy;
use super::create_rule::{self, Created};
use super::details::Location;
use super::fast_restore;
use super::node::{Field, Node};
use super::object::Object;
use super::shape;
use super::share;
use super::tags;

/// What the schedules of a policy share.
#[derive(Debug)]
pub(super) struct Setting {
    /// Of the policy.
    pub(super) id: PolicyId,
    /// Where the policy's resources are.
    pub(super) location: Location,
    /// Whether `ExcludeDataVolumeTags` leaves volumes out.
    pub(super) excludes_data_volumes: bool,
}

/// What is known of a schedule once it has been read, right or wrong.
#[derive(Debug)]
pub(super) struct Outline {
    /// Its name, unless that is wrong.
    pub(super) name: Option<ScheduleName>,
    /// What it retains, unless that is wrong.
    pub(super) retain: Option<Amount>,
    /// Whether it archives.
    pub(super) archives: bool,
    /// The schedule, if all of it is right.
    pub(super) schedule: Option<Schedule>,
}

/// The rules that need a snapshot in the Region which stays there: at least one is retained (V5), and it is not made on
/// an Outpost or in a Local Zone (V9, V13).
const REGIONAL_RULES: [&str; 3] = ["FastRestoreRule", "CrossRegionCopyRules", "ShareRules"];

/// Reads a schedule.
pub(super) fn read(node: &Node<'_>, setting: &Setting) -> Field<Outline> {
    node.object(&shape::SCHEDULE, |object| Some(outline(object, setting)))
}

fn outline(object: &mut Object<'_>, setting: &Setting) -> Outline {
    let name = name(&object.take("Name"));
    let derivation = name.clone().unwrap_or_else(ScheduleName::default_name);
    let created = create_rule::read(&object.take("CreateRule"), &setting.id, &derivation).given();
    let retain = amount::rule(&object.take("RetainRule"), &shape::RETAIN_RULE, &Limits::RETAIN).given();
    let copy_tags = object.take("CopyTags").boolean();
    let tags_to_add = tags::to_add(&object.take("TagsToAdd")).or(Vec::new());
    let variable_node = object.take("VariableTags");
    let variable_tags = tags::variable(&variable_node).or(Vec::new());
    let copies = copy::read(&object.take("CrossRegionCopyRules"));
    check_companions(object, created.as_ref(), retain);
    if let Some(created) = &created {
        check_create(object, created, setting, copy_tags == Field::Given(true));
    }
    let schedule = (|| {
        let tags_to_add = tags_to_add?;
        let variable_tags = tags::without_added(&variable_node, variable_tags?, &tags_to_add);
        Some(Schedule {
            name: name.clone()?,
            create: created?.rule?,
            retain: retain?.retain_rule()?,
            copy_tags: copy_tags.or(false)?,
            tags_to_add,
            variable_tags,
            copies: copies.or(Vec::new())?,
        })
    })();
    Outline { name, retain, archives: !object.at("ArchiveRule").is_empty(), schedule }
}

fn name(node: &Node<'_>) -> Option<ScheduleName> {
    match node.text() {
        Field::Absent => Some(ScheduleName::default_name()),
        Field::Invalid => None,
        Field::Given(text) => ScheduleName::parse(text).map_err(|error| node.error(error.to_string())).ok(),
    }
}

/// Reads the rules that hang on what is retained, and checks them against it.
fn check_companions(object: &mut Object<'_>, created: Option<&Created>, retain: Option<Amount>) {
    let fast_node = object.take("FastRestoreRule");
    let fast = fast_restore::read(&fast_node).given();
    let share_node = object.take("ShareRules");
    let unshare = share::read(&share_node);
    let deprecate_node = object.take("DeprecateRule");
    let deprecate = amount::rule(&deprecate_node, &shape::DEPRECATE_RULE, &Limits::DEPRECATE).given();
    let archive_node = object.take("ArchiveRule");
    let archive = archive::read(&archive_node).given();
    let create = created.and_then(|created| created.rule.as_ref());
    if let (Some(archive), Some(create)) = (archive, create) {
        archive::check(&archive_node, archive, create);
    }
    let Some(retain) = retain else { return };
    for (node, amount) in [(&fast_node, fast), (&deprecate_node, deprecate), (&archive_node, archive)] {
        if let Some(amount) = amount.filter(|amount| !amount.is_like(retain)) {
            node.error(format!("goes by {}, expected {} as RetainRule does", amount.kind(), retain.kind()));
        }
    }
    if let Some(deprecate) = deprecate.filter(|deprecate| deprecate.exceeds(retain)) {
        deprecate_node.error(format!("deprecates after {deprecate}, expected at most the RetainRule of {retain}"));
    }
    if let Some(fast) = fast.filter(|fast| fast.exceeds(retain)) {
        fast_node.warning(format!("makes {fast} fast, expected at most the RetainRule of {retain}"));
    }
    if let Some(unshare) = unshare {
        share::check(&share_node, unshare, retain, create);
    }
    check_zero(object, retain);
}

/// Nothing is retained only where an archive takes it over, and where no rule needs it (V5, E27).
fn check_zero(object: &Object<'_>, retain: Amount) {
    let node = object.at("RetainRule");
    if !retain.is_zero() {
        return;
    }
    if let Amount::Age(span) = retain
        && !matches!(span.unit, super::super::AgeUnit::Days)
    {
        node.error(format!("retains for {span}, expected 0 DAYS or at least one"));
    }
    if object.at("ArchiveRule").is_empty() {
        node.error(format!(
            "retains for {retain}, expected at least 1: 0 needs an ArchiveRule that takes the snapshots over"
        ));
    }
    for name in REGIONAL_RULES.into_iter().filter(|name| !object.at(name).is_empty()) {
        node.error(format!("retains for {retain} together with {name}, expected at least 1"));
    }
}

fn check_create(object: &Object<'_>, created: &Created, setting: &Setting, copies_tags: bool) {
    if created.location != Location::Cloud {
        if created.location != setting.location {
            object.at("CreateRule").error(format!(
                "Location is {} but ResourceLocations is {}, expected CLOUD or the place of the resources",
                created.location.word_of_snapshots(),
                setting.location.word_of_resources()
            ));
        }
        for name in REGIONAL_RULES.into_iter().filter(|name| !object.at(name).is_empty()) {
            object.at(name).error(format!(
                "set beside the Location {}, expected it only for snapshots in CLOUD",
                created.location.word_of_snapshots()
            ));
        }
    }
    if created.is_vss && copies_tags {
        object.at("CopyTags").error("true beside the script AWS_VSS_BACKUP, expected false");
    }
    if created.is_vss && setting.excludes_data_volumes {
        object.at("CreateRule").error("AWS_VSS_BACKUP beside ExcludeDataVolumeTags, expected one of the two");
    }
}
