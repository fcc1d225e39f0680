//! The experiments: every claim of the course, tested on the real programs.
//!
//! `demo` runs them, and `sync-docs` puts their questions into the pages. Each is a file in `src/experiments/`; the tests
//! compare what it prints with `transcripts/`.

mod actor;
mod command_line;
mod exchange;
mod experiments;
mod linked_networks;
mod many_runs;
mod options;
mod prediction;
mod record;
mod recorded;
pub mod run;
mod samples;
mod scene;
mod screen;
mod segment_recorder;
mod setup_error;
mod verdict;

pub use experiments::{ALL, Experiment};
pub use options::Options;
pub use prediction::{Choice, Prediction};
pub use setup_error::SetupError;
