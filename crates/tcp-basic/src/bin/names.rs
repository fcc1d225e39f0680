//! A client that takes a name: it looks up the name's addresses, and tries each of them in turn.
//!
//! ```text
//! 1$ cargo run -q --bin tcp-basic-server
//! listening on 127.0.0.1:8888
//! hello
//!
//! 2$ cargo run -q --bin tcp-basic-names localhost
//! localhost is ::1, 127.0.0.1
//! [::1]:8888: Connection refused (os error 111)
//! 127.0.0.1:8888: connected
//! hi
//! ```
//!
//! What terminal 2 prints depends on the machine: `localhost` may have only one of the two addresses.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use observe::{Failure, Socket, report, show};
use socket2::{Domain, Type};

fn main() -> ExitCode {
    let args = Args::parse();
    observe::exit_when_interrupted();
    report(args.log.start().and_then(|()| run(&args)))
}

fn connect_to(address: SocketAddr, timeout: Duration) -> io::Result<Socket> {
    // A new socket for each: the family may differ, and after a failed connect a socket isn't good for another.
    let conn = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    conn.set_read_timeout(Some(timeout))?;
    // An address that doesn't answer at all costs this much before the next one has its turn (Linux).
    conn.set_write_timeout(Some(timeout))?;
    conn.connect(&address.into())?;
    Ok(conn)
}

fn run(args: &Args) -> Result<(), Failure> {
    let mut addresses = Vec::new();
    for name in &args.names {
        let of_name = look_up(name, args.port).map_err(Failure::cannot_connect(name))?;
        // An address is not looked up, only read.
        if name.parse::<IpAddr>().is_err() {
            let shown: Vec<String> = of_name.iter().map(|it| it.ip().to_string()).collect();
            print(&format!("{name} is {}\n", shown.join(", ")))?;
        }
        addresses.extend(of_name);
    }
    let conn = connect(&addresses, args.timeout)?;
    talk(&conn).map_err(Failure::asking(args.names.join(", "), "waiting for the answer"))
}

/// getaddrinfo(3), which Python and nearly everyone else calls too: all addresses of a name, the one to try first in front.
fn look_up(name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok((name, port).to_socket_addrs()?.collect())
}

/// Tries each address in turn. If none of them answers, the error is that of the last.
fn connect(addresses: &[SocketAddr], timeout: Duration) -> Result<Socket, Failure> {
    let mut failure = Failure::Usage("the name has no address".to_owned());
    for &address in addresses {
        match connect_to(address, timeout) {
            Ok(conn) => {
                print(&format!("{address}: connected\n"))?;
                return Ok(conn);
            }
            Err(error) => {
                print(&format!("{address}: {error}\n"))?;
                failure = Failure::cannot_connect(address)(error);
            }
        }
    }
    Err(failure)
}

/// As in `tcp-basic-client`: says hello, and prints all that the server answers.
fn talk(conn: &Socket) -> io::Result<()> {
    conn.send(b"hello")?;
    let mut answer = Vec::new();
    conn.take(MAX_ANSWER + 1).read_to_end(&mut answer)?;
    if answer.is_empty() {
        let what = format!("{} closed without an answer", show(&conn.peer_addr()?));
        return Err(io::Error::new(ErrorKind::UnexpectedEof, what));
    }
    if answer.len() as u64 > MAX_ANSWER {
        let what = format!("more than {MAX_ANSWER} bytes arrived, and no end of stream");
        return Err(io::Error::new(ErrorKind::InvalidData, what));
    }
    let mut out = io::stdout().lock();
    out.write_all(&[answer.as_slice(), b"\n"].concat())?;
    out.flush()
}

/// A server that never stops must not use up our memory.
const MAX_ANSWER: u64 = 64 * 1024;

fn print(line: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes()).and_then(|()| out.flush()).map_err(Failure::Stdout)
}

/// A client that takes a name, prints its addresses, and connects to each in turn until one answers.
///
/// The lesson: a name has several addresses, and `connect` takes one. "Connection refused" may be about an address
/// where the server never was.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("names.rs")))]
struct Args {
    /// The name to look up, or an address; of several, the addresses are tried in this order
    #[arg(value_name = "NAME", default_value = "localhost")]
    names: Vec<String>,
    /// The server's port
    #[arg(long, value_name = "PORT", default_value = "8888")]
    port: u16,
    /// How long each address may be silent, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = observe::parse_seconds)]
    timeout: Duration,
    #[command(flatten)]
    log: observe::LogArgs,
}
