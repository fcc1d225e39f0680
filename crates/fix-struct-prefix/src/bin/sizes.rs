//! Native sizes and padding: the bytes that Python's `struct` makes if a format has no `<`, `>` or `!`.
//!
//! ```text
//! $ cargo run -q --bin fix-struct-prefix-sizes
//! ```

use std::ffi::c_long;
use std::io::{self, Write};
use std::mem::{offset_of, size_of};
use std::process::ExitCode;

use clap::Parser;
use observe::{Failure, LogArgs, report};

/// A letter and a number, where C would put them. The number begins at a multiple of its own size.
#[repr(C)]
struct Reading {
    letter: u8,
    number: i32,
}

fn main() -> ExitCode {
    let args = Args::parse();
    report(args.log.start().and_then(|()| show().map_err(Failure::Stdout)))
}

fn show() -> io::Result<()> {
    let packed = size_of::<u8>() + size_of::<i32>();
    let native = size_of::<Reading>();
    let padded = format!("{native}: {} of padding", native - packed);

    let mut out = io::stdout().lock();
    for (python, rust, gives) in [
        ("in Python", "in Rust", "bytes".to_owned()),
        ("calcsize('<i')", "size_of::<i32>()", size_of::<i32>().to_string()),
        ("calcsize('<l')", "size_of::<i32>()", size_of::<i32>().to_string()),
        ("calcsize('l')", "size_of::<c_long>()", format!("{} here", size_of::<c_long>())),
        ("calcsize('<ci')", "1 + 4", packed.to_string()),
        ("calcsize('ci')", "size_of::<Reading>()", padded),
        ("pack('<ci', b't', 21)", "", hex(&[&b"t"[..], &21_i32.to_le_bytes()].concat())),
        ("pack('ci', b't', 21)", "", hex(&in_memory(b't', 21))),
    ] {
        let cells = [(python, 24), (rust, 22), (&gives, 0)];
        writeln!(out, "{}", columns::row(&cells, columns::of(io::stdout())))?;
    }
    Ok(())
}

/// The bytes of a `Reading`, as `pack('ci', letter, number)` gives them: zeros between the two.
fn in_memory(letter: u8, number: i32) -> [u8; size_of::<Reading>()] {
    let mut bytes = [0; size_of::<Reading>()];
    bytes[offset_of!(Reading, letter)] = letter;
    bytes[offset_of!(Reading, number)..][..4].copy_from_slice(&number.to_ne_bytes());
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// Shows how many bytes a number takes with Python's struct.pack, and where padding comes in.
///
/// The lesson: a format without `<`, `>` or `!` has the sizes, the padding and the byte order of this
/// machine. Bytes on the wire must not depend on the machine, so always write the byte order.
#[derive(Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    log: LogArgs,
}
