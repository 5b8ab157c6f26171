//! What stands beside a policy: Amazon DLM's own policies, and the keys of its targets.

use super::{Line, PolicySeen, ok, unknown, unseen, wrong};
use crate::live::effect::counted;
use crate::world::VolumeId;
use std::collections::{BTreeMap, BTreeSet};

/// A policy of Amazon DLM that is enabled and names a target tag of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherPolicy {
    /// Its id.
    pub id: String,
    /// Its description.
    pub description: String,
}

/// A KMS key that targets are encrypted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// The key, by its ARN.
    pub key: String,
    /// How many targeted volumes are under it.
    pub volumes: usize,
    /// How many of them have a complete snapshot of the policy: the function may use the key, or could when it was made.
    pub backed_up: usize,
}

/// Counts the volumes under each key; `key_of` holds those that are encrypted.
#[must_use]
pub fn key_uses(key_of: &BTreeMap<VolumeId, String>, backed_up: &BTreeSet<VolumeId>) -> Vec<KeyUse> {
    let mut uses: BTreeMap<&str, KeyUse> = BTreeMap::new();
    for (volume, key) in key_of {
        let counted = uses.entry(key).or_insert_with(|| KeyUse { key: key.clone(), volumes: 0, backed_up: 0 });
        counted.volumes += 1;
        counted.backed_up += usize::from(backed_up.contains(volume));
    }
    uses.into_values().collect()
}

/// Who else backs up the same, and under which keys it is.
pub(super) fn lines(seen: &PolicySeen) -> Vec<Line> {
    let how = "aws dlm get-lifecycle-policies --state ENABLED, against the policy's TargetTags";
    let mut lines = match unseen(&seen.others, "double backups", how, how) {
        Ok(others) if others.is_empty() => {
            vec![ok("double backups", "no enabled policy of Amazon DLM names its target tags")]
        }
        Ok(others) => others.iter().map(double).collect(),
        Err(line) => vec![line],
    };
    let how = "aws ec2 describe-volumes --query 'Volumes[].[VolumeId,KmsKeyId]', against the parameter KmsKeyArns";
    match unseen(&seen.keys, "keys", how, how) {
        Ok(keys) if keys.iter().all(|key| key.backed_up > 0) => lines.push(ok("keys", proven(keys))),
        Ok(keys) => lines.extend(keys.iter().filter(|key| key.backed_up == 0).map(unproven)),
        Err(line) => lines.push(line),
    }
    lines
}

fn double(other: &OtherPolicy) -> Line {
    let OtherPolicy { id, description } = other;
    wrong(
        "double backups",
        format!(
            "Amazon DLM's policy {id} ({description}) is enabled and backs up the same: each backup is paid for twice"
        ),
        format!("once opendlm's backups are there: aws dlm update-lifecycle-policy --policy-id {id} --state DISABLED"),
    )
}

fn proven(keys: &[KeyUse]) -> String {
    match keys.len() {
        0 => "no target is encrypted".to_owned(),
        keys => format!("there are complete backups under each of {}", counted(keys, "key")),
    }
}

/// The function's rights are nowhere to be read without more rights than a look needs: only a backup proves them.
fn unproven(key: &KeyUse) -> Line {
    let KeyUse { key, volumes, .. } = key;
    unknown(
        "keys",
        format!(
            "{} under {key}, without a complete backup: nobody knows whether the stack may use it",
            counted(*volumes, "volume")
        ),
        "the stack's parameter KmsKeyArns names the customer managed keys; aws kms describe-key tells whether this is one \
         (KeyManager), the AWS managed key aws/ebs needs no right",
    )
}
