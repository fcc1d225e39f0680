//! A schedule on the command line.

use std::num::NonZeroU64;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::{Chance, Cut, Delay, Direction, Millis, Schedule};

/// The flags that make a [`Schedule`]. Each has the name of the word in it.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "What happens to the bytes")]
pub struct Faults {
    /// Pieces that the reader sees one by one: 1, or 3,1 (in turn), or 3,1,* (the rest uncut), or random:1..7
    #[arg(long, value_name = "SIZES", default_value_t)]
    cut: Cut,
    /// Collect this long after the first byte, then send everything in one write
    #[arg(long, value_name = "MS", default_value_t)]
    merge: Millis,
    /// How long each byte is delayed, one way; 20..30 draws from a range
    #[arg(long, value_name = "MS", default_value_t)]
    delay: Delay,
    /// How many bytes pass per second
    #[arg(long, value_name = "BYTES/S")]
    rate: Option<NonZeroU64>,
    /// How much later than the last byte the end of the stream passes
    #[arg(long, value_name = "MS", default_value_t)]
    slow_close: Millis,
    /// After N bytes nothing more passes; the connection stays open
    #[arg(long, value_name = "N")]
    stall_after: Option<u64>,
    /// After N bytes both sides get a reset
    #[arg(long, value_name = "N")]
    reset_after: Option<u64>,
    /// After N bytes both sides get the end of the stream
    #[arg(long, value_name = "N")]
    close_after: Option<u64>,
    /// Datagrams (--udp): how many vanish, from 0 to 1
    #[arg(long, value_name = "P", default_value_t)]
    drop: Chance,
    /// Datagrams: how many arrive twice
    #[arg(long, value_name = "P", default_value_t)]
    duplicate: Chance,
    /// Datagrams: how many arrive after the next one
    #[arg(long, value_name = "P", default_value_t)]
    reorder: Chance,
    /// Which direction all this is for: to-server, to-client or both
    #[arg(long, value_name = "DIRECTION", default_value_t)]
    direction: Direction,
    /// The seed for everything random; without it, each run has a new one
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
}

impl From<Faults> for Schedule {
    fn from(faults: Faults) -> Schedule {
        let mut schedule = Schedule {
            cut: faults.cut,
            merge: faults.merge,
            delay: faults.delay,
            rate: faults.rate,
            slow_close: faults.slow_close,
            stall_after: faults.stall_after,
            reset_after: faults.reset_after,
            close_after: faults.close_after,
            drop: faults.drop,
            duplicate: faults.duplicate,
            reorder: faults.reorder,
            direction: faults.direction,
            seed: faults.seed.unwrap_or(0),
        };
        if schedule.has_chance() && faults.seed.is_none() {
            // It differs from run to run, and it is printed: --seed repeats it.
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            schedule.seed = u64::from(now.subsec_micros());
        }
        schedule
    }
}
