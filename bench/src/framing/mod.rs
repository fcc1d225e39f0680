//! Compares `proto` with tokio-util's `LengthDelimitedCodec`, on the same bytes.
//!
//! A copy of the bytes and the raw stream are measured too: nothing can be faster.

mod memory;
mod tcp;

use std::io;

use tokio_util::codec::LengthDelimitedCodec;

use crate::options::Effort;
use crate::progress;
use crate::rounds::Row;

const SIZES: [usize; 4] = [16, 1024, 64 * 1024, 16 * 1024 * 1024];

pub fn framing(effort: Effort) -> io::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for size in SIZES {
        progress(&format!("framing, in memory, {}", show(size)));
        rows.push(memory::in_memory(size, effort)?);
    }
    for &size in &SIZES[..3] {
        progress(&format!("framing, {}", show(size)));
        rows.push(memory::one_byte_a_read(size, effort)?);
        rows.extend(tcp::over_tcp(size, effort)?);
    }
    rows.push(memory::idle(effort)?);
    Ok(rows)
}

/// The longest frame in any comparison.
const LONGEST: usize = 16 * 1024 * 1024;

/// tokio-util's codec for the same frames: `i32`, little-endian.
fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().little_endian().max_frame_length(LONGEST).new_codec()
}

/// `count` frames of `size` bytes each, one after the other.
fn stream(size: usize, count: usize) -> Vec<u8> {
    let head = proto::prefix::encode_head(size).expect("a size of the table fits");
    let frame: Vec<u8> = head.into_iter().chain((0..size).map(|i| i as u8)).collect();
    frame.repeat(count)
}

/// A size as the table shows it.
fn show(size: usize) -> String {
    match size {
        ..1024 => format!("{size} B"),
        1024..1_048_576 => format!("{} KiB", size / 1024),
        _ => format!("{} MiB", size / 1_048_576),
    }
}
