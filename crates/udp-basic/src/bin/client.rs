//! A UDP client: it sends a datagram to an address, without a connection, and waits for the answer.
//!
//! ```text
//! 1$ cargo run -q --bin udp-basic-server
//! listening on 127.0.0.1:8888
//! from udp client
//!
//! 2$ cargo run -q --bin udp-basic-client
//! 你好
//! ```
//!
//! `-v` shows each call as it happens.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use observe::{Failure, Socket, exit_when_interrupted, report, show};
use rustix::io::Errno;
use socket2::{Domain, Type};
use tracing::warn;

fn main() -> ExitCode {
    let args = Args::parse();
    exit_when_interrupted();
    report(run(&args))
}

fn run(args: &Args) -> Result<(), Failure> {
    args.log.start()?;
    let socket = send(args).map_err(|error| refused(args, error))?;
    let answer = receive(&socket, args).map_err(Failure::asking(
        args.connect,
        "waiting for the answer (UDP does not tell whether a server is there)",
    ))?;
    print(&answer).map_err(Failure::Stdout)
}

fn send(args: &Args) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(args.connect), Type::DGRAM, None)?;
    // No connect and no bind: at the first sendto, the kernel picks a free port for this end.
    socket.send_to(args.message.as_bytes(), &args.connect.into())?;
    Ok(socket)
}

fn refused(args: &Args, error: io::Error) -> Failure {
    if error.raw_os_error() != Some(Errno::MSGSIZE.raw_os_error()) {
        return Failure::Endpoint { doing: "send to", address: args.connect.to_string(), error };
    }
    // The length fields of IPv4 and UDP have 16 bits. IPv4's length includes its own header (at least
    // 20 bytes) and UDP's (8 bytes); IPv6's doesn't include its own. RFC 791, 768 and 8200.
    let limit = if args.connect.is_ipv4() { 65_507 } else { 65_527 };
    Failure::Usage(format!(
        "message too long: --message has {} bytes, a datagram to {} at most {limit} (on some systems less)",
        args.message.len(),
        args.connect
    ))
}

fn receive(socket: &Socket, args: &Args) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + args.timeout;
    let mut buffer = [0; 1024];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // A timeout that rounds to 0 microseconds would mean no timeout at all.
        if left.as_micros() == 0 {
            return Err(io::ErrorKind::TimedOut.into());
        }
        socket.set_read_timeout(Some(left))?;
        let datagram = socket.recv_from(&mut buffer)?;
        let peer = show(&datagram.from);
        // Any program can send to our port, so accept only an answer from the address that we asked. After
        // a connect, the kernel would make this check.
        if datagram.from.as_socket() != Some(args.connect) {
            warn!(peer, "ignored a datagram that is not the answer: it came from somebody else");
            continue;
        }
        if datagram.truncated {
            warn!(
                peer,
                room = buffer.len(),
                "the answer was longer than the buffer: the rest is lost"
            );
        }
        return Ok(buffer[..datagram.len].to_vec());
    }
}

fn print(line: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(line)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// A UDP client: it sends one datagram, and prints the one that comes back.
///
/// The lesson: socket, sendto, recvfrom, close. Nothing is set up before the first byte, so you can't
/// know whether anybody is there: if you wait for an answer, you need a timeout. `-v` shows the calls
/// as they happen.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("client.rs")))]
struct Args {
    /// Where the server listens
    #[arg(long, value_name = "ADDR", default_value = proto::agreed::ADDRESS, value_parser = observe::parse_address)]
    connect: SocketAddr,
    /// What to say; an empty text is a datagram too
    #[arg(long, value_name = "TEXT", default_value = "from udp client")]
    message: String,
    /// How long to wait for the answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = observe::parse_seconds)]
    timeout: Duration,
    #[command(flatten)]
    log: observe::LogArgs,
}
