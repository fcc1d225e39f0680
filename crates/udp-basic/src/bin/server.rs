//! A UDP server: one socket, no connection; every datagram says where it came from.
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

use clap::Parser;
use columns::visible_bytes;
use observe::{Datagram, Failure, Socket, exit_when_told, report, say, show};
use socket2::{Domain, Type};
use tracing::warn;

fn main() -> ExitCode {
    let args = Args::parse();
    exit_when_told();
    report(run(&args))
}

fn run(args: &Args) -> Result<(), Failure> {
    args.log.start()?;
    let socket = bind(args.listen).map_err(Failure::listen(args.listen))?;
    let address = socket.local_addr().map_err(Failure::listen(args.listen))?;
    print(&format!("listening on {}", show(&address)))?;
    let mut buffer = [0; 1024];
    loop {
        let datagram = socket
            .recv_from(&mut buffer)
            .map_err(Failure::talking(args.listen, "waiting for a datagram"))?;
        // Any length is a message, 0 too: a datagram socket has no end of stream.
        let message = &buffer[..datagram.len];
        // Anybody can send a datagram, with any bytes in it: a terminal would obey some of them.
        let shown = visible_bytes(message);
        if !args.forever {
            let printed = print(&shown);
            return printed.and(answer(&socket, &datagram, buffer.len()));
        }
        // One sender's error must not stop the server. Neither must a closed stdout.
        say(format_args!("{shown}"));
        report(answer(&socket, &datagram, buffer.len()));
    }
}

fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    // No SO_REUSEADDR: nothing lingers after a UDP socket, and on Linux the option would let a second
    // server bind the same port and take the first one's datagrams.
    socket.bind(&address.into())?;
    Ok(socket)
}

fn answer(socket: &Socket, datagram: &Datagram, room: usize) -> Result<(), Failure> {
    let peer = show(&datagram.from);
    if datagram.truncated {
        // Gone for good: the next recvfrom brings the next datagram, not the rest of this one.
        warn!(peer, room, "the datagram was longer than the buffer: its rest is lost");
    }
    socket
        .send_to(proto::agreed::NI_HAO.as_bytes(), &datagram.from)
        .map_err(Failure::talking(peer, "answering"))?;
    Ok(())
}

/// A line on stdout, flushed: whoever started this server waits for it.
fn print(line: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(Failure::Stdout)
}

/// A UDP server: it answers the first datagram in Chinese, prints it, and ends.
///
/// The lesson: socket, bind, recvfrom, sendto, close. There is no listen and no accept: one socket
/// serves everybody, and each datagram comes with its sender's address. `-v` shows the calls as they
/// happen.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("server.rs")))]
struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = proto::agreed::ADDRESS, value_parser = observe::parse_address)]
    listen: SocketAddr,
    /// Answer one datagram after another instead of one
    #[arg(long)]
    forever: bool,
    #[command(flatten)]
    log: observe::LogArgs,
}
