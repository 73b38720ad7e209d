//! The page: one table for each number of connections, and what does not depend on load.

use crate::cases::{Case, Goal};
use crate::chart;
use crate::growth::Growth;
use crate::measure::{Results, Target};
use crate::numbers::{median, millis, part, thousands, whole};
use crate::{Result, say};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// What a server needs without load, and at most under it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) target: Target,
    /// Seconds from the start of the process to readiness.
    pub(crate) start: f64,
    /// Mebibytes.
    pub(crate) idle: f64,
    /// Mebibytes.
    pub(crate) loaded: f64,
}

/// Everything that was found.
pub(crate) struct Report {
    pub(crate) machine: String,
    pub(crate) quick: bool,
    pub(crate) customers: u64,
    pub(crate) rounds: usize,
    pub(crate) seconds: u32,
    /// Mebibytes of the program.
    pub(crate) binary: f64,
    /// Rows before the deep page.
    pub(crate) depth: usize,
    pub(crate) cases: Vec<&'static Case>,
    /// Bytes of an answer.
    pub(crate) sizes: BTreeMap<&'static str, usize>,
    pub(crate) results: Results,
    pub(crate) standing: Vec<Standing>,
    pub(crate) growth: Vec<Growth>,
}

/// Medians of one case over so many connections.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Row {
    pub(crate) bare: Option<f64>,
    pub(crate) pgbench: Option<f64>,
    pub(crate) ceiling: Option<f64>,
    pub(crate) sqlite: Measured,
    pub(crate) postgres: Measured,
}

/// Medians of Rapport on one database.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Measured {
    pub(crate) rate: Option<f64>,
    p50: Option<f64>,
    p99: Option<f64>,
    errors: u64,
    pub(crate) of_bare: Option<f64>,
    pub(crate) of_pgbench: Option<f64>,
    pub(crate) of_ceiling: Option<f64>,
}

