//! Kinds of host: the program as it ships carries a whole small run out on each, and journal, screen, exit code and
//! host are held against each other.

mod becoming;
mod crowd;
mod desk;
mod noise;
mod servers;
mod shells;
mod small;
mod squatted;
mod steps;
