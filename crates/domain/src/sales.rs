//! S. Sales: what is sold, how, and to whom.

pub mod chosen_stage;
pub mod opportunities;
pub mod opportunity_lines;
pub mod opportunity_moves;
pub mod opportunity_totals;
pub mod pipeline_summary;
pub mod pipelines;
pub mod products;
pub mod stage_changes;
pub mod stages;
