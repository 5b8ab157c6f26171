//! `ArchiveRule` of a schedule.

use super::super::CreateRule;
use super::amount::{self, Amount, Limits};
use super::node::{Field, Node};
use super::shape;
use super::spacing;

/// The days between snapshots that archiving needs (V6).
const CREATE_DAYS_MIN: i64 = 28;

/// The days that an archived snapshot is paid for, so DLM keeps it that long (V6).
const ARCHIVE_DAYS_MIN: u64 = 90;

/// The same for a count, measured on the calendar. A day less, because three months can be 89 days and DLM takes them
/// for 90 (E25). So three snapshots will do on a day of the month, but not on the second Thursday, where three are
/// sometimes 84 days: the user guide asks for four there.
const ARCHIVE_CALENDAR_DAYS_MIN: i64 = 89;

/// Reads what the archive tier keeps.
pub(super) fn read(node: &Node<'_>) -> Field<Amount> {
    node.object(&shape::ARCHIVE_RULE, |rule| {
        let retain = rule.take("RetainRule").object(&shape::ARCHIVE_RETAIN_RULE, |retain| {
            amount::rule(&retain.take("RetentionArchiveTier"), &shape::ARCHIVE_TIER, &Limits::KEEP).given()
        });
        retain.given()
    })
}

/// Checks what is archived against when it is made.
pub(super) fn check(node: &Node<'_>, kept: Amount, create: &CreateRule) {
    let least = match create {
        CreateRule::Cron(_) => spacing::days(create, 1).map(|(least, _)| least),
        // The widest interval is a day, and its spacing need not be measured.
        CreateRule::Interval { .. } => Some(1),
        // A default policy has no rule to archive by, so none is checked against it.
        CreateRule::OnStart => None,
    };
    if let Some(least) = least.filter(|least| *least < CREATE_DAYS_MIN) {
        node.error(format!(
            "archives snapshots that are made every {least} days or more often, expected a CronExpression with at \
             least {CREATE_DAYS_MIN} days between them"
        ));
        return;
    }
    let is_short = match kept {
        Amount::Age(span) => span.days_least() < ARCHIVE_DAYS_MIN,
        Amount::Count(count) => {
            spacing::days(create, count).is_some_and(|(least, _)| least < ARCHIVE_CALENDAR_DAYS_MIN)
        }
    };
    if is_short {
        node.error(format!("keeps {kept} in the archive, expected enough for {ARCHIVE_DAYS_MIN} days there"));
    }
}
