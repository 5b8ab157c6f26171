//! The kinds of policy that Amazon DLM has, and which of them a document can be.

use serde_json::Value;
use std::fmt;

/// A set of kinds of policy: those that a document can be, or those that a key belongs to.
///
/// A document whose resource type is missing or misspelled can be several kinds. A key is refused only when it belongs
/// to none of them, so that one mistake does not draw complaints about its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    /// Snapshots of tagged volumes.
    pub(super) const VOLUMES: Self = Self(1);
    /// Snapshots of the volumes of tagged instances.
    pub(super) const INSTANCES: Self = Self(2);
    /// AMIs of tagged instances.
    pub(super) const IMAGES: Self = Self(4);
    /// Copies of snapshots that another account shares.
    pub(super) const EVENTS: Self = Self(8);
    /// Snapshots of all volumes.
    pub(super) const DEFAULT_VOLUMES: Self = Self(16);
    /// AMIs of all instances.
    pub(super) const DEFAULT_INSTANCES: Self = Self(32);

    /// Custom snapshot policies.
    pub(super) const SNAPSHOTS: Self = Self::VOLUMES.or(Self::INSTANCES);
    /// Policies with schedules.
    pub(super) const SCHEDULED: Self = Self::SNAPSHOTS.or(Self::IMAGES);
    /// Everything but default policies.
    pub(super) const CUSTOM: Self = Self::SCHEDULED.or(Self::EVENTS);
    /// Default policies.
    pub(super) const DEFAULTS: Self = Self::DEFAULT_VOLUMES.or(Self::DEFAULT_INSTANCES);
    /// Every kind.
    pub(super) const ALL: Self = Self::CUSTOM.or(Self::DEFAULTS);
    /// No kind.
    pub(super) const NONE: Self = Self(0);

    /// The kinds of both sets.
    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether some kind is in both sets.
    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether every kind of this set is in the other one.
    pub(super) fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The kinds that a policy can be, by the keys that decide it. What is wrong with those keys is told by whoever
    /// reads them.
    pub(super) fn of(policy: &Value) -> Self {
        let details = policy.get("PolicyDetails");
        match policy.get("DefaultPolicy") {
            Some(Value::Bool(true)) => Self::of_default(details),
            Some(Value::Bool(false)) => Self::of_custom(details),
            None | Some(Value::Null) if word(details, "PolicyLanguage") == Some("SIMPLIFIED") => {
                Self::of_default(details)
            }
            None | Some(Value::Null) => Self::of_custom(details),
            Some(Value::String(text)) => match text.as_str() {
                "" => Self::of_custom(details),
                "INSTANCE" => Self::DEFAULT_INSTANCES,
                "VOLUME" => Self::DEFAULT_VOLUMES,
                _ => Self::ALL,
            },
            Some(_) => Self::ALL,
        }
    }

    fn of_default(details: Option<&Value>) -> Self {
        match (word(details, "ResourceType"), word(details, "PolicyType")) {
            (Some("INSTANCE"), _) | (None, Some("IMAGE_MANAGEMENT")) => Self::DEFAULT_INSTANCES,
            (Some("VOLUME"), _) | (None, Some("EBS_SNAPSHOT_MANAGEMENT")) => Self::DEFAULT_VOLUMES,
            _ => Self::DEFAULTS,
        }
    }

    fn of_custom(details: Option<&Value>) -> Self {
        match word(details, "PolicyType") {
            Some("EVENT_BASED_POLICY") => Self::EVENTS,
            Some("IMAGE_MANAGEMENT") => Self::IMAGES,
            None | Some("EBS_SNAPSHOT_MANAGEMENT") => match word(details, "ResourceTypes") {
                Some("INSTANCE") => Self::INSTANCES,
                Some("VOLUME") => Self::VOLUMES,
                _ => Self::SNAPSHOTS,
            },
            Some(_) => Self::CUSTOM,
        }
    }
}

/// The text at a key, or the first one of the list there.
fn word<'a>(details: Option<&'a Value>, key: &str) -> Option<&'a str> {
    let value = details?.get(key)?;
    let first = value.as_array().map_or(Some(value), |list| list.first())?;
    first.as_str().filter(|text| !text.is_empty())
}

/// The kinds in words, the widest word that fits first.
const WORDS: [(Kinds, &str); 8] = [
    (Kinds::SNAPSHOTS, "a snapshot policy"),
    (Kinds::VOLUMES, "a snapshot policy for VOLUME"),
    (Kinds::INSTANCES, "a snapshot policy for INSTANCE"),
    (Kinds::IMAGES, "an AMI policy"),
    (Kinds::EVENTS, "an event-based policy"),
    (Kinds::DEFAULTS, "a default policy"),
    (Kinds::DEFAULT_VOLUMES, "a default policy for VOLUME"),
    (Kinds::DEFAULT_INSTANCES, "a default policy for INSTANCE"),
];

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = *self;
        let mut words = Vec::new();
        for (kinds, word) in WORDS {
            if kinds.is_within(rest) {
                words.push(word);
                rest = Self(rest.0 & !kinds.0);
            }
        }
        f.write_str(&super::hint::listing(&words, "or"))
    }
}
