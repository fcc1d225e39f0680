//! How the reader wants experiments to be run.

use clap::Args;
use std::path::PathBuf;

/// The options of `demo run NAME`.
#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// Ask me first what will happen, and compare
    #[arg(long, conflicts_with = "json")]
    pub predict: bool,
    /// Save the byte picture: FILE.svg is an image, FILE.html a page that steps through the run,
    /// FILE.trace the calls themselves, for the playground and for `timeline`
    #[arg(long, value_name = "FILE", conflicts_with = "all", value_parser = picture_file)]
    pub picture: Option<PathBuf>,
    /// Record the TCP segments too, in a network of the run's own, and write NAME.pcapng for Wireshark (Linux)
    #[arg(long, conflicts_with = "all")]
    pub segments: bool,
    /// Print one JSON object for each experiment, and nothing else
    #[arg(long)]
    pub json: bool,
    /// How often to try, where chance plays a part or a time is measured
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub trials: Option<u32>,
    /// The seed for random choices: the same seed makes the same choices
    #[arg(long, value_name = "S", value_parser = observe::parse_number::<u64>)]
    pub seed: Option<u64>,
}

fn picture_file(name: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(name);
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("svg" | "html" | "trace") => Ok(path),
        _ => Err(
            "the name must end in .svg (an image), .html (a page that steps) or .trace (the calls)"
                .to_owned(),
        ),
    }
}
