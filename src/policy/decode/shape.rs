//! Amazon DLM's schema as tables: the keys of every object, the kinds of policy that each key belongs to, where it
//! is required and whether opendlm carries it out.
//!
//! A later capability is turned on here, by taking `.later()` off its key or word, and in its reader, by handing on
//! what is checked there today. [`Object::take`](super::object::Object::take) holds the tables and the readers
//! together: it knows no key that is not here, and every key here has to be taken.

use super::kind::Kinds;

/// One object of the schema.
#[derive(Debug)]
pub(super) struct Shape {
    /// Where it stands, for a person who put one of its keys elsewhere.
    pub(super) place: &'static str,
    /// Its keys.
    pub(super) keys: &'static [Key],
    /// What to say about a key that belongs to another kind of policy.
    pub(super) misplaced: Misplaced,
}

impl Shape {
    const fn new(place: &'static str, keys: &'static [Key]) -> Self {
        Self { place, keys, misplaced: Misplaced::Refused }
    }

    /// As it is, but its keys are ignored where they mean nothing.
    const fn tolerant(self) -> Self {
        Self { misplaced: Misplaced::Ignored, ..self }
    }

    /// The key of that name.
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// What to say about a key that belongs to another kind of policy.
#[derive(Debug, Clone, Copy)]
pub(super) enum Misplaced {
    /// It means nothing there: a warning. People do publish these, and DLM takes them.
    Ignored,
    /// An error.
    Refused,
}

/// One key of an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    /// As DLM spells it.
    pub(super) name: &'static str,
    /// The kinds of policy that it belongs to.
    pub(super) on: Kinds,
    /// The kinds of policy that cannot do without it.
    pub(super) required_on: Kinds,
    /// What is expected where it is missing.
    pub(super) expected: &'static str,
    /// Whether opendlm carries it out.
    pub(super) is_built: bool,
    /// Whether `""` and `[]` are values of it and do not mean that it is absent.
    pub(super) may_be_empty: bool,
    /// Whether it is a known misspelling, which nobody should be advised to use.
    pub(super) is_misspelling: bool,
}

impl Key {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            on: Kinds::ALL,
            required_on: Kinds::NONE,
            expected: "",
            is_built: true,
            may_be_empty: false,
            is_misspelling: false,
        }
    }

    const fn on(self, on: Kinds) -> Self {
        Self { on, ..self }
    }

    /// Required wherever it belongs.
    const fn required(self, expected: &'static str) -> Self {
        Self { required_on: self.on, expected, ..self }
    }

    const fn may_be_empty(self) -> Self {
        Self { may_be_empty: true, ..self }
    }

    const fn later(self) -> Self {
        Self { is_built: false, ..self }
    }

    const fn misspelling(self) -> Self {
        Self { is_misspelling: true, ..self }
    }
}

/// The place of [`ENVELOPE`] in words.
const TOP: &str = "the policy itself, beside PolicyDetails";

/// `LifecyclePolicy`, and the body of `CreateLifecyclePolicy` (reference 1.1).
pub(super) static ENVELOPE: Shape = Shape::new(
    TOP,
    &[
        Key::new("PolicyId"),
        Key::new("Description"),
        Key::new("State"),
        Key::new("ExecutionRoleArn"),
        Key::new("Tags"),
        Key::new("DefaultPolicy"),
        Key {
            required_on: Kinds::CUSTOM,
            expected: "an object with TargetTags and Schedules",
            ..Key::new("PolicyDetails")
        },
        Key::new("CreateInterval").on(Kinds::DEFAULTS),
        Key::new("RetainInterval").on(Kinds::DEFAULTS),
        Key::new("CopyTags").on(Kinds::DEFAULTS),
        Key::new("ExtendDeletion").on(Kinds::DEFAULTS),
        Key::new("CrossRegionCopyTargets").on(Kinds::DEFAULTS),
        Key::new("Exclusions").on(Kinds::DEFAULTS),
        Key::new("PolicyArn"),
        Key::new("StatusMessage"),
        Key::new("DateCreated"),
        Key::new("DateModified"),
    ],
);

/// `PolicyDetails` (reference 1.2).
pub(super) static DETAILS: Shape = Shape::new(
    "PolicyDetails",
    &[
        Key::new("PolicyType"),
        Key::new("PolicyLanguage"),
        Key::new("ResourceTypes").on(Kinds::SCHEDULED).required("[\"VOLUME\"] or [\"INSTANCE\"]"),
        Key::new("ResourceType").on(Kinds::DEFAULTS),
        Key::new("ResourceLocations").on(Kinds::SCHEDULED),
        Key::new("TargetTags")
            .on(Kinds::SCHEDULED)
            .required("1 to 50 tags such as {\"Key\": \"backup\", \"Value\": \"yes\"}"),
        Key::new("Schedules").on(Kinds::SCHEDULED).required("1 to 4 schedules"),
        Key::new("Parameters").on(Kinds::SCHEDULED),
        Key::new("EventSource").on(Kinds::EVENTS).required("an object with Type and Parameters"),
        Key::new("Actions").on(Kinds::EVENTS).required("one action"),
        Key::new("CreateInterval").on(Kinds::DEFAULTS),
        Key::new("RetainInterval").on(Kinds::DEFAULTS),
        Key::new("CopyTags").on(Kinds::DEFAULTS),
        Key::new("ExtendDeletion").on(Kinds::DEFAULTS),
        Key::new("CrossRegionCopyTargets").on(Kinds::DEFAULTS),
        Key::new("Exclusions").on(Kinds::DEFAULTS),
    ],
);

