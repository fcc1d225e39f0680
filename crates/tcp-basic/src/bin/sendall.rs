//! `send` takes what fits and says how much that was; `sendall` is a loop around it.
//!
//! ```text
//! $ cargo run -q --bin tcp-basic-sendall
//! ```
//!
//! One process plays both ends. The reader starts late, so the first `send` meets buffers that fill up.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::ExitCode;
use std::thread;

use clap::Parser;
use observe::{Failure, LogArgs, Socket, exit_when_interrupted, report};
use rustix::event::{PollFd, PollFlags, poll};
use socket2::{Domain, SockAddr, Type};

fn main() -> ExitCode {
    let args = Args::parse();
    exit_when_interrupted();
    report(run(&args))
}

fn run(args: &Args) -> Result<(), Failure> {
    args.log.start()?;
    let (listener, conn) = connect().map_err(Failure::cannot_listen(Ipv4Addr::LOCALHOST))?;
    let data: Vec<u8> = (0..args.bytes as usize).map(byte_at).collect();

    let mut sends = Vec::new();
    let received = thread::scope(|scope| {
        // Nobody reads yet, but the connection is already complete: it waits in the accept queue.
        sends.push(conn.send(&data)?);
        let reader = scope.spawn(|| receive(listener));
        let sent = send_rest(conn, &data, &mut sends);
        // The reader's error first: if it gives up, the sender only sees a reset.
        let received = reader.join().map_err(|_| io::Error::other("the reader panicked"))??;
        sent.map(|()| received)
    });
    let received = received.map_err(Failure::asking(Ipv4Addr::LOCALHOST, "byte by byte"))?;

    print(&sends, received, data.len()).map_err(Failure::Stdout)?;
    if received == data.len() {
        return Ok(());
    }
    let what = format!("{received} of {} bytes arrived", data.len());
    Err(Failure::Ended { peer: Ipv4Addr::LOCALHOST.to_string(), what })
}

fn connect() -> io::Result<(Socket, Socket)> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&SockAddr::from(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)))?;
    // Small buffers, so that they are full soon. Left alone, the kernel lets them grow to megabytes.
    // An accepted socket inherits its listener's buffer size.
    listener.set_recv_buffer_size(64 << 10)?;
    listener.listen(1)?;

    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.set_send_buffer_size(64 << 10)?;
    conn.connect(&listener.local_addr()?)?;
    // A blocking send would wait until everything is taken. A non-blocking one takes what fits, so we have to count.
    conn.set_nonblocking(true)?;
    Ok((listener, conn))
}

/// What `sendall` does: send, then send the part that was not taken, again and again until everything is.
fn send_rest(conn: Socket, data: &[u8], sends: &mut Vec<usize>) -> io::Result<()> {
    let mut sent: usize = sends.iter().sum();
    while sent < data.len() {
        match conn.send(&data[sent..]) {
            Ok(n) => {
                sent += n;
                sends.push(n);
            }
            // The buffers are full: sleep until the reader has made room.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                poll(&mut [PollFd::new(&conn, PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
    // conn is closed here: the reader sees the end of the stream.
}

/// Reads to the end of the stream, checks every byte, and counts.
fn receive(listener: Socket) -> io::Result<usize> {
    let (conn, _) = listener.accept()?;
    let mut count = 0;
    let mut buffer = [0; 16 << 10];
    loop {
        let n = conn.recv(&mut buffer)?;
        if n == 0 {
            return Ok(count);
        }
        if let Some(wrong) = (0..n).find(|&i| buffer[i] != byte_at(count + i)) {
            let what = format!("byte {} differs from the one that was sent", count + wrong);
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        count += n;
    }
}

/// The byte at each offset of the stream. 251 is prime, so a piece that is lost, doubled or out of order
/// gets noticed. With a pattern of 256 bytes it might not be.
fn byte_at(offset: usize) -> u8 {
    (offset % 251) as u8
}

fn print(sends: &[usize], received: usize, all: usize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let (mut left, last) = (all, sends.len());
    for (took, number) in sends.iter().zip(1..) {
        match number {
            6 if number < last => writeln!(out, "     ...")?,
            7.. if number < last => {}
            _ => writeln!(out, "send {number:>4} took {took:>8} of {left:>8} bytes")?,
        }
        left -= took;
    }
    let more = last - 1;
    writeln!(out, "one send took {} of {all} bytes; {more} more took the rest", sends[0])?;
    writeln!(out, "the reader got {received} bytes, exactly as they were sent")?;
    out.flush()
}

/// Sends more than the buffers hold: one `send` takes a part of it, a loop gets all of it across.
///
/// The lesson: `send` returns how many bytes it took, and the rest is yours to send again. What
/// Python calls `sendall` is `write_all` in Rust, for sockets that block.
#[derive(Parser)]
#[command(
    version,
    after_help = "\
One terminal is enough:
  1$ tcp-basic-sendall
The same calls in two:
  1$ tcp-basic-server -v
  2$ tcp-basic-client -v"
)]
struct Args {
    /// How much to send
    #[arg(long, value_name = "BYTES", default_value_t = 8 << 20, value_parser = clap::value_parser!(u32).range(1..=1 << 30))]
    bytes: u32,
    #[command(flatten)]
    log: LogArgs,
}
