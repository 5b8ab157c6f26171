//! Which part of EC2's request limits is ours.

use std::num::NonZeroU8;

/// Our part of every one of EC2's buckets, of its capacity and of what flows in: a whole per cent from 1 to 100.
///
/// Other tools of the account draw from the same buckets; what is not our share is left to them, whether they use it
/// or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(NonZeroU8);

impl Share {
    /// All of it.
    pub const ALL: Self = Self(NonZeroU8::new(100).expect("100 is not 0"));

    /// So many per cent; `None` for 0, with which nothing would ever go, and for more than there is.
    #[must_use]
    pub fn of_per_cent(per_cent: u32) -> Option<Self> {
        let per_cent = u8::try_from(per_cent).ok().and_then(NonZeroU8::new).map(Self);
        per_cent.filter(|share| share.0 <= Self::ALL.0)
    }

    /// In per cent.
    #[must_use]
    pub fn per_cent(self) -> u8 {
        self.0.get()
    }
}
