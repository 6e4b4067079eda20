//! What a site looks like before and after a cut, for people and machines: text, JSON, a page, pictures.

mod words;

mod text;
mod sections;
mod json;

mod layout;
mod svg;
mod dot;
mod page;

pub use dot::dot;
pub use json::json;
pub use page::page;
pub use sections::{BrokenClaim, broken_claims, in_short};
pub use svg::svg;
pub use text::text;
pub use words::{moment_key, situation_named};
