//! Looking at one snapshot by its id, whosever it is.

use super::by_id::Answered;
use super::pairs;
use crate::aws::{Account, ObserveError};
use crate::policy::Tag;
use crate::report::stranger::Stranger;
use crate::world::SnapshotId;

impl Account {
    /// The snapshot as EC2 shows it; `None` where it shows none.
    ///
    /// # Errors
    /// When EC2 cannot be asked.
    pub async fn stranger(&self, id: &SnapshotId) -> Result<Option<Stranger>, ObserveError> {
        let answered = self.snapshots_by_id(&[*id]).await;
        let Answered { shown, .. } = answered.map_err(|failed| ObserveError::of("DescribeSnapshots", failed))?;
        let snapshot = shown.iter().find(|snapshot| super::by_id::id_of(snapshot) == Some(*id));
        Ok(snapshot.map(|snapshot| Stranger {
            description: snapshot.description().unwrap_or_default().to_owned(),
            tags: pairs(snapshot.tags())
                .map(|(key, value)| Tag { key: key.to_owned(), value: value.to_owned() })
                .collect(),
            owner: snapshot.owner_id().unwrap_or("unknown").to_owned(),
        }))
    }

    /// The Region that it is in.
    #[must_use]
    pub fn region(&self) -> &str {
        self.client.config().region().map_or("an unknown Region", |region| region.as_ref())
    }
}
