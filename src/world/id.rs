//! The ids of EC2's resources, as small values that are copied and compared like numbers.
//!
//! An account has hundreds of thousands of them, and planning compares and looks up each one many times.

use std::fmt;

/// EC2's ids have 8 or 17 hexadecimal digits; nearly twice that leaves room for a longer form some day, and fills two
/// words.
const DIGITS_MAX: usize = 32;

/// How many digits one word holds.
const DIGITS_PER_WORD: usize = 16;

/// Up to 32 hexadecimal digits, from the left, with zeros behind them. Their order is that of the text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Digits {
    high: u64,
    low: u64,
    count: u8,
}

impl Digits {
    fn parse(text: &str) -> Option<Self> {
        if !(1..=DIGITS_MAX).contains(&text.len()) {
            return None;
        }
        let (high, low) = text.as_bytes().split_at(text.len().min(DIGITS_PER_WORD));
        Some(Self { high: word(high)?, low: word(low)?, count: u8::try_from(text.len()).ok()? })
    }

    /// The digits as text, in the first `count` places.
    fn text(self) -> [u8; DIGITS_MAX] {
        let mut text = [0; DIGITS_MAX];
        let values = (u128::from(self.high) << 64 | u128::from(self.low)).to_be_bytes();
        for (pair, value) in text.chunks_exact_mut(2).zip(values) {
            pair.copy_from_slice(&[digit(value >> 4), digit(value & 0xf)]);
        }
        text
    }

    fn write(self, prefix: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text();
        let text = text.get(..usize::from(self.count)).and_then(|digits| std::str::from_utf8(digits).ok());
        f.write_str(prefix)?;
        f.write_str(text.unwrap_or_default())
    }
}

/// So many digits from the left of a word; `None` where one is no digit. EC2 writes small letters only.
fn word(digits: &[u8]) -> Option<u64> {
    let mut word = 0;
    for place in 0..DIGITS_PER_WORD {
        let value = match digits.get(place) {
            Some(digit @ b'0'..=b'9') => digit - b'0',
            Some(digit @ b'a'..=b'f') => digit - b'a' + 10,
            Some(_) => return None,
            None => 0,
        };
        word = word << 4 | u64::from(value);
    }
    Some(word)
}

/// The character of a value under 16.
fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

macro_rules! resource_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Digits);

        impl $name {
            #[doc = concat!("Reads an id that begins with `", $prefix, "`; `None` for anything else.")]
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                text.strip_prefix($prefix).and_then(Digits::parse).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.write($prefix, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.write($prefix, f)
            }
        }
    };
}

resource_id!(
    /// A volume's id, `vol-` and hexadecimal digits.
    VolumeId,
    "vol-"
);
resource_id!(
    /// A snapshot's id, `snap-` and hexadecimal digits.
    SnapshotId,
    "snap-"
);
resource_id!(
    /// An instance's id, `i-` and hexadecimal digits.
    InstanceId,
    "i-"
);

impl VolumeId {
    /// The volume id that EC2 writes on snapshots made by CopySnapshot (EC2 user guide: "an arbitrary volume ID that
    /// should not be used for any purpose").
    pub const OF_COPIES: &'static str = "vol-ffffffff";
}

/// What snapshots are made of, as a policy targets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceId {
    /// An instance with its volumes.
    Instance(InstanceId),
    /// A volume by itself.
    Volume(VolumeId),
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance(id) => id.fmt(f),
            Self::Volume(id) => id.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, is_id: bool) {
        assert_eq!(VolumeId::parse(text).map(|id| id.to_string()), is_id.then(|| text.to_owned()));
    }

    #[test]
    fn ids_are_read_to_the_letter() {
        check("vol-0", true);
        check("vol-0123456789abcdef0", true);
        check("vol-00000000", true);
        check(&format!("vol-{}", "f".repeat(32)), true);
        check(&format!("vol-{}", "f".repeat(33)), false);
        check("vol-", false);
        check("vol-0G", false);
        check("vol-0A", false);
        check("vol-0 ", false);
        check("vol-0é", false);
        check("snap-0", false);
        check("", false);
    }

    proptest! {
        #[test]
        fn ids_keep_their_text_and_its_order(one in "[0-9a-f]{1,32}", other in "[0-9a-f]{1,32}", shared in "[0-9a-f]{0,20}") {
            for (one, other) in [(one.clone(), other.clone()), (format!("{shared}{one}"), format!("{shared}{other}")), (one.clone(), format!("{one}00"))] {
                let ids = (SnapshotId::parse(&format!("snap-{one}")), SnapshotId::parse(&format!("snap-{other}")));
                if let (Some(one_id), Some(other_id)) = ids {
                    prop_assert_eq!(one_id.to_string(), format!("snap-{one}"));
                    prop_assert_eq!(one_id.cmp(&other_id), one.cmp(&other));
                }
            }
        }
    }
}
