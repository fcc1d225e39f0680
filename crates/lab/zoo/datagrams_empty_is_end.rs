//! Wrong: it treats an empty datagram as the end.
//!
//! That is a stream's habit: `recv` of 0 bytes means that the peer has said all. A datagram of 0 bytes is a datagram,
//! anybody can send one, and no datagram means that there will be no more. The fix is to treat it as any other that is
//! too short.
//!
//! lab: datagrams, case: empty-datagram

use std::collections::{HashMap, VecDeque};
use std::env;
use std::io::{self, Write};
use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;

const HEADER: usize = 5;
const REMEMBERED: usize = 1024;
const LARGEST: usize = 65_535;

type Request = (SocketAddr, u32);

fn main() -> ExitCode {
    let address = env::args().nth(1).and_then(|word| word.parse::<SocketAddr>().ok());
    let Some(address) = address.filter(|address| address.ip().is_loopback()) else {
        let _ = writeln!(io::stderr(), "usage: zoo-datagrams-empty-is-end ADDRESS (loopback only)");
        return ExitCode::from(2);
    };
    match serve(address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "zoo-datagrams-empty-is-end: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(address: SocketAddr) -> io::Result<()> {
    let socket = UdpSocket::bind(address)?;
    writeln!(io::stdout(), "listening on {}", socket.local_addr()?)?;
    let mut adder = Adder::default();
    let mut buffer = vec![0; LARGEST];
    loop {
        let (length, peer) = socket.recv_from(&mut buffer)?;
        // here: nothing has ended
        if length == 0 {
            return Ok(());
        }
        if let Some(answer) = adder.answer(peer, &buffer[..length]) {
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
    fn answer(&mut self, peer: SocketAddr, datagram: &[u8]) -> Option<Vec<u8>> {
        let (header, payload) = datagram.split_at_checked(HEADER)?;
        let number = u32::from_be_bytes(header[..4].try_into().ok()?);
        match header[4] {
            b'E' => Some(datagram.to_vec()),
            b'A' => {
                let amount = u32::from_be_bytes(payload.try_into().ok()?);
                let total = self.add((peer, number), amount);
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