impl Report {
    /// Writes the page and its chart, and prints the page.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        let page = self.page();
        std::fs::write(folder.join("README.md"), &page)?;
        let most = self.connections().last().copied().unwrap_or(1);
        let rows: Vec<_> = self
            .cases
            .iter()
            .filter_map(|case| Some((*case, self.shown(case, most)?)))
            .collect();
        std::fs::write(folder.join("chart.svg"), chart::draw(&rows, most))?;
        std::io::stdout().write_all(page.as_bytes())?;
        say(&format!("written to {}", folder.display()));
        Ok(())
    }

    fn connections(&self) -> Vec<u32> {
        let mut all: Vec<u32> = self.results.keys().map(|(_, connections, _)| *connections).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// A case over so many connections, or over those that it has.
    fn shown(&self, case: &Case, connections: u32) -> Option<Row> {
        let of_case = |count: u32| self.row(case.key, count);
        of_case(connections).or_else(|| self.connections().into_iter().find_map(of_case))
    }

    fn row(&self, key: &'static str, connections: u32) -> Option<Row> {
        let of = |target| {
            self.results
                .get(&(key, connections, target))
                .map(Vec::as_slice)
                .unwrap_or_default()
        };
        let rates = |target| of(target).iter().map(|figures| figures.rate).collect::<Vec<_>>();
        let (bare, pgbench) = (rates(Target::Bare), rates(Target::Pgbench));
        let ceilings: Vec<f64> = bare
            .iter()
            .zip(&pgbench)
            .map(|(bare, pgbench)| 1.0 / (1.0 / bare + 1.0 / pgbench))
            .collect();
        let measured = |target| {
            let all = of(target);
            let rates = rates(target);
            let ratio = |beside: &[f64]| {
                median(
                    &rates
                        .iter()
                        .zip(beside)
                        .map(|(rate, beside)| rate / beside)
                        .collect::<Vec<_>>(),
                )
            };
            Measured {
                rate: median(&rates),
                p50: median(&all.iter().map(|figures| figures.p50).collect::<Vec<_>>()),
                p99: median(&all.iter().map(|figures| figures.p99).collect::<Vec<_>>()),
                errors: all.iter().map(|figures| figures.errors).sum(),
                of_bare: ratio(&bare),
                of_pgbench: ratio(&pgbench),
                of_ceiling: ratio(&ceilings),
            }
        };
        (!bare.is_empty()).then(|| Row {
            bare: median(&bare),
            pgbench: median(&pgbench),
            ceiling: median(&ceilings),
            sqlite: measured(Target::Sqlite),
            postgres: measured(Target::Postgres),
        })
    }

    fn page(&self) -> String {
        let mut page = include_str!("introduction.md").to_owned();
        let (customers, rounds, seconds) = (thousands(self.customers), self.rounds, self.seconds);
        let kind = if self.quick {
            "A quick run; its figures are rough"
        } else {
            "A full run"
        };
        // Writing to a text cannot fail.
        let _ = write!(
            page,
            "\n## The figures\n\n{kind}. {}.\n\n{customers} customers, {} opportunities, {} interactions and {} tickets from `rapport generate --seed 1`; \
             {rounds} {} of {seconds} s a measurement. The deep page begins after {} rows.\n\n\
             ![Rapport on SQLite beside the bare server, and on PostgreSQL beside the ceiling](chart.svg)\n",
            self.machine,
            thousands(self.customers / 2),
            thousands(self.customers * 5),
            thousands(self.customers / 2),
            if rounds == 1 { "round" } else { "rounds" },
            thousands(u64::try_from(self.depth).unwrap_or_default()),
        );
        self.add_plain(&mut page);
        for connections in self.connections().into_iter().rev() {
            self.add_table(&mut page, connections);
        }
        self.add_standing(&mut page);
        self.add_growth(&mut page);
        page
    }

    /// Which cases pgbench is asked in other words than those of Rapport.
    fn add_plain(&self, page: &mut String) {
        let mut plain = self
            .cases
            .iter()
            .filter_map(|case| Some((case.title, case.plain()?)))
            .peekable();
        if plain.peek().is_none() {
            return;
        }
        page.push_str("\nIn these cases pgbench asks what one would plainly write, about the same values, and not what Rapport asks:\n\n");
        for (title, statement) in plain {
            // The one that writes is too long for a page, and stands in a file.
            let statement = if statement.contains('\n') {
                "crates/bench/src/plain_batch.sql"
            } else {
                statement
            };
            let _ = writeln!(page, "- {title}: `{statement}`");
        }
    }

    fn add_table(&self, page: &mut String, connections: u32) {
        let (many, kind) = if connections == 1 {
            ("1 connection", "")
        } else {
            ("", " connections")
        };
        let heading = if many.is_empty() {
            format!("{connections}{kind}")
        } else {
            many.to_owned()
        };
        let _ = write!(
            page,
            "\n### {heading}\n\n| request | bytes | bare | pgbench | ceiling | SQLite | p50 | p99 | of bare | to reach | PostgreSQL | p50 | p99 | of ceiling | of pgbench | to reach | errors |\n\
             | --- |{}\n",
            " ---: |".repeat(16)
        );
        for case in &self.cases {
            let Some(row) = self.row(case.key, connections) else {
                continue;
            };
            let (sqlite, postgres) = (&row.sqlite, &row.postgres);
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                case.title,
                self.sizes.get(case.key).copied().unwrap_or_default(),
                whole(row.bare),
                whole(row.pgbench),
                whole(row.ceiling),
                whole(sqlite.rate),
                millis(sqlite.p50),
                millis(sqlite.p99),
                part(sqlite.of_bare),
                goal(case.on_sqlite, sqlite),
                whole(postgres.rate),
                millis(postgres.p50),
                millis(postgres.p99),
                part(postgres.of_ceiling),
                part(postgres.of_pgbench),
                goal(case.on_postgres, postgres),
                sqlite.errors + postgres.errors,
            );
        }
    }

    fn add_standing(&self, page: &mut String) {
        let _ = write!(
            page,
            "\n### Start-up and memory\n\nThe program is {:.0} MiB without debug information. Memory is that of Rapport's process.\n\n\
             | | ready after | memory idle | memory under load, at most |\n| --- | ---: | ---: | ---: |\n",
            self.binary
        );
        for standing in &self.standing {
            let Standing {
                start, idle, loaded, ..
            } = standing;
            let _ = writeln!(
                page,
                "| {} | {start:.2} s | {idle:.0} MiB | {loaded:.0} MiB |",
                name(standing.target)
            );
        }
    }

    fn add_growth(&self, page: &mut String) {
        let Some(first) = self.growth.first() else { return };
        let _ = write!(
            page,
            "\n### Growth\n\nMilliseconds at the median over one connection, by the number of customers in the database.\n\n| request | on |"
        );
        for (customers, _) in &first.points {
            let _ = write!(page, " {} |", thousands(*customers));
        }
        let _ = write!(
            page,
            " last to first |\n| --- | --- |{}\n",
            " ---: |".repeat(first.points.len() + 1)
        );
        for growth in &self.growth {
            let title = crate::CASES
                .iter()
                .find(|case| case.key == growth.case)
                .map_or("", |case| case.title);
            let _ = write!(page, "| {title} | {} |", name(growth.target));
            for (_, p50) in &growth.points {
                let _ = write!(page, " {} |", millis(Some(*p50)));
            }
            let ends = growth.points.first().zip(growth.points.last());
            let _ = writeln!(page, " {} |", part(ends.map(|((_, small), (_, large))| large / small)));
        }
    }
}

