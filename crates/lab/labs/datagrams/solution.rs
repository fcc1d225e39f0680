//! datagrams: a UDP server that carries out each numbered request once, however often it comes.
//!
//! Check it:  scripts/lab.sh check DIR
//! The address comes as the last argument, for example 127.0.0.1:9000.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::env;
use std::io::{self, Write};
use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;

/// Number and operation.
const HEADER: usize = 5;
/// How many answers to additions are kept; the rule asks for 256.
const REMEMBERED: usize = 1024;
/// No datagram is longer.
const LARGEST: usize = 65_535;

fn main() -> ExitCode {
    let Some(address) = env::args().nth(1) else {
        let _ = writeln!(io::stderr(), "usage: datagrams ADDRESS");
        return ExitCode::from(2);
    };
    let Err(error) = serve(&address);
    let _ = writeln!(io::stderr(), "datagrams: {error}");
    ExitCode::FAILURE
}

fn serve(address: &str) -> io::Result<Infallible> {
    let socket = UdpSocket::bind(address)?;
    writeln!(io::stdout(), "listening on {}", socket.local_addr()?)?;

    let mut adder = Adder::default();
    let mut buffer = vec![0; LARGEST];
    loop {
        let (length, peer) = socket.recv_from(&mut buffer)?;
        let Some(answer) = adder.answer(peer, &buffer[..length]) else { continue };
        if let Err(error) = socket.send_to(&answer, peer) {
            // This answer is lost, as any answer may be: the peer asks again.
            let _ = writeln!(io::stderr(), "datagrams: {peer}: {error}");
        }
    }
}

#[derive(Default)]
struct Adder {
    total: u32,
    /// The totals that were answered. Each peer numbers its own requests, so only peer and number together identify one.
    answered: HashMap<(SocketAddr, u32), u32>,
    /// Their keys, the oldest first.
    oldest: VecDeque<(SocketAddr, u32)>,
}

impl Adder {
    /// The answer, or `None` if this isn't a request: an empty datagram, for example.
    fn answer(&mut self, peer: SocketAddr, datagram: &[u8]) -> Option<Vec<u8>> {
        let (header, payload) = datagram.split_at_checked(HEADER)?;
        let number = u32::from_be_bytes(header[..4].try_into().ok()?);
        match header[4] {
            // Echoing twice does no harm: nothing has to be remembered.
            b'E' => Some(datagram.to_vec()),
            b'A' => {
                let amount = u32::from_be_bytes(payload.try_into().ok()?);
                let total = self.add(peer, number, amount);
                Some([header, &total.to_be_bytes()].concat())
            }
            _ => None,
        }
    }

    /// Adds once, however often the request comes.
    fn add(&mut self, peer: SocketAddr, number: u32, amount: u32) -> u32 {
        let request = (peer, number);
        if let Some(total) = self.answered.get(&request) {
            return *total;
        }
        self.total = self.total.wrapping_add(amount);
        self.answered.insert(request, self.total);
        self.oldest.push_back(request);
        if self.oldest.len() > REMEMBERED
            && let Some(forgotten) = self.oldest.pop_front()
        {
            self.answered.remove(&forgotten);
        }
        self.total
    }
}
