//! S. Sales: what is sold, how, and to whom.

pub mod products;
