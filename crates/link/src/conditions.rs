//! What a line does to the packets that it carries.

use std::time::Duration;

/// What happens to packets on the line, the same in both directions.
#[derive(clap::Args, Clone, Debug, Default, PartialEq)]
pub struct Conditions {
    /// How long each packet takes, one way, in milliseconds
    #[arg(long, value_name = "MS", default_value = "0", value_parser = milliseconds)]
    pub delay: Duration,
    /// The probability that a packet is lost, from 0 to 1
    #[arg(long, value_name = "P", default_value_t = 0.0, value_parser = probability)]
    pub drop: f64,
    /// The probability that a packet arrives twice
    #[arg(long, value_name = "P", default_value_t = 0.0, value_parser = probability)]
    pub duplicate: f64,
    /// The probability that a packet takes no time, and so overtakes all that are under way. Needs --delay
    #[arg(long, value_name = "P", default_value_t = 0.0, value_parser = probability, requires = "delay")]
    pub reorder: f64,
    /// The seed for everything random: with the same seed, the same happens again
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
}

impl Conditions {
    /// As options of `relay-link`.
    pub(crate) fn to_args(&self) -> Vec<String> {
        let values = [
            ("--delay", (self.delay.as_secs_f64() * 1000.0).to_string()),
            ("--drop", self.drop.to_string()),
            ("--duplicate", self.duplicate.to_string()),
            ("--reorder", self.reorder.to_string()),
            ("--seed", self.seed.to_string()),
        ];
        values.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect()
    }
}

fn milliseconds(text: &str) -> Result<Duration, &'static str> {
    let wrong = "expected milliseconds, such as 25 or 0.5";
    let value: f64 = text.parse().map_err(|_| wrong)?;
    Duration::try_from_secs_f64(value / 1000.0).map_err(|_| wrong)
}

fn probability(text: &str) -> Result<f64, &'static str> {
    let value = text.parse().ok().filter(|value| (0.0..=1.0).contains(value));
    value.ok_or("expected a probability from 0 to 1, such as 0.1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Args, Command, FromArgMatches};

    fn parse(args: &[String]) -> Result<Conditions, clap::Error> {
        let command = Conditions::augment_args(Command::new("test").no_binary_name(true));
        Conditions::from_arg_matches(&command.try_get_matches_from(args)?)
    }

    #[test]
    fn they_print_and_parse() {
        let delay = Duration::from_micros(25_500);
        let all = Conditions { delay, drop: 0.1, duplicate: 0.25, reorder: 1.0, seed: u64::MAX };
        assert_eq!(parse(&all.to_args()).unwrap(), all);
        assert_eq!(parse(&[]).unwrap(), Conditions::default());
        for wrong in [["--delay", "-1"], ["--drop", "1.1"], ["--drop", "NaN"], ["--reorder", "0.1"]]
        {
            assert!(parse(&wrong.map(str::to_owned)).is_err(), "{wrong:?}");
        }
    }
}
