//! `FastRestoreRule` of a schedule.

use super::amount::{Amount, Limits};
use super::node::{Field, Node};
use super::pattern;
use super::shape;

/// Reads how many snapshots are made fast, or for how long.
pub(super) fn read(node: &Node<'_>) -> Field<Amount> {
    node.object(&shape::FAST_RESTORE_RULE, |rule| {
        let amount = Amount::read(rule, &Limits::KEEP);
        let names_node = rule.take("AvailabilityZones");
        let ids_node = rule.take("AvailabilityZoneIds");
        names_node.list(1..=10, |zone| zone.matching(&pattern::AVAILABILITY_ZONE));
        ids_node.list(1..=10, |zone| zone.matching(&pattern::AVAILABILITY_ZONE_ID));
        match (names_node.is_empty(), ids_node.is_empty()) {
            (true, true) => names_node.error("missing, expected 1 to 10 Availability Zones such as us-west-2a"),
            (false, false) => ids_node.error("set beside AvailabilityZones, expected one of the two"),
            (true, false) | (false, true) => {}
        }
        amount
    })
}
