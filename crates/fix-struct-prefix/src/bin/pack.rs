//! Python's `struct.pack`, in Rust: how four bytes carry a number.
//!
//! ```text
//! $ cargo run -q --bin fix-struct-prefix-pack
//! $ cargo run -q --bin fix-struct-prefix-pack -- 1000
//! ```

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use observe::{Failure, LogArgs, report};

fn main() -> ExitCode {
    let args = Args::parse();
    report(args.log.start().and_then(|()| show(args.number).map_err(Failure::Stdout)))
}

fn show(number: i32) -> io::Result<()> {
    let (native, little, big) = (number.to_ne_bytes(), number.to_le_bytes(), number.to_be_bytes());
    // The same four bytes, read in the right order and in the wrong one.
    let right = i32::from_le_bytes(little).to_string();
    let wrong = match i32::from_be_bytes(little) {
        same if same == number => format!("{same}: the wrong order, and the same number"),
        wrong => format!("{wrong}: the wrong order"),
    };

    let mut out = io::stdout().lock();
    writeln!(out, "n = {number}")?;
    for (python, rust, gives) in [
        ("in Python", "in Rust", "gives".to_owned()),
        ("a = pack('i', n)", "n.to_ne_bytes()", hex(native)),
        ("b = pack('<i', n)", "n.to_le_bytes()", hex(little)),
        ("c = pack('>i', n)", "n.to_be_bytes()", hex(big)),
        ("unpack('<i', b)", "i32::from_le_bytes(b)", right),
        ("unpack('>i', b)", "i32::from_be_bytes(b)", wrong),
    ] {
        let cells = [(python, 20), (rust, 24), (&gives, 0)];
        writeln!(out, "{}", columns::row(&cells, columns::of(io::stdout())))?;
    }
    Ok(())
}

fn hex(bytes: [u8; 4]) -> String {
    bytes.map(|byte| format!("{byte:02x}")).join(" ")
}

/// Shows the bytes of a number as Python's struct.pack gives them, and reads them back.
///
/// The lesson: a number has a size and a byte order, and both sides must agree on them. `i` means 32
/// bits with a sign, in the order of this machine; `<i` and `>i` say which order.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The number, from -2147483648 to 2147483647
    #[arg(default_value_t = 123, allow_negative_numbers = true, value_parser = observe::parse_number::<i32>)]
    number: i32,
    #[command(flatten)]
    log: LogArgs,
}
