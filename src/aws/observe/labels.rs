//! What a person knows a volume by. Only screens ask for it: nothing is decided by a name.

use super::{pairs, volumes};
use crate::aws::{Account, ObserveError};
use crate::world::VolumeId;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// What a person knows a volume by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Label {
    /// The volume's tag `Name`.
    pub name: Option<String>,
    /// Its size in GiB.
    pub size_gib: Option<i32>,
    /// The instance that it is attached to, the first of several.
    pub instance: Option<String>,
}

impl Account {
    /// The labels of these volumes; those that are gone have none.
    ///
    /// # Errors
    /// When EC2 cannot be asked.
    pub async fn labels(&self, ids: &[VolumeId]) -> Result<BTreeMap<VolumeId, Label>, ObserveError> {
        let labels = RefCell::new(BTreeMap::new());
        self.find_volumes_noting("volume-id", ids, volumes::read_without_tags, |volume| {
            let Some(id) = volume.volume_id().and_then(VolumeId::parse) else { return };
            let name = pairs(volume.tags()).find(|(key, value)| *key == "Name" && !value.is_empty());
            let attachment = volume.attachments().iter().find_map(|attachment| attachment.instance_id());
            let label = Label {
                name: name.map(|(_, value)| value.to_owned()),
                size_gib: volume.size(),
                instance: attachment.map(str::to_owned),
            };
            labels.borrow_mut().insert(id, label);
        })
        .await?;
        Ok(labels.into_inner())
    }
}
