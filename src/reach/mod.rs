//! Who still reaches whom: conduits, cuts and ways. Pure graph work on a plan; never contacts anything.

pub mod site;
pub mod bits;
pub mod lockout;

pub use bits::Bits;
pub use site::{ConduitIx, Site, ZoneIx};

pub mod ground;
pub mod matrix;
pub mod paths;
pub mod cut;
pub mod survival;
pub mod outlook;
pub mod terrain;

pub use outlook::Outlook;
