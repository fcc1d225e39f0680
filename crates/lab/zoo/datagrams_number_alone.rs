//! Wrong: it recognises a request by its number alone.
//!
//! Each peer numbers its own requests, so two of them have a request 7: the second one gets the first one's answer, and
//! its own request is never carried out. The fix is to use the peer's address together with the number.
//!
//! lab: datagrams, case: two-peers

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::env;
use std::io::{self, Write};
use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;

const HEADER: usize = 5;
const REMEMBERED: usize = 1024;
const LARGEST: usize = 65_535;

// here: whose number?
type Request = u32;

fn main() -> ExitCode {
    let address = env::args().nth(1).and_then(|word| word.parse::<SocketAddr>().ok());
    let Some(address) = address.filter(|address| address.ip().is_loopback()) else {
        let _ = writeln!(io::stderr(), "usage: zoo-datagrams-number-alone ADDRESS (loopback only)");
        return ExitCode::from(2);
    };
    let Err(error) = serve(address);
    let _ = writeln!(io::stderr(), "zoo-datagrams-number-alone: {error}");
    ExitCode::FAILURE
}

fn serve(address: SocketAddr) -> io::Result<Infallible> {
    let socket = UdpSocket::bind(address)?;
    writeln!(io::stdout(), "listening on {}", socket.local_addr()?)?;
    let mut adder = Adder::default();
    let mut buffer = vec![0; LARGEST];
    loop {
        let (length, peer) = socket.recv_from(&mut buffer)?;
        if let Some(answer) = adder.answer(&buffer[..length]) {
            socket.send_to(&answer, peer)?;
        }
    }
}

#[derive(Default)]
struct Adder {
    total: u32,
    answered: HashMap<Request, u32>,
    oldest: VecDeque<Request>,
}

impl Adder {
    fn answer(&mut self, datagram: &[u8]) -> Option<Vec<u8>> {
        let (header, payload) = datagram.split_at_checked(HEADER)?;
        let number = u32::from_be_bytes(header[..4].try_into().ok()?);
        match header[4] {
            b'E' => Some(datagram.to_vec()),
            b'A' => {
                let amount = u32::from_be_bytes(payload.try_into().ok()?);
                let total = self.add(number, amount);
                Some([header, &total.to_be_bytes()].concat())
            }
            _ => None,
        }
    }

    fn add(&mut self, request: Request, amount: u32) -> u32 {
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
