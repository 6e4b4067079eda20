//! Events to disk and back: append-only, hash-chained, synced before anything is done about them.
