//! The same frames over TCP on the loopback interface: a thread sends, a thread receives.

use std::hint::black_box;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use futures_util::SinkExt;
use futures_util::StreamExt;
use proto::prefix::{self, PrefixFraming};
use proto::{Decoder, Outgoing};
use tokio_util::codec::{FramedRead, FramedWrite};

use super::{LONGEST, codec, show};
use crate::options::Effort;
use crate::raw_stream;
use crate::rounds::{Better, Contender, Row, Times, play, timed};

/// How much a sender collects before it writes; longer frames are written by themselves.
const BATCH: usize = 64 * 1024;

/// Frames of `size` bytes from one thread to another.
pub fn over_tcp(size: usize, effort: Effort) -> io::Result<[Row; 2]> {
    let frames = (effort.bytes / (size + 4)).min(4_000_000);
    let body: Vec<u8> = (0..size).map(|i| i as u8).collect();
    let total = frames * (size + 4);
    let tokio = || {
        let body = Bytes::copy_from_slice(&body);
        transfer(
            |to| block_on(feed(to, body, frames)),
            |from| block_on(receive_tokio(from, frames)),
        )
    };
    let contenders = vec![
        Contender::new("proto", || {
            transfer(|to| send(to, &body, frames), |from| receive(from, frames))
        }),
        Contender::new("tokio-util", tokio),
        Contender::new("raw stream", || {
            transfer(
                |mut to| raw_stream::send(&mut to, total),
                |mut from| raw_stream::receive(&mut from, total),
            )
        }),
    ];
    let rounds = play(1, effort.rounds, contenders)?;
    let row = |what, clock: fn(&Times) -> Duration| {
        let a_frame = |times: &Times| clock(times).as_secs_f64() * 1e9 / frames as f64;
        Row::new(what, "ns a frame", Better::Less, &rounds, a_frame).compare_all()
    };
    let what = format!("over TCP, {}", show(size));
    // If other programs run, only the cost is worth comparing.
    let cost = format!("{what}: cost");
    Ok([row(what, |times| times.elapsed), row(cost, |times| times.cpu)])
}

/// A thread sends, this one receives.
fn transfer(
    send: impl FnOnce(TcpStream) -> io::Result<()> + Send,
    receive: impl FnOnce(TcpStream) -> io::Result<()>,
) -> io::Result<Times> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let to = TcpStream::connect(listener.local_addr()?)?;
    let (from, _) = listener.accept()?;
    let mut done = Ok(());
    let times = timed(|| {
        done = thread::scope(|scope| {
            let sender = scope.spawn(|| send(to));
            receive(from)?;
            sender.join().unwrap_or_else(|_| Err(io::Error::other("the sender panicked")))
        });
    });
    done.map(|()| times)
}

fn send(mut to: TcpStream, body: &[u8], frames: usize) -> io::Result<()> {
    let head = prefix::encode_head(body.len()).map_err(io::Error::other)?;
    if body.len() >= BATCH {
        return (0..frames).try_for_each(|_| Outgoing::new([&head, body]).write_to(&mut to));
    }
    let mut batch = Vec::with_capacity(2 * BATCH);
    for _ in 0..frames {
        batch.extend_from_slice(&head);
        batch.extend_from_slice(body);
        if batch.len() >= BATCH {
            to.write_all(&batch)?;
            batch.clear();
        }
    }
    to.write_all(&batch)
}

fn receive(mut from: TcpStream, frames: usize) -> io::Result<()> {
    let mut decoder = Decoder::new(PrefixFraming { max_frame: LONGEST });
    let mut count = 0;
    while count < frames {
        match decoder.decode().map_err(io::Error::other)? {
            Some(frame) => {
                black_box(frame.body);
                count += 1;
            }
            None => match from.read(decoder.space())? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => decoder.filled(n),
            },
        }
    }
    Ok(())
}

fn block_on<T>(task: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_io().build()?.block_on(task)
}

async fn feed(to: TcpStream, body: Bytes, frames: usize) -> io::Result<()> {
    to.set_nonblocking(true)?;
    let mut framed = FramedWrite::new(tokio::net::TcpStream::from_std(to)?, codec());
    for _ in 0..frames {
        framed.feed(body.clone()).await?;
    }
    SinkExt::<Bytes>::flush(&mut framed).await
}

async fn receive_tokio(from: TcpStream, frames: usize) -> io::Result<()> {
    from.set_nonblocking(true)?;
    let mut framed = FramedRead::new(tokio::net::TcpStream::from_std(from)?, codec());
    for _ in 0..frames {
        let frame = framed.next().await.ok_or(io::ErrorKind::UnexpectedEof)??;
        black_box(&frame[..]);
    }
    Ok(())
}
