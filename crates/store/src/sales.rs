//! S. Sales: how products, pipelines and opportunities are kept.

pub mod products;
