//! S. Sales: how products, pipelines and opportunities are kept.

pub mod opportunities;
pub mod opportunity_totals;
pub mod pipelines;
pub mod products;
pub mod stage_changes;
pub mod stages;
