//! A stream through the relay, and without it: the raw stream is the limit.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Instant;

use crate::options::Effort;
use crate::progress;
use crate::raw_stream;
use crate::rounds::{Better, Contender, Row, play};
use crate::server::Server;

pub fn relay(programs: &Path, effort: Effort) -> io::Result<Vec<Row>> {
    let length = effort.stream;
    progress("a stream through a relay");
    let through = move |start: &dyn Fn(SocketAddr) -> io::Result<Server>| {
        let receiver = TcpListener::bind("127.0.0.1:0")?;
        let relay = start(receiver.local_addr()?)?;
        stream(relay.address, &receiver, length)
    };
    let contenders = vec![
        Contender::new("relay", || {
            through(&|to| Server::program(programs, "relay", &["--to", &to.to_string()]))
        }),
        Contender::new("plain relay", || through(&Server::relay)),
        Contender::new("direct", || {
            let receiver = TcpListener::bind("127.0.0.1:0")?;
            stream(receiver.local_addr()?, &receiver, length)
        }),
    ];
    let rounds = play(0, effort.rounds, contenders)?;
    let what = format!("a stream of {} MB", length / 1_000_000);
    Ok(vec![
        Row::new(what, "MB/s", Better::More, &rounds, |rate| *rate)
            .compare("relay", "direct", 0.6)
            .compare("plain relay", "direct", None)
            .compare("relay", "plain relay", None),
    ])
}

/// A thread sends this many bytes to `to`, and this thread receives them. In MB/s.
fn stream(to: SocketAddr, receiver: &TcpListener, length: usize) -> io::Result<f64> {
    let sender = thread::spawn(move || send(to, length));
    let (mut from, _) = receiver.accept()?;
    let start = Instant::now();
    raw_stream::receive(&mut from, length)?;
    let time = start.elapsed();
    // Closed only now: a relay asks who owns the sender, and for a closed socket the kernel doesn't know.
    drop(sender.join().unwrap_or_else(|_| Err(io::Error::other("the sender panicked")))?);
    Ok(length as f64 / 1e6 / time.as_secs_f64())
}

fn send(to: SocketAddr, length: usize) -> io::Result<TcpStream> {
    let mut conn = TcpStream::connect(to)?;
    raw_stream::send(&mut conn, length)?;
    Ok(conn)
}
