//! Where a list of places is: an object in S3.

use std::fmt;

/// An object in S3 that holds a list of places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListObject {
    bucket: String,
    key: String,
}

impl ListObject {
    /// What a bucket's name looks like, for messages.
    pub const BUCKET_EXPECTED: &str = "the name of a bucket, 3 to 63 of a-z, 0-9, dots and hyphens";
    /// What a key looks like, for messages.
    pub const KEY_EXPECTED: &str = "the key of an object, 1 to 1024 bytes without control characters";
    /// S3 user guide, "General purpose bucket naming rules".
    const BUCKET_LENGTHS: std::ops::RangeInclusive<usize> = 3..=63;
    /// S3 user guide, "Naming Amazon S3 objects".
    const KEY_LENGTH_MAX: usize = 1024;

    /// The object, where both names are such.
    #[must_use]
    pub fn new(bucket: String, key: String) -> Option<Self> {
        (Self::is_bucket(&bucket) && Self::is_key(&key)).then_some(Self { bucket, key })
    }

    /// Whether a bucket can have this name.
    #[must_use]
    pub fn is_bucket(text: &str) -> bool {
        let is_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let is_inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
        Self::BUCKET_LENGTHS.contains(&text.len())
            && text.bytes().all(is_inside)
            && is_end(text.bytes().next())
            && is_end(text.bytes().next_back())
    }

    /// Whether an object can have this key.
    #[must_use]
    pub fn is_key(text: &str) -> bool {
        (1..=Self::KEY_LENGTH_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
    }

    /// The bucket's name.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The object's key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for ListObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_s3_takes() {
        #[track_caller]
        fn check(bucket: &str, key: &str, expected: Option<&str>) {
            let object = ListObject::new(bucket.to_owned(), key.to_owned());
            assert_eq!(object.map(|object| object.to_string()).as_deref(), expected, "{bucket} {key}");
        }
        check("amzn-s3-demo-bucket", "targets.json", Some("s3://amzn-s3-demo-bucket/targets.json"));
        check("a.1", "ä/ü.json", Some("s3://a.1/ä/ü.json"));
        check(&"b".repeat(63), &"k".repeat(1024), Some(&format!("s3://{}/{}", "b".repeat(63), "k".repeat(1024))));
        for bucket in ["", "ab", "Bucket", "-bucket", "bucket.", "a_b", "arn:aws:s3:::b", &"b".repeat(64)] {
            check(bucket, "key", None);
        }
        for key in ["", "a\nb", &"k".repeat(1025)] {
            check("bucket", key, None);
        }
    }
}
