//! The shapes of all files as serde sees them. Doc comments here are what editors show, through the schema.

pub(super) mod approvers;
pub(super) mod inventory;
pub(super) mod policy;
pub(super) mod probe;
pub(super) mod runbook;
pub(super) mod scenario;
