//! Growth: what a record by its id and a page by its key cost in a small, a larger and a large database.

use crate::cases::{CASES, Contents};
use crate::measure::Target;
use crate::postgres::Cluster;
use crate::service::Sizes;
use crate::{Options, Result, fill, numbers, say};
use std::path::Path;

/// The cases that must not grow with the data.
const STEADY: [&str; 4] = ["get", "by_external_id", "list", "deep"];

/// The median latency of one case in databases of several sizes.
#[derive(Debug, Clone)]
pub(crate) struct Growth {
    pub(crate) case: &'static str,
    pub(crate) target: Target,
    /// Customers, and milliseconds at the median over one connection.
    pub(crate) points: Vec<(u64, f64)>,
}

/// Fills a database of each size, one after the other, and asks it over one connection.
pub(crate) async fn measure(options: &Options, folder: &Path, cluster: &Cluster) -> Result<Vec<Growth>> {
    let mut found = Vec::new();
    for target in [Target::Sqlite, Target::Postgres] {
        let mut of_target: Vec<Growth> = CASES
            .iter()
            .filter(|case| STEADY.contains(&case.key))
            .map(|case| Growth {
                case: case.key,
                target,
                points: Vec::new(),
            })
            .collect();
        for customers in options.growth() {
            let sizes = Sizes {
                customers,
                opportunities: 0,
                interactions: 0,
                tickets: 0,
            };
            let service = fill(options, folder, cluster, target, Some(customers), sizes).await?;
            let contents = Contents::of(&service, customers, 0).await?;
            for growth in &mut of_target {
                let Some(case) = CASES.iter().find(|case| case.key == growth.case) else {
                    continue;
                };
                let Some(stream) = contents.stream(case, 0) else {
                    continue;
                };
                let mut medians = Vec::new();
                for _ in 0..options.rounds() {
                    let figures = options
                        .load()
                        .run(service.address(), (&stream, 0), &service.token, 1, folder)
                        .await?;
                    medians.push(figures.p50);
                }
                growth
                    .points
                    .push((customers, numbers::median(&medians).unwrap_or_default()));
            }
            say(&format!("{customers} customers measured"));
            let settings = service.stop().await?;
            std::fs::remove_dir_all(settings.folder)?;
            if target == Target::Postgres {
                cluster
                    .drop_database(&crate::database_name(target, Some(customers)))
                    .await?;
            }
        }
        found.extend(of_target.into_iter().filter(|growth| !growth.points.is_empty()));
    }
    Ok(found)
}
