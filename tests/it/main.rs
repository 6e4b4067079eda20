//! All integration tests, in one binary: one link step, shared helpers.
#![allow(clippy::disallowed_methods, reason = "tests read files, start processes and make sites")]

mod support;

mod layers;
mod promises;

mod load;
mod load_good;
mod corpus;
mod plan;
mod plan_scale;
mod counted;
mod plan_shell;
mod plan_site;
mod plan_text;
mod open_paths;
mod outlook;
mod report;
mod report_site;
mod story;
mod past;
mod paper;
mod pages;
mod journal;
mod sim;
mod tabletop;
mod exercises;
mod lockout;
mod signing;
mod gates;
mod runbooks;
mod cmd;
mod readme;

mod ssh;
mod kinds;
mod hostile;
mod lane;
mod lane_ahead;
mod lane_become;
mod lane_files;
mod lane_guard;
mod guard;
mod lane_receipts;
mod lane_ssh;
mod fire;
mod lasting;

mod faults;

mod probes;

mod lab;
mod lab_crash;
mod controller;

mod soak;
