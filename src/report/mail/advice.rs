//! What each failure means and what to do about it, by its code: ours, EC2's, and what Lambda and Step Functions say.
//!
//! `docs/operations.md` says the same at more length; a test holds that every code stands there.

mod copies;
mod missing;
mod refusals;
mod whole_run;

/// How much a failure matters, where its code says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// A backup is missing, or nobody can tell.
    Backup,
    /// Something stays that is to go, and stays until somebody does something.
    CleanUp,
    /// Deletions wait until somebody agrees.
    Consent,
    /// An earlier scheduled time has no backup and never will.
    Earlier,
    /// It passes by itself: of a deletion nothing is left once the next run has tried again.
    Passing,
    /// The code alone does not say.
    Unknown,
}

/// What is known of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// Who says what a report quotes beside the code.
    speaker: Speaker,
    /// How much it matters.
    pub weight: Weight,
    /// What it means, a sentence.
    pub means: &'static str,
    /// What to do, in one or two sentences.
    pub cure: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaker {
    Ec2,
    Opendlm,
}

impl Advice {
    /// Whose words a report quotes beside the code.
    #[must_use]
    pub fn said_by(&self) -> &'static str {
        match self.speaker {
            Speaker::Ec2 => "EC2 says",
            Speaker::Opendlm => "opendlm says",
        }
    }
}

/// What is known of a code; of any other that EC2 refused the call under that name.
#[must_use]
pub fn advice(code: &str) -> Advice {
    let known = all().find(|(codes, _)| codes.contains(&code)).map(|(_, advice)| *advice);
    known.unwrap_or(UNKNOWN)
}

/// Every code that something is known of.
pub fn codes() -> impl Iterator<Item = &'static str> {
    all().flat_map(|(codes, _)| codes.iter().copied())
}

fn all() -> impl Iterator<Item = &'static (&'static [&'static str], Advice)> {
    [missing::ADVICE, whole_run::ADVICE, refusals::ADVICE, copies::ADVICE].into_iter().flatten()
}

const fn ours(weight: Weight, means: &'static str, cure: &'static str) -> Advice {
    Advice { speaker: Speaker::Opendlm, weight, means, cure }
}

const fn of_ec2(weight: Weight, means: &'static str, cure: &'static str) -> Advice {
    Advice { speaker: Speaker::Ec2, weight, means, cure }
}

pub(super) const UNKNOWN: Advice = of_ec2(
    Weight::Unknown,
    "EC2 refused the call.",
    "Its words say why. Mend that in EC2; the next start tries again, and a run now makes a missing backup at once.",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_stands_twice() {
        let mut all: Vec<&str> = codes().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn every_advice_is_a_sentence_about_the_matter_and_one_about_what_to_do() {
        for (codes, advice) in all() {
            for text in [advice.means, advice.cure] {
                assert!(text.ends_with('.') && text.len() < 320 && !text.contains("  "), "{codes:?}: {text}");
            }
        }
    }
}
