//! How fast `proto` finds frames, compared with tokio-util's `LengthDelimitedCodec`.
//!
//! ```text
//! $ cd bench && cargo run --release --bin framing -- [--rounds 15] [--json] [memory|byte|idle|tcp]
//! ```
//!
//! A ratio of 2 means half the time. Look at the spread before you believe a median.

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use bench::{Row, Spread, idle, in_memory, one_byte_a_read, over_tcp};

const SIZES: [usize; 4] = [16, 1024, 64 * 1024, 16 * 1024 * 1024];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("framing: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<()> {
    let (mut rounds, mut json, mut only) = (15, false, None);
    let mut args = env::args().skip(1);
    while let Some(arg) = args.next() {
        match &*arg {
            "--json" => json = true,
            "--rounds" => rounds = args.next().and_then(|n| n.parse().ok()).ok_or_else(usage)?,
            "memory" | "byte" | "idle" | "tcp" => only = Some(arg),
            _ => return Err(usage()),
        }
    }
    let wanted = |part: &str| only.as_deref().is_none_or(|only| only == part);
    let mut rows = Vec::new();
    if wanted("memory") {
        rows.extend(SIZES.map(|size| in_memory(size, rounds)));
    }
    if wanted("byte") {
        rows.extend(SIZES[..3].iter().map(|&size| one_byte_a_read(size, rounds)));
    }
    if wanted("idle") {
        rows.push(idle(rounds));
    }
    if wanted("tcp") {
        rows.extend(SIZES[..3].iter().flat_map(|&size| over_tcp(size, rounds)));
    }
    let mut out = io::stdout().lock();
    if json { print_json(&mut out, &rows) } else { print_tables(&mut out, &rows, rounds) }
}

fn usage() -> io::Error {
    io::Error::other("usage: framing [--rounds N] [--json] [memory|byte|idle|tcp]")
}

fn print_tables(out: &mut impl Write, rows: &[Row], rounds: usize) -> io::Result<()> {
    writeln!(out, "{rounds} rounds: median (least to most)\n")?;
    writeln!(out, "proto is so many times as fast as:")?;
    for Row { what, ratios, fastest, .. } in rows {
        for ((name, spread), fastest) in ratios.iter().zip(fastest) {
            writeln!(out, "  {what:24} {name:12} {spread}; fastest rounds {fastest:.2}")?;
        }
    }
    writeln!(out, "\nnanoseconds a frame:")?;
    for Row { what, times, .. } in rows {
        for (name, spread) in times {
            writeln!(out, "  {what:24} {name:12} {spread}")?;
        }
    }
    Ok(())
}

/// One line for each row.
fn print_json(out: &mut impl Write, rows: &[Row]) -> io::Result<()> {
    let members = |values: &[(&str, Spread)]| {
        let member = |(name, Spread { median, least, most }): &(&str, Spread)| {
            format!(r#""{name}":{{"median":{median},"least":{least},"most":{most}}}"#)
        };
        values.iter().map(member).collect::<Vec<_>>().join(",")
    };
    for Row { what, ratios, fastest, times } in rows {
        let (ratios, times) = (members(ratios), members(times));
        writeln!(
            out,
            r#"{{"what":"{what}","ratios":{{{ratios}}},"fastest":{fastest:?},"ns":{{{times}}}}}"#
        )?;
    }
    Ok(())
}