const fn name(target: Target) -> &'static str {
    match target {
        Target::Bare => "the bare server",
        Target::Pgbench => "pgbench",
        Target::Sqlite => "SQLite",
        Target::Postgres => "PostgreSQL",
    }
}

/// What is to be reached, and whether it is.
fn goal(goal: Goal, measured: &Measured) -> String {
    let (text, reached) = match goal {
        Goal::OfBare(least) => (format!("{least}"), measured.of_bare.map(|ratio| ratio >= least)),
        Goal::OfCeiling(least) => (format!("{least}"), measured.of_ceiling.map(|ratio| ratio >= least)),
        Goal::OfPgbench(least) => (
            format!("{least} × pgbench"),
            measured.of_pgbench.map(|ratio| ratio >= least),
        ),
        Goal::PerSecond(least) => (format!("{least}/s"), measured.rate.map(|rate| rate >= least)),
        Goal::None => return String::new(),
    };
    match reached {
        Some(true) => format!("≥ {text} ✓"),
        Some(false) => format!("≥ {text} ✗"),
        None => format!("≥ {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Figures;

    #[test]
    fn ratios_are_taken_within_a_round() {
        let figures = |rates: [f64; 3]| {
            rates
                .map(|rate| Figures {
                    rate,
                    ..Figures::default()
                })
                .to_vec()
        };
        let mut results = Results::new();
        results.insert(("get", 1, Target::Bare), figures([100.0, 200.0, 1_000.0]));
        results.insert(("get", 1, Target::Pgbench), figures([100.0, 200.0, 1_000.0]));
        results.insert(("get", 1, Target::Postgres), figures([25.0, 50.0, 250.0]));
        let report = Report {
            machine: String::new(),
            quick: true,
            customers: 1,
            rounds: 3,
            seconds: 1,
            binary: 1.0,
            depth: 0,
            cases: crate::CASES.iter().collect(),
            sizes: BTreeMap::new(),
            results,
            standing: Vec::new(),
            growth: Vec::new(),
        };
        let row = report.row("get", 1).unwrap();
        assert_eq!(row.ceiling, Some(100.0));
        assert_eq!(
            (row.postgres.of_ceiling, row.postgres.of_pgbench),
            (Some(0.5), Some(0.25))
        );
        assert!(report.page().contains("- open pipeline by stage: `SELECT stage_id,"));
        assert!(
            report.page().contains("| get by id | 0 | 200 | 200 | 100 |"),
            "{}",
            report.page()
        );
    }
}
