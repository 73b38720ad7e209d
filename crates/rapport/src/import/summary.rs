//! The table a load ends with.

use std::time::Duration;

use super::state::Tally;
use crate::meter::{rate, thousands};

const HEADINGS: [&str; 7] = [
    "pass",
    "created",
    "updated",
    "unchanged",
    "skipped",
    "rejected",
    "unresolved",
];

/// One line a pass and the speed of this run. The last column is shown for dry runs, where it means something.
pub(super) fn render(passes: &[(&str, Tally)], rows: u64, elapsed: Duration, dry_run: bool) -> String {
    let columns = if dry_run { HEADINGS.len() } else { HEADINGS.len() - 1 };
    let mut table: Vec<Vec<String>> = vec![HEADINGS[..columns].iter().map(ToString::to_string).collect()];
    for (name, tally) in passes {
        let counts = [
            tally.created,
            tally.updated,
            tally.unchanged,
            tally.skipped,
            tally.rejected,
            tally.unresolved,
        ];
        let cells = std::iter::once((*name).to_owned()).chain(counts.into_iter().map(thousands));
        table.push(cells.take(columns).collect());
    }
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in &table {
        for (column, cell) in row.iter().enumerate() {
            let padding = " ".repeat(widths[column] - cell.chars().count());
            let parts: [&str; 3] = if column == 0 {
                [cell, &padding, ""]
            } else {
                ["  ", &padding, cell]
            };
            text.extend(parts);
        }
        text.push('\n');
    }
    text + &format!(
        "{} rows in {:.1} s, {} rows/s{}",
        thousands(rows),
        elapsed.as_secs_f64(),
        thousands(rate(rows, elapsed)),
        if dry_run { " (dry run: nothing was kept)" } else { "" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let tally = Tally {
            created: 1234,
            rejected: 5,
            ..Tally::default()
        };
        let text = render(&[("customers", tally)], 1239, Duration::from_secs(1), false);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0].len(), lines[1].len());
        assert!(lines[1].starts_with("customers    1,234"), "{text}");
        assert_eq!(lines[2], "1,239 rows in 1.0 s, 1,239 rows/s");
        assert!(!text.contains("unresolved"));
        assert!(render(&[], 0, Duration::ZERO, true).contains("unresolved"));
    }
}
