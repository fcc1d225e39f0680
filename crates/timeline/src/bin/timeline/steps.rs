//! The pictures that go step by step: ladders of calls and segments, and tables of what was where.

use std::path::Path;

use clap::ValueEnum;
use observe::{Event, Failure};
use timeline::{Connection, Ladder, Levels, in_time};

use crate::{Args, pick};

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Scale {
    Steps,
    Time,
}

/// The ladder of the connection that was picked, or of all connections.
pub fn ladders(
    scale: Scale,
    all: &[Connection],
    events: &[Event],
    args: &Args,
) -> Result<Vec<Ladder>, Failure> {
    let picked = match scale {
        Scale::Steps => vec![pick::one(all, args.conn)?],
        Scale::Time => all.iter().collect(),
    };
    let draw = |connection| {
        Ladder::new(connection, events, args.exchange).ok_or_else(|| {
            Failure::Usage(
                "found no segments of this connection, or no such exchange; try --via with the file that segments --every wrote"
                    .into(),
            )
        })
    };
    picked.into_iter().map(draw).collect()
}

pub fn svg(scale: Scale, ladders: &[Ladder]) -> String {
    match (scale, ladders) {
        (Scale::Steps, [ladder]) => ladder.svg("A connection, call by call and segment by segment"),
        _ => in_time("Calls and segments over time", ladders),
    }
}

pub fn levels(table: &Path) -> Result<String, Failure> {
    let unread = |why: &str| Failure::Usage(format!("{}: {why}", table.display()));
    let text = std::fs::read_to_string(table).map_err(|error| unread(&error.to_string()))?;
    let levels = Levels::read(&text).ok_or_else(|| {
        unread("expected a title after `# `, then a line of names and a line for each step, with | between the cells")
    })?;
    Ok(levels.svg())
}
