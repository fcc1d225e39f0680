//! Decoding alone: the stream is in memory, and a read is a copy.

use std::hint::black_box;
use std::io::Read;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use proto::Decoder;
use proto::prefix::PrefixFraming;
use rustix::time::{ClockId, clock_gettime};
use tokio_util::codec::Decoder as _;

use crate::rounds::{Contender, Row};
use crate::{LONGEST, codec, show, stream};

/// A read brings at most so much, as a receive buffer does.
const READ: usize = 256 * 1024;

/// The stream in large reads.
pub fn in_memory(size: usize, rounds: usize) -> Row {
    let frames = (32 * 1024 * 1024 / (size + 4)).max(4);
    let stream = stream(size, frames);
    let mut buffer = vec![0; READ];
    let contenders = vec![
        Contender::new("proto", || decode(&stream, frames)),
        Contender::new("tokio-util", || decode_tokio(&stream, frames)),
        Contender::new("a copy", || {
            let start = cpu_time();
            let mut from = &stream[..];
            while from.read(&mut buffer[..]).is_ok_and(|n| n > 0) {
                black_box(&buffer);
            }
            cpu_time() - start
        }),
    ];
    Row::measure(&format!("in memory, {}", show(size)), size, frames, rounds, contenders)
}

/// The stream byte by byte, as the worst peer sends it.
pub fn one_byte_a_read(size: usize, rounds: usize) -> Row {
    let frames = (256 * 1024 / (size + 4)).max(4);
    let stream = stream(size, frames);
    let contenders = vec![
        Contender::new("proto", || {
            let start = cpu_time();
            let mut decoder = Decoder::new(PrefixFraming { max_frame: LONGEST });
            let mut count = 0;
            for &byte in &stream {
                decoder.space()[0] = byte;
                decoder.filled(1);
                if let Some(frame) = decoder.decode().expect("the stream is well formed") {
                    black_box(frame.body);
                    count += 1;
                }
            }
            assert_eq!(count, frames);
            cpu_time() - start
        }),
        Contender::new("tokio-util", || {
            let start = cpu_time();
            let mut codec = codec();
            let mut buffer = BytesMut::with_capacity(8 * 1024);
            let mut count = 0;
            for &byte in &stream {
                buffer.put_u8(byte);
                if let Some(frame) = codec.decode(&mut buffer).expect("the stream is well formed") {
                    black_box(&frame[..]);
                    count += 1;
                }
            }
            assert_eq!(count, frames);
            cpu_time() - start
        }),
    ];
    Row::measure(&format!("one byte a read, {}", show(size)), size, frames, rounds, contenders)
}

fn decode(mut stream: &[u8], frames: usize) -> Duration {
    let start = cpu_time();
    let mut decoder = Decoder::new(PrefixFraming { max_frame: LONGEST });
    let mut count = 0;
    loop {
        while let Some(frame) = decoder.decode().expect("the stream is well formed") {
            black_box(frame.body);
            count += 1;
        }
        let space = decoder.space();
        let n = space.len().min(READ).min(stream.len());
        if n == 0 {
            break;
        }
        let (piece, rest) = stream.split_at(n);
        space[..n].copy_from_slice(piece);
        stream = rest;
        decoder.filled(n);
    }
    assert_eq!(count, frames);
    cpu_time() - start
}

/// The codec as `FramedRead` drives it, without the scheduler's time.
fn decode_tokio(mut stream: &[u8], frames: usize) -> Duration {
    let start = cpu_time();
    let mut codec = codec();
    let mut buffer = BytesMut::with_capacity(READ);
    let mut count = 0;
    loop {
        while let Some(frame) = codec.decode(&mut buffer).expect("the stream is well formed") {
            black_box(&frame[..]);
            count += 1;
        }
        if stream.is_empty() {
            break;
        }
        // FramedRead reads into what room there is, and asks for more when there is none.
        buffer.reserve(1);
        let n = (buffer.capacity() - buffer.len()).min(READ).min(stream.len());
        let (piece, rest) = stream.split_at(n);
        buffer.extend_from_slice(piece);
        stream = rest;
    }
    assert_eq!(count, frames);
    cpu_time() - start
}

/// What this thread has used of a processor: other programs' share of it is not counted.
fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
