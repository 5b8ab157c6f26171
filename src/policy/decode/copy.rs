//! `CrossRegionCopyRules` of a schedule.

use super::super::{CopyRule, KeyArn};
use super::amount::{Amount, Limits, Span};
use super::hint::shortened;
use super::kind::Kinds;
use super::node::{Field, Node};
use super::object::Object;
use super::pattern;
use super::shape;
use crate::place::Region;
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Reads the copy rules of a schedule: at most three, and one for each destination (V9).
pub(super) fn read(node: &Node<'_>) -> Field<Vec<CopyRule>> {
    let destinations = RefCell::new(Vec::new());
    let rules = node.list(0..=3, |entry| {
        entry.object(&shape::COPY_RULE, |object| {
            let (destination, rule) = rule(object)?;
            destinations.borrow_mut().push(destination);
            Some(rule)
        })
    });
    let mut seen = BTreeSet::new();
    // Of a list that is wrong the entries are not compared.
    let twice = destinations.into_inner().into_iter().find(|destination| !seen.insert(*destination));
    if let (Field::Given(_), Some(twice)) = (&rules, twice) {
        node.error(format!("two rules copy to {}, expected one rule for each destination", shortened(twice)));
        return Field::Invalid;
    }
    rules.and_then(|rules| rules.into_iter().collect())
}

/// A copy rule with its destination; the rule is none where opendlm does not copy there, which is reported.
fn rule<'a>(object: &mut Object<'a>) -> Option<(&'a str, Option<CopyRule>)> {
    let (destination_node, destination) = destination(object);
    let encrypted = object.take("Encrypted").boolean();
    let key_node = object.take("CmkArn");
    let key = key_node.matching(&pattern::KEY_ARN);
    let copy_tags = object.take("CopyTags").boolean();
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
    let destination = destination?;
    let region = region(object, &destination_node, destination);
    let key = match key {
        Field::Absent => Some(None),
        Field::Invalid => None,
        Field::Given(text) => key_of(&key_node, text, destination).map(Some),
    };
    let rule = (|| {
        Some(CopyRule {
            region: region?,
            retain: retain.and_then(|retain| Amount::Age(retain).age().map(Some)).or(None)?,
            encrypted: encrypted.given()?,
            copy_tags: copy_tags.or(false)?,
            key: key?,
        })
    })();
    Some((destination, rule))
}

/// The Region of a destination, and nothing where it is an Outpost, which is reported.
fn region(object: &Object<'_>, node: &Node<'_>, destination: &str) -> Option<Region> {
    let region = Region::parse(destination);
    if region.is_none() && object.kinds().meets(Kinds::SNAPSHOTS) {
        node.value_not_supported("a copy to an Outpost");
    }
    region
}

/// EC2 encrypts a copy under a key of the copy's Region.
fn key_of(node: &Node<'_>, text: &str, destination: &str) -> Option<KeyArn> {
    let Some(key) = KeyArn::parse(text) else { return node.expected(KeyArn::EXPECTED).given() };
    let region = key.region().as_str();
    if region != destination {
        node.error(format!("the key is in {region}, expected one in {}, where the copy goes", shortened(destination)));
        return None;
    }
    Some(key)
}

/// Snapshot policies say `Target`, AMI policies `TargetRegion` (V10). Each is understood for the other, with a warning:
/// people write both, and a snapshot policy made before `Target` existed has `TargetRegion` (E53).
fn destination<'a>(object: &mut Object<'a>) -> (Node<'a>, Option<&'a str>) {
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
            (target_node, None)
        }
        (Field::Absent, Field::Absent) => {
            object.at(name).error("missing, expected a Region such as us-west-2");
            (target_node, None)
        }
        (target, region) => {
            let misnamed = if is_image { &target_node } else { &region_node };
            if !misnamed.is_empty() {
                misnamed.warning(format!("{other} is read as {name}, expected {name} on {}", object.kinds()));
            }
            let given = if target == Field::Absent { region_node } else { target_node };
            (given, target.given().or(region.given()))
        }
    }
}
