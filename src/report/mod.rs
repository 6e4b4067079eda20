//! Turns plans, events and states into what people and machines read. Never decides anything.
