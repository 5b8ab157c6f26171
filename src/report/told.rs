//! What a report counts, in sentences: what costs money that nobody sees, and how much it is.

use super::OrphanReport;

impl OrphanReport {
    /// What there is of snapshots that nothing manages any more; `None` where there are none.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        let parts = [
            (self.without_schedule, "of no schedule"),
            (self.of_gone_sources, "of volumes or instances that are gone"),
            (self.of_untargeted_sources, "of what is not targeted any more"),
            (self.of_excluded_volumes, "of volumes that are left out now"),
            (self.of_other_kind, "of volumes by themselves, and the policy is for instances now"),
            (self.doubted, "with tags that somebody changed"),
            (self.without_expiration, "without an expiry"),
        ];
        let parts: Vec<String> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let size = match self.full_size_bytes {
            0 => String::new(),
            bytes => format!(", {} at most", size(bytes)),
        };
        (self.snapshots > 0).then(|| {
            format!(
                "orphans: {}{size}, are managed by nothing any more: {}; Options.Orphans says what becomes of them",
                counted(self.snapshots, "snapshot"),
                parts.join(", ")
            )
        })
    }
}

/// So many things: `1 snapshot`, `3 snapshots`.
#[must_use]
pub fn counted(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

/// A size as EC2's console writes it, with one digit after the point below ten: `1.1 TiB`, `96 GiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    // In tenths of the unit, rounded down.
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut units = UNITS.into_iter();
    let mut unit = units.next().unwrap_or_default();
    for larger in units {
        if tenths < 10_240 {
            break;
        }
        (tenths, unit) = (tenths / 1024, larger);
    }
    match (tenths / 10, tenths % 10) {
        (whole, tenth) if whole < 10 && tenth > 0 => format!("{whole}.{tenth} {unit}"),
        (whole, _) => format!("{whole} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_the_largest_unit_that_fits() {
        const GIB: u64 = 1 << 30;
        for (bytes, expected) in [
            (0, "0 KiB"),
            (512, "0.5 KiB"),
            (10 << 20, "10 MiB"),
            (GIB, "1 GiB"),
            (96 * GIB, "96 GiB"),
            (1023 * GIB, "1023 GiB"),
            (1024 * GIB, "1 TiB"),
            (1_130 * GIB, "1.1 TiB"),
            (u64::MAX, "16383 PiB"),
        ] {
            assert_eq!(size(bytes), expected, "{bytes}");
        }
    }

    #[test]
    fn orphans_are_told_with_their_size_and_why() {
        let orphans = OrphanReport {
            snapshots: 12,
            without_schedule: 5,
            of_gone_sources: 7,
            full_size_bytes: 1_130 << 30,
            ..OrphanReport::default()
        };
        assert_eq!(
            orphans.told().as_deref(),
            Some(
                "orphans: 12 snapshots, 1.1 TiB at most, are managed by nothing any more: 5 of no schedule, 7 of volumes or \
                 instances that are gone; Options.Orphans says what becomes of them"
            )
        );
        assert_eq!(OrphanReport::default().told(), None);
    }
}
