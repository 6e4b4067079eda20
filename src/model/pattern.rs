//! Host patterns: names, groups, globs, and set algebra on them.
