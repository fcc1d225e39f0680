//! Every message has the same length, the server: it answers each record in capitals.
//!
//! ```text
//! 1$ cargo run -q --bin fixed-server
//! listening on 127.0.0.1:8888
//! message 1: hello
//! message 2: hi
//!
//! 2$ cargo run -q --bin fixed-client -- hello hi
//! HELLO
//! HI
//! ```

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use clap::builder::{RangedU64ValueParser, TypedValueParser as _};
use observe::{Failure, Socket, report, show};
use proto::fixed::{self, FixedFraming};
use proto::{Decoder, ReadError};
use socket2::{Domain, Type};

fn main() -> ExitCode {
    let args = Args::parse();
    observe::exit_when_told();
    report(serve(&args))
}

/// socket, bind, listen.
fn listen(address: SocketAddr) -> io::Result<Socket> {
    let listener = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&address.into())?;
    listener.listen(128)?;
    Ok(listener)
}

fn serve(args: &Args) -> Result<(), Failure> {
    args.log.start()?;
    let listener = listen(args.listen).map_err(Failure::cannot_listen(args.listen))?;
    observe::say_listening(&listener)?;
    let mut backoff = observe::Backoff::default();
    loop {
        let Some((conn, peer)) = backoff.check(listener.accept())? else { continue };
        let served = client(&conn, args).map_err(Failure::talking(show(&peer), "serving"));
        if served.is_err() {
            drain(&conn);
        }
        if !args.forever {
            return served;
        }
        // One client's error must not stop the server.
        report(served);
    }
}

/// One client: take a record, answer it in capitals; and again, until the stream ends.
fn client(mut conn: &Socket, args: &Args) -> Result<(), ReadError> {
    // It serves one at a time: one that says nothing for so long is given up. One that sends a byte now and then keeps its
    // turn, and the others wait: chapter 12 has servers where they don't.
    conn.set_read_timeout(Some(args.timeout))?;
    conn.set_write_timeout(Some(args.timeout))?;
    let mut incoming = Decoder::new(FixedFraming { size: args.size });
    for number in 1.. {
        // The read loop: ask the decoder; while no whole record is there, recv more.
        let message = loop {
            match incoming.decode()? {
                Some(record) => break fixed::decode(record.body),
                None => match conn.recv(incoming.space())? {
                    0 => return Ok(incoming.check_end()?), // between two records the normal end, inside one an error
                    n => incoming.filled(n),
                },
            }
        };
        observe::say(format_args!("message {number}: {}", columns::visible_bytes(message)));
        // The same length, so it fits.
        let answer = fixed::encode(&message.to_ascii_uppercase(), args.size);
        conn.write_all(&answer.map_err(io::Error::other)?)?;
    }
    Ok(())
}

/// After an error, before close: the answers that were sent should still arrive (`scripts/demo.sh goodbye`). So half-close,
/// and read what is still coming, but for one second in all: the others are waiting.
fn drain(conn: &Socket) {
    let _ = conn.shutdown(Shutdown::Write);
    let deadline = Instant::now() + Duration::from_secs(1);
    let mut rest = [0; 4096];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // A timeout that rounds to 0 microseconds would mean to wait for ever.
        let may_wait = left.as_micros() > 0 && conn.set_read_timeout(Some(left)).is_ok();
        if !may_wait || !matches!(conn.recv(&mut rest), Ok(1..)) {
            return;
        }
    }
}

/// Answers each record that a client sends with the same text in capitals.
///
/// The lesson: fixed length. A message ends after that many bytes, wherever recv stops; what has come after
/// it stays in the buffer. Both sides must know the size, and a short message is as long as a long one.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("fixed_server.rs")))]
struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = proto::agreed::ADDRESS, value_parser = observe::parse_address)]
    listen: SocketAddr,
    /// Serve one client after another instead of one
    #[arg(long)]
    forever: bool,
    /// The size of a record, the same on both sides; at most 65536
    #[arg(long, value_name = "BYTES", default_value = "8", value_parser = RangedU64ValueParser::<usize>::new()
        .range(1..=65536).try_map(NonZeroUsize::try_from))]
    size: NonZeroUsize,
    /// How long the client may be silent, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = observe::parse_seconds)]
    timeout: Duration,
    #[command(flatten)]
    log: observe::LogArgs,
}
