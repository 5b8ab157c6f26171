//! `CrossRegionCopyRules` of a schedule.

use super::amount::{Amount, Limits, Span};
use super::hint::shortened;
use super::kind::Kinds;
use super::node::{Field, Node};
use super::object::Object;
use super::pattern;
use super::shape;
use std::collections::BTreeSet;

/// Checks the copy rules of a schedule: at most three, and one for each destination (V9).
pub(super) fn check(node: &Node<'_>) {
    let rules = node.list(0..=3, |entry| entry.object(&shape::COPY_RULE, rule));
    let mut destinations = BTreeSet::new();
    if let Some(twice) = rules.given().unwrap_or_default().iter().find(|target| !destinations.insert(**target)) {
        node.error(format!("two rules copy to {}, expected one rule for each destination", shortened(twice)));
    }
}

/// The destination of a copy rule.
fn rule<'a>(object: &mut Object<'a>) -> Option<&'a str> {
    let destination = destination(object);
    object.take("Encrypted").boolean();
    object.take("CmkArn").matching(&pattern::KEY_ARN);
    object.take("CopyTags").boolean();
    let age = |node: Node<'a>, shape, limits: &Limits| node.object(shape, |rule| Span::read_rule(rule, limits));
    let retain = age(object.take("RetainRule"), &shape::COPY_RETAIN_RULE, &Limits::KEEP);
    let deprecate = age(object.take("DeprecateRule"), &shape::COPY_DEPRECATE_RULE, &Limits::DEPRECATE);
    if let (Field::Given(retain), Field::Given(deprecate)) = (retain, deprecate)
        && Amount::Age(deprecate).exceeds(Amount::Age(retain))
    {
        object
            .at("DeprecateRule")
            .error(format!("{deprecate} is longer than the copy's RetainRule of {retain}, expected at most that"));
    }
    destination
}

/// Snapshot policies say `Target`, AMI policies `TargetRegion` (V10). Each is understood for the other, with a warning:
/// people write both, and a snapshot policy made before `Target` existed has `TargetRegion` (E53).
fn destination<'a>(object: &mut Object<'a>) -> Option<&'a str> {
    let target_node = object.take("Target");
    let region_node = object.take("TargetRegion");
    let target = target_node.matching(&pattern::COPY_TARGET);
    let region = region_node.matching(&pattern::REGION);
    let is_image = object.kinds().is_within(Kinds::IMAGES);
    let (name, other) = if is_image { ("TargetRegion", "Target") } else { ("Target", "TargetRegion") };
    match (target, region) {
        (Field::Given(target), Field::Given(region)) if target != region => {
            object
                .node()
                .error(format!("Target is {} and TargetRegion is {region}, expected only {name}", shortened(target)));
            None
        }
        (Field::Absent, Field::Absent) => {
            object.at(name).error("missing, expected a Region such as us-west-2");
            None
        }
        (target, region) => {
            let misnamed = if is_image { &target_node } else { &region_node };
            if !misnamed.is_empty() {
                misnamed.warning(format!("{other} is read as {name}, expected {name} on {}", object.kinds()));
            }
            target.given().or(region.given())
        }
    }
}
