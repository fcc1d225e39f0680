//! How large a datagram may be: it sends datagrams of several sizes to itself, and says what became of each.
//!
//! ```text
//! $ cargo run -q --bin udp-basic-size
//! ```
//!
//! On Linux it also counts the packets, by the kernel's own counter of received fragments. That counter is everybody's: in
//! a network namespace of its own (`unshare --net`), nobody else counts.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::builder::RangedU64ValueParser;
use observe::{Failure, Socket, exit_when_interrupted, report};
use socket2::{Domain, Type};

fn main() -> ExitCode {
    let args = Args::parse();
    exit_when_interrupted();
    report(args.log.start().and_then(|()| run(&args)))
}

fn run(args: &Args) -> Result<(), Failure> {
    let socket = open(args.listen).map_err(Failure::cannot_listen(args.listen))?;
    for &size in &args.sizes {
        let before = fragments(args.listen);
        let said = match send_to_itself(&socket, size) {
            Ok(received) => {
                format!("{received} received{}", packets(before, fragments(args.listen)))
            }
            Err(error) => error.to_string(),
        };
        print(&format!("sendto of {size:>6} bytes: {said}\n")).map_err(Failure::Stdout)?;
    }
    Ok(())
}

fn open(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    socket.bind(&address.into())?;
    // Left alone, macOS takes no datagram larger than 9216 bytes.
    socket.set_send_buffer_size(1 << 20)?;
    // If one is lost on the way, the next recvfrom would wait for ever.
    socket.set_read_timeout(Some(Duration::from_secs(3)))?;
    Ok(socket)
}

/// One datagram of this size, whole or not at all: how many bytes of it came.
fn send_to_itself(socket: &Socket, size: usize) -> io::Result<usize> {
    socket.send_to(&vec![b'x'; size], &socket.local_addr()?)?;
    Ok(socket.recv_from(&mut vec![0; 1 << 17])?.len)
}

/// How many fragments of IPv4 packets have come to this network, since it was made (Linux: proc_net_snmp, `ReasmReqds`).
fn fragments(address: SocketAddr) -> Option<u64> {
    if address.is_ipv6() {
        return None;
    }
    let table = fs::read_to_string("/proc/net/snmp").ok()?;
    let mut lines = table.lines().filter_map(|line| line.strip_prefix("Ip: "));
    let names = lines.next()?.split(' ');
    let (_, value) = names.zip(lines.next()?.split(' ')).find(|(name, _)| *name == "ReasmReqds")?;
    value.parse().ok()
}

fn packets(before: Option<u64>, after: Option<u64>) -> String {
    match (before, after) {
        (Some(before), Some(after)) if after == before => ", in 1 packet".to_owned(),
        (Some(before), Some(after)) => format!(", in {} packets", after - before),
        _ => String::new(),
    }
}

fn print(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.flush()
}

/// Sends datagrams of several sizes to itself, and says what became of each.
///
/// The lesson: a datagram has a largest size, and sendto refuses more. Below it, a datagram that's larger than a packet
/// travels in several, and arrives whole or not at all.
#[derive(Parser)]
#[command(version, after_help = "One terminal is enough:\n  1$ udp-basic-size")]
struct Args {
    /// Where the socket is bound
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", value_parser = observe::parse_address)]
    listen: SocketAddr,
    /// The sizes to try, in bytes; each at most 100000
    #[arg(
        long,
        value_name = "BYTES",
        value_delimiter = ',',
        default_value = "0,1472,1473,65507,65508",
        value_parser = RangedU64ValueParser::<usize>::new().range(..=100_000)
    )]
    sizes: Vec<usize>,
    #[command(flatten)]
    log: observe::LogArgs,
}
