//! Decoding alone: the stream is in memory, and a read is a copy.

use std::hint::black_box;
use std::io::{self, Read};

use bytes::{BufMut, BytesMut};
use proto::Decoder;
use proto::prefix::PrefixFraming;
use tokio_util::codec::Decoder as _;

use super::{LONGEST, codec, show, stream};
use crate::options::Effort;
use crate::rounds::{Better, Contender, Row, Times, play, timed};

/// The most that one read returns, as with a receive buffer.
const READ: usize = 256 * 1024;

/// The stream in large reads.
pub fn in_memory(size: usize, effort: Effort) -> io::Result<Row> {
    let frames = (effort.bytes / 8 / (size + 4)).max(4);
    let stream = stream(size, frames);
    let mut buffer = vec![0; READ];
    let contenders = vec![
        contender("proto", || decode(&stream, frames)),
        contender("tokio-util", || decode_tokio(&stream, frames)),
        contender("a copy", || {
            let mut from = &stream[..];
            while from.read(&mut buffer[..]).is_ok_and(|n| n > 0) {
                black_box(&buffer);
            }
        }),
    ];
    let what = format!("in memory, {}", show(size));
    row(what, frames, contenders, effort)
}

/// The stream byte by byte, as the worst peer sends it.
pub fn one_byte_a_read(size: usize, effort: Effort) -> io::Result<Row> {
    let frames = (256 * 1024 / (size + 4)).max(4);
    let stream = stream(size, frames);
    let contenders = vec![
        contender("proto", || {
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
        }),
        contender("tokio-util", || {
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
        }),
    ];
    let what = format!("one byte a read, {}", show(size));
    row(what, frames, contenders, effort)
}

/// What a server does for a command of 20 bytes from a client that then idles: releasing the buffer, compared
/// with keeping it, and with a bare allocation.
pub fn idle(effort: Effort) -> io::Result<Row> {
    let frames = 10_000;
    let request = stream(20, 1);
    let serve = |release: bool| {
        let mut decoder = Decoder::new(PrefixFraming { max_frame: LONGEST });
        for _ in 0..frames {
            decoder.space()[..request.len()].copy_from_slice(&request);
            decoder.filled(request.len());
            black_box(decoder.decode().expect("the stream is well formed"));
            if release {
                decoder.release();
            }
        }
    };
    let contenders = vec![
        contender("released", || serve(true)),
        contender("kept", || serve(false)),
        contender("malloc, free", || (0..frames).for_each(|_| drop(black_box(vec![0_u8; 2048])))),
    ];
    row("buffer released".to_owned(), frames, contenders, effort)
}

fn contender<'a>(name: &'static str, mut run: impl FnMut() + 'a) -> Contender<'a, Times> {
    Contender::new(name, move || Ok(timed(&mut run)))
}

/// How long each took for a frame. The first round warms up caches.
fn row(
    what: String,
    frames: usize,
    contenders: Vec<Contender<Times>>,
    effort: Effort,
) -> io::Result<Row> {
    let rounds = play(1, effort.rounds, contenders)?;
    let a_frame = |times: &Times| times.cpu.as_secs_f64() * 1e9 / frames as f64;
    Ok(Row::new(what, "ns a frame", Better::Less, &rounds, a_frame).compare_all())
}

fn decode(mut stream: &[u8], frames: usize) {
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
}

/// The codec as `FramedRead` drives it, without the scheduler's time.
fn decode_tokio(mut stream: &[u8], frames: usize) {
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
        // FramedRead reads into the room that it has, and asks for more when there is none.
        buffer.reserve(1);
        let n = (buffer.capacity() - buffer.len()).min(READ).min(stream.len());
        let (piece, rest) = stream.split_at(n);
        buffer.extend_from_slice(piece);
        stream = rest;
    }
    assert_eq!(count, frames);
}
