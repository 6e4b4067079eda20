//! The only loops and the only clock: carries the engine's orders out and brings it the news.
