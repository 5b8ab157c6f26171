//! The values that a field of a cron expression allows, as a bit set.

/// Which of up to 256 consecutive values are allowed: enough for the widest field, the 230 years 1970 to 2199.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Values {
    /// The value that the lowest bit of `low` stands for.
    first: i16,
    low: u128,
    high: u128,
}

impl Values {
    /// No value at all; `first` is the smallest that may be inserted.
    pub(crate) fn none(first: i16) -> Self {
        Self { first, low: 0, high: 0 }
    }

    /// Allows `value`. A value that has no bit stays out.
    pub(crate) fn insert(&mut self, value: i16) {
        let (low, high) = self.bit(value);
        self.low |= low;
        self.high |= high;
    }

    /// Whether `value` is allowed.
    pub(crate) fn contains(&self, value: i16) -> bool {
        let (low, high) = self.bit(value);
        self.low & low | self.high & high != 0
    }

    /// The bits of `low` and `high` that stand for `value`: one of them, or none where it has no bit.
    fn bit(&self, value: i16) -> (u128, u128) {
        let Some(position) = value.checked_sub(self.first).and_then(|offset| u32::try_from(offset).ok()) else {
            return (0, 0);
        };
        match position.checked_sub(u128::BITS) {
            None => (1 << position, 0),
            Some(position) => (0, 1_u128.checked_shl(position).unwrap_or(0)),
        }
    }
}
