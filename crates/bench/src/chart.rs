//! The chart: a bar a case and database, as part of what the machine could do at most, beside what is to be reached.

use crate::cases::{Case, Goal};
use crate::report::Row;
use std::fmt::Write;

const WIDTH: f64 = 900.0;
const LEFT: f64 = 270.0;
/// Where 100 % is.
const RIGHT: f64 = 760.0;
const TOP: f64 = 78.0;
const CASE: f64 = 46.0;
const BAR: f64 = 15.0;

/// The colours of SQLite and PostgreSQL, to be read on white and on black.
const SQLITE: &str = "#2f80c3";
const POSTGRES: &str = "#d0772b";

/// Draws the cases over so many connections.
pub(crate) fn draw(rows: &[(&Case, Row)], connections: u32) -> String {
    let height = TOP + CASE * f64::from(u16::try_from(rows.len()).unwrap_or(u16::MAX)) + 34.0;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13" role="img">
<title>Rapport beside what the machine could do at most</title>
<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>
<text x="16" y="26" font-size="17" font-weight="bold" fill="#222">Rapport beside what the machine could do at most, {connections} connections</text>
<rect x="16" y="40" width="12" height="12" fill="{SQLITE}"/><text x="34" y="51" fill="#222">SQLite, as part of the bare HTTP server</text>
<rect x="300" y="40" width="12" height="12" fill="{POSTGRES}"/><text x="318" y="51" fill="#222">PostgreSQL, as part of the ceiling of HTTP and pgbench</text>
<path d="M692 40v12" stroke="#222" stroke-width="2"/><text x="700" y="51" fill="#222">to reach</text>
"##
    );
    for percent in [0, 25, 50, 75, 100] {
        let x = place(f64::from(percent) / 100.0);
        // Writing to a text cannot fail.
        let _ = writeln!(
            svg,
            r##"<path d="M{x:.1} {:.1}V{:.1}" stroke="#ddd"/><text x="{x:.1}" y="{:.1}" text-anchor="middle" fill="#666">{percent} %</text>"##,
            TOP - 8.0,
            height - 28.0,
            height - 10.0
        );
    }
    let mut y = TOP;
    for (case, row) in rows {
        let _ = writeln!(
            svg,
            r##"<text x="{:.1}" y="{:.1}" text-anchor="end" fill="#222">{}</text>"##,
            LEFT - 12.0,
            y + 20.0,
            escaped(case.title)
        );
        let sqlite = row
            .sqlite
            .of_bare
            .map(|ratio| (ratio, row.sqlite.rate, part_of(case.on_sqlite, row, row.bare)));
        let postgres = row.postgres.of_ceiling.or(row.postgres.of_bare).map(|ratio| {
            let most = row.ceiling.or(row.bare);
            (ratio, row.postgres.rate, part_of(case.on_postgres, row, most))
        });
        for (offset, bar, colour) in [(0.0, sqlite, SQLITE), (BAR + 2.0, postgres, POSTGRES)] {
            if let Some((ratio, rate, goal)) = bar {
                add_bar(&mut svg, y + offset, (ratio, rate.unwrap_or_default()), goal, colour);
            }
        }
        y += CASE;
    }
    svg.push_str("</svg>\n");
    svg
}

fn add_bar(svg: &mut String, y: f64, (ratio, rate): (f64, f64), goal: Option<f64>, colour: &str) {
    let end = place(ratio);
    let _ = writeln!(
        svg,
        r#"<rect x="{LEFT}" y="{y:.1}" width="{:.1}" height="{BAR}" fill="{colour}"/>"#,
        end - LEFT
    );
    let mut label = end + 6.0;
    if let Some(goal) = goal {
        let x = place(goal);
        let _ = writeln!(
            svg,
            r##"<path d="M{x:.1} {y:.1}v{BAR}" stroke="#222" stroke-width="2"/>"##
        );
        // The label stands behind the mark when they would touch.
        if (label - 4.0..label + 110.0).contains(&x) {
            label = x + 6.0;
        }
    }
    let _ = writeln!(
        svg,
        r##"<text x="{label:.1}" y="{:.1}" font-size="12" fill="#444">{:.0} %, {rate:.0}/s</text>"##,
        y + 12.0,
        ratio * 100.0
    );
}

/// A goal as part of the most that can be done.
fn part_of(goal: Goal, row: &Row, most: Option<f64>) -> Option<f64> {
    match goal {
        Goal::OfBare(part) => Some(part * row.bare? / most?),
        Goal::OfCeiling(part) => Some(part * row.ceiling? / most?),
        Goal::OfPgbench(times) => Some(times * row.pgbench? / most?),
        Goal::PerSecond(rate) => Some(rate / most?),
        Goal::None => None,
    }
}

/// Where a part of the most stands; what is beyond 110 % stands at the edge.
fn place(part: f64) -> f64 {
    LEFT + (RIGHT - LEFT) * part.clamp(0.0, 1.1)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::CASES;

    #[test]
    fn a_chart_has_a_bar_for_each_figure() {
        let mut row = Row {
            bare: Some(1000.0),
            ..Row::default()
        };
        row.sqlite.rate = Some(450.0);
        row.sqlite.of_bare = Some(0.45);
        let svg = draw(&[(&CASES[0], row)], 64);
        assert!(svg.contains("45 %, 450/s"), "{svg}");
        assert_eq!(svg.matches("height=\"15\"").count(), 1);
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    }
}
