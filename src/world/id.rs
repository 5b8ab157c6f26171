//! The ids of EC2's resources, as small values that are copied and compared like numbers.
//!
//! An account has hundreds of thousands of them, and planning compares and looks up each one many times.

use std::fmt;

/// EC2's ids have 8 or 17 hexadecimal digits; nearly twice that leaves room for a longer form some day, and with their
/// number they fill 16 bytes.
const DIGITS_MAX: usize = 30;

/// Up to 30 hexadecimal digits from the left, zeros behind them, and in the last byte how many there are. So the order
/// of the numbers is that of the texts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Digits([u64; 2]);

impl Digits {
    fn parse(text: &str) -> Option<Self> {
        let count = u8::try_from(text.len()).ok().filter(|&count| (1..=DIGITS_MAX).contains(&usize::from(count)))?;
        let mut bytes = [0; 16];
        for (place, &digit) in text.as_bytes().iter().enumerate() {
            let shift = if place % 2 == 0 { 4 } else { 0 };
            *bytes.get_mut(place / 2)? |= value(digit)? << shift;
        }
        bytes[15] = count;
        let (high, low) = bytes.split_at(8);
        Some(Self([u64::from_be_bytes(high.try_into().ok()?), u64::from_be_bytes(low.try_into().ok()?)]))
    }

    fn write(self, prefix: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = (u128::from(self.0[0]) << 64 | u128::from(self.0[1])).to_be_bytes();
        let mut text = [0; 32];
        for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 0xf)]);
        }
        let digits = text.get(..usize::from(bytes[15])).and_then(|digits| std::str::from_utf8(digits).ok());
        f.write_str(prefix)?;
        f.write_str(digits.unwrap_or_default())
    }
}

/// The value of a digit; `None` for anything else. EC2 writes small letters only.
fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
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

resource_id!(
    /// An AMI's id, `ami-` and hexadecimal digits.
    ImageId,
    "ami-"
);

impl SnapshotId {
    /// An id that EC2 has not given out, by its number: nearly twice as long as its own, and it begins with an f.
    #[must_use]
    pub(crate) fn unassigned(number: u32) -> Self {
        let (first, count) = (0xf << 60, 30);
        Self(Digits([first, u64::from(number) << 8 | count]))
    }
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
        check(&format!("vol-{}", "f".repeat(30)), true);
        check(&format!("vol-{}", "f".repeat(31)), false);
        check("vol-", false);
        check("vol-0G", false);
        check("vol-0A", false);
        check("vol-0 ", false);
        check("vol-0é", false);
        check("snap-0", false);
        check("", false);
    }

    #[test]
    fn unassigned_ids_are_an_f_and_their_number() {
        for number in [0, 1, 0xabc, u32::MAX] {
            assert_eq!(SnapshotId::unassigned(number).to_string(), format!("snap-f{number:029x}"));
            assert_eq!(SnapshotId::parse(&format!("snap-f{number:029x}")), Some(SnapshotId::unassigned(number)));
        }
    }

    proptest! {
        #[test]
        fn ids_keep_their_text_and_its_order(one in "[0-9a-f]{1,30}", other in "[0-9a-f]{1,30}", shared in "[0-9a-f]{0,20}") {
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
