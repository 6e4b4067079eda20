//! One verb a file: reads flags, calls the rooms, prints, chooses the exit code.