/// `Schedule` (reference 1.3).
pub(super) static SCHEDULE: Shape = Shape::new(
    "PolicyDetails.Schedules[]",
    &[
        Key::new("Name"),
        Key::new("CreateRule").required("an object with CronExpression, or with Interval, IntervalUnit and Times"),
        Key::new("RetainRule").required(
            "an object with Count, or with Interval and IntervalUnit: how long snapshots stay is never assumed",
        ),
        Key::new("CopyTags"),
        Key::new("TagsToAdd"),
        Key::new("VariableTags").on(Kinds::INSTANCES.or(Kinds::IMAGES)),
        Key::new("FastRestoreRule").on(Kinds::SNAPSHOTS).later(),
        Key::new("CrossRegionCopyRules").on(Kinds::SCHEDULED),
        Key::new("ShareRules").on(Kinds::SNAPSHOTS).later(),
        Key::new("DeprecateRule").on(Kinds::IMAGES).later(),
        Key::new("ArchiveRule").on(Kinds::VOLUMES).later(),
    ],
);

/// `CreateRule` (reference 1.4).
pub(super) static CREATE_RULE: Shape = Shape::new(
    "PolicyDetails.Schedules[].CreateRule",
    &[
        Key::new("CronExpression"),
        Key::new("Interval"),
        Key::new("IntervalUnit"),
        Key::new("Times"),
        Key::new("Location"),
        Key::new("Scripts").on(Kinds::INSTANCES).later(),
    ],
);

/// `Script` (reference 1.12).
pub(super) static SCRIPT: Shape = Shape::new(
    "PolicyDetails.Schedules[].CreateRule.Scripts[]",
    &[
        Key::new("ExecutionHandler").required("AWS_VSS_BACKUP, or the name or ARN of an SSM document"),
        Key::new("ExecutionHandlerService"),
        Key::new("Stages"),
        Key::new("ExecuteOperationOnScriptFailure"),
        Key::new("ExecutionTimeout"),
        Key::new("MaximumRetryCount"),
    ],
);

/// `RetainRule` of a schedule (reference 1.5).
pub(super) static RETAIN_RULE: Shape = Shape::new("PolicyDetails.Schedules[].RetainRule", AMOUNT);

/// `DeprecateRule` of a schedule (reference 1.5b).
pub(super) static DEPRECATE_RULE: Shape = Shape::new("PolicyDetails.Schedules[].DeprecateRule", AMOUNT);

/// `ArchiveRule` (reference 1.5c).
pub(super) static ARCHIVE_RULE: Shape = Shape::new(
    "PolicyDetails.Schedules[].ArchiveRule",
    &[Key::new("RetainRule").required("an object with RetentionArchiveTier")],
);

/// `ArchiveRetainRule`.
pub(super) static ARCHIVE_RETAIN_RULE: Shape = Shape::new(
    "PolicyDetails.Schedules[].ArchiveRule.RetainRule",
    &[Key::new("RetentionArchiveTier").required("an object with Count, or with Interval and IntervalUnit")],
);

/// `RetentionArchiveTier`.
pub(super) static ARCHIVE_TIER: Shape =
    Shape::new("PolicyDetails.Schedules[].ArchiveRule.RetainRule.RetentionArchiveTier", AMOUNT);

/// `FastRestoreRule` (reference 1.6).
pub(super) static FAST_RESTORE_RULE: Shape = Shape::new(
    "PolicyDetails.Schedules[].FastRestoreRule",
    &[
        Key::new("Count"),
        Key::new("Interval"),
        Key::new("IntervalUnit"),
        Key::new("AvailabilityZones"),
        Key::new("AvailabilityZoneIds"),
    ],
);

/// `CrossRegionCopyRule` (reference 1.7).
pub(super) static COPY_RULE: Shape = Shape::new(
    "PolicyDetails.Schedules[].CrossRegionCopyRules[]",
    &[
        Key::new("Target"),
        Key::new("TargetRegion"),
        Key::new("Encrypted").required("true or false"),
        Key::new("CmkArn"),
        Key::new("CopyTags"),
        Key::new("RetainRule"),
        Key::new("DeprecateRule").on(Kinds::IMAGES),
    ],
);

/// `CrossRegionCopyRetainRule`.
pub(super) static COPY_RETAIN_RULE: Shape =
    Shape::new("PolicyDetails.Schedules[].CrossRegionCopyRules[].RetainRule", AGE);

/// `CrossRegionCopyDeprecateRule`.
pub(super) static COPY_DEPRECATE_RULE: Shape =
    Shape::new("PolicyDetails.Schedules[].CrossRegionCopyRules[].DeprecateRule", AGE);

