//! What the failures of copies in other Regions mean: the codes of report/copies.rs and plan/copies.rs.

use super::{Advice, Weight, ours};

pub(super) const ADVICE: &[(&[&str], Advice)] = &[
    (
        &["CopyMissed"],
        ours(
            Weight::Backup,
            "A snapshot was not copied to another Region in time, or its copy has been under way for a week.",
            "No other copy of it is begun. See what earlier runs said (opendlm runs, below); ask AWS about a copy that does not \
             move. If you need this copy, make it by hand. Later snapshots are copied as ever.",
        ),
    ),
    (
        &["CopyFailed", "CopiesFail"],
        ours(
            Weight::Backup,
            "EC2 began copies to another Region, and they failed.",
            "The words at the end are EC2's. It is mostly a key: look at the rule's CmkArn, at the key's policy, and at the role's \
             rights on both keys (docs/permissions.md). The next run tries again within a day.",
        ),
    ),
    (
        &["CopiesInDoubt", "CopyNotOurs"],
        ours(
            Weight::Backup,
            "Somebody edited the tags of the copies, so they count for nothing.",
            "Find out who changes tags in that Region. Delete the edited copies by hand, or keep them with no rule.",
        ),
    ),
    (
        &["SourceArchived"],
        ours(
            Weight::Backup,
            "A snapshot was archived before it was copied.",
            "EC2 copies nothing from the archive. Archive snapshots later, or copy this one by hand after a restore.",
        ),
    ),
    (
        &["SameRegion"],
        ours(
            Weight::Backup,
            "A copy rule names the Region that the snapshots are made in.",
            "Name another Region in the rule. The snapshots themselves are made.",
        ),
    ),
    (
        &["NotAsked"],
        ours(
            Weight::Backup,
            "A copy is promised in a Region that is not looked at.",
            "Name the Region in the stack's CopyRegions and update the stack.",
        ),
    ),
    (
        &["CopiesOpen"],
        ours(
            Weight::Passing,
            "The run came to its end before all copies were complete.",
            "The next run goes on with them. If it happens often, the Region takes fewer copies than the policy asks for.",
        ),
    ),
];
