//! Compares `proto` with tokio-util's `LengthDelimitedCodec`, on the same bytes.
//!
//! Everyone else on the machine disturbs a measurement. So the contenders alternate, and what counts is the ratio of
//! two that ran within the same round.

mod memory;
mod rounds;
mod tcp;

pub use memory::{idle, in_memory, one_byte_a_read};
pub use rounds::{Row, Spread};
pub use tcp::over_tcp;

use tokio_util::codec::LengthDelimitedCodec;

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