/// `ShareRule` (reference 1.8).
pub(super) static SHARE_RULE: Shape = Shape::new(
    "PolicyDetails.Schedules[].ShareRules[]",
    &[
        Key::new("TargetAccounts").required("account numbers of 12 digits"),
        Key::new("UnshareInterval"),
        Key::new("UnshareIntervalUnit"),
    ],
);

/// `Parameters` (reference 1.9).
pub(super) static PARAMETERS: Shape = Shape::new(
    "PolicyDetails.Parameters",
    &[
        Key::new("ExcludeBootVolume").on(Kinds::INSTANCES),
        Key::new("ExcludeDataVolumeTags").on(Kinds::INSTANCES),
        Key::new("NoReboot").on(Kinds::IMAGES),
    ],
)
.tolerant();

/// `EventSource` (reference 1.10).
pub(super) static EVENT_SOURCE: Shape = Shape::new(
    "PolicyDetails.EventSource",
    &[
        Key::new("Type").required("MANAGED_CWE"),
        Key::new("Parameters").required("an object with EventType, SnapshotOwner and DescriptionRegex"),
    ],
);

/// `EventParameters`.
pub(super) static EVENT_PARAMETERS: Shape = Shape::new(
    "PolicyDetails.EventSource.Parameters",
    &[
        Key::new("EventType").required("shareSnapshot"),
        Key::new("SnapshotOwner").required("up to 50 account numbers").may_be_empty(),
        Key::new("DescriptionRegex").required("a regular expression for the snapshot's description").may_be_empty(),
    ],
);

/// `Action`.
pub(super) static ACTION: Shape = Shape::new(
    "PolicyDetails.Actions[]",
    &[Key::new("Name").required("a name"), Key::new("CrossRegionCopy").required("up to 3 copy targets").may_be_empty()],
);

/// `CrossRegionCopyAction`.
pub(super) static COPY_ACTION: Shape = Shape::new(
    "PolicyDetails.Actions[].CrossRegionCopy[]",
    &[
        Key::new("Target").required("a Region such as us-west-2"),
        Key::new("EncryptionConfiguration").required("an object with Encrypted and CmkArn"),
        Key::new("RetainRule"),
    ],
);

/// `EncryptionConfiguration`.
pub(super) static ENCRYPTION: Shape = Shape::new(
    "PolicyDetails.Actions[].CrossRegionCopy[].EncryptionConfiguration",
    &[Key::new("Encrypted").required("true or false"), Key::new("CmkArn")],
);

/// `CrossRegionCopyRetainRule` of an action.
pub(super) static ACTION_RETAIN_RULE: Shape = Shape::new("PolicyDetails.Actions[].CrossRegionCopy[].RetainRule", AGE);

/// `CrossRegionCopyTarget` of a default policy.
pub(super) static COPY_TARGET: Shape = Shape::new(
    "PolicyDetails.CrossRegionCopyTargets[]",
    &[Key::new("TargetRegion").required("a Region such as us-west-2")],
);

/// `Exclusions` (reference 1.11).
pub(super) static EXCLUSIONS: Shape = Shape::new(
    "PolicyDetails.Exclusions",
    &[
        Key::new("ExcludeBootVolumes").on(Kinds::DEFAULT_VOLUMES),
        Key::new("ExcludeBootVolume").on(Kinds::DEFAULT_VOLUMES).misspelling(),
        Key::new("ExcludeVolumeTypes").on(Kinds::DEFAULT_VOLUMES),
        Key::new("ExcludeTags"),
    ],
)
.tolerant();

/// `Tag`. Its place is told by where it is used.
pub(super) static TAG: Shape = Shape::new(
    "a tag",
    &[Key::new("Key").required("the tag's key"), Key::new("Value").required("the tag's value").may_be_empty()],
);

/// A number of snapshots, or a length of time.
const AMOUNT: &[Key] = &[Key::new("Count"), Key::new("Interval"), Key::new("IntervalUnit")];

/// A length of time.
const AGE: &[Key] = &[
    Key::new("Interval").required("how many of IntervalUnit"),
    Key::new("IntervalUnit").required("DAYS, WEEKS, MONTHS or YEARS"),
];

/// Every object, from the outside in.
pub(super) static ALL: [&Shape; 24] = [
    &ENVELOPE,
    &DETAILS,
    &SCHEDULE,
    &CREATE_RULE,
    &SCRIPT,
    &RETAIN_RULE,
    &DEPRECATE_RULE,
    &ARCHIVE_RULE,
    &ARCHIVE_RETAIN_RULE,
    &ARCHIVE_TIER,
    &FAST_RESTORE_RULE,
    &COPY_RULE,
    &COPY_RETAIN_RULE,
    &COPY_DEPRECATE_RULE,
    &SHARE_RULE,
    &PARAMETERS,
    &EVENT_SOURCE,
    &EVENT_PARAMETERS,
    &ACTION,
    &COPY_ACTION,
    &ENCRYPTION,
    &ACTION_RETAIN_RULE,
    &EXCLUSIONS,
    &COPY_TARGET,
];
