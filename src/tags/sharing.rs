//! One copy of what many snapshots have in common: those that one schedule made for one scheduled time carry the same tags and
//! the same description, and an account holds hundreds of thousands of them.

use super::Marks;
use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// What the tags of a snapshot say, in one copy for all that say the same. Whoever changes it gets a copy of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SharedMarks(Arc<Marks>);

impl From<Marks> for SharedMarks {
    fn from(marks: Marks) -> Self {
        Self(Arc::new(marks))
    }
}

impl SharedMarks {
    /// Whether both are one copy.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for SharedMarks {
    type Target = Marks;

    fn deref(&self) -> &Marks {
        &self.0
    }
}

impl DerefMut for SharedMarks {
    fn deref_mut(&mut self) -> &mut Marks {
        Arc::make_mut(&mut self.0)
    }
}

/// The copies that there are.
#[derive(Debug, Default)]
pub struct Sharing {
    texts: BTreeSet<Arc<str>>,
    marks: BTreeSet<Arc<Marks>>,
}

impl Sharing {
    /// The one copy of a text.
    pub fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&text));
        text
    }

    /// The one copy of what these tags say.
    pub fn marks<'a>(&mut self, tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> SharedMarks {
        let marks = Marks::read_sharing(tags, |text| self.text(text));
        if let Some(known) = self.marks.get(&marks) {
            return SharedMarks(Arc::clone(known));
        }
        let marks = Arc::new(marks);
        self.marks.insert(Arc::clone(&marks));
        SharedMarks(marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags::{HOLD, Hold, POLICY_ID};

    #[test]
    fn what_says_the_same_is_one_copy_until_somebody_changes_his() {
        let mut sharing = Sharing::default();
        let [one, mut other] = [(); 2].map(|()| sharing.marks([(POLICY_ID, "policy-1"), ("Name", "anybody's")]));
        let third = sharing.marks([(POLICY_ID, "policy-1"), (HOLD, "")]);
        assert!(Arc::ptr_eq(&one.0, &other.0) && !Arc::ptr_eq(&one.0, &third.0));
        assert_eq!((one.hold, third.hold), (None, Some(Hold::Forever)));
        other.hold = Some(Hold::Forever);
        assert_eq!((one.hold, other == third), (None, true));
        assert!(Arc::ptr_eq(&sharing.text("a"), &sharing.text("a")));
    }
}
