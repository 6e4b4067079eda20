//! Who still reaches whom: conduits, cuts and ways. Pure graph work on a plan; never contacts anything.

pub mod site;
pub mod bits;
pub mod lockout;

pub use bits::Bits;
pub use site::{ConduitIx, Site, ZoneIx};
