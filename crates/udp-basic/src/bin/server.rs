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
use observe::{Datagram, Failure, Socket, report, show};
use socket2::{Domain, Type};
use tracing::warn;

fn main() -> ExitCode {
    let args = Args::parse();
    observe::exit_when_told();
    report(run(&args))
}

fn run(args: &Args) -> Result<(), Failure> {
    args.log.start()?;
    let socket = bind(args.listen).map_err(Failure::cannot_listen(args.listen))?;
    let address = socket.local_addr().map_err(Failure::cannot_listen(args.listen))?;
    print(&format!("listening on {}", show(&address)))?;
    let mut buffer = [0; 1024];
    loop {
        let datagram = socket
            .recv_from(&mut buffer)
            .map_err(Failure::talking(args.listen, "waiting for a datagram"))?;
        // Every datagram is a message, even one of 0 bytes: UDP has no end of stream.
        let message = &buffer[..datagram.len];
        // Anybody can send a datagram with any bytes in it, and a terminal would obey some of them.
        let shown = columns::visible_bytes(message);
        if !args.forever {
            let answered = answer(&socket, &datagram, buffer.len());
            print(&shown)?;
            return answered;
        }
        // One sender's error must not stop the server. Neither must a closed stdout.
        observe::say(format_args!("{shown}"));
        report(answer(&socket, &datagram, buffer.len()));
    }
}

fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    // No SO_REUSEADDR: a UDP port has no TIME_WAIT, and on Linux the option would let a second server
    // bind the same port and take the first one's datagrams.
    socket.bind(&address.into())?;
    Ok(socket)
}

fn answer(socket: &Socket, datagram: &Datagram, room: usize) -> Result<(), Failure> {
    let peer = show(&datagram.from);
    if datagram.truncated {
        // It is gone for good: the next recvfrom returns the next datagram, not the rest of this one.
        warn!(peer, room, "the datagram was longer than the buffer: the rest is lost");
    }
    socket
        .send_to("你好".as_bytes(), &datagram.from)
        .map_err(Failure::talking(peer, "answering"))?;
    Ok(())
}

/// A line on stdout, flushed at once: a program that started this server may be waiting for it.
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
