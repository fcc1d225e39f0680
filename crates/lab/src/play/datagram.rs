//! A hostile peer of a UDP server. Each call is a step of the report, as with [`Peer`].

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::rc::Rc;
use std::time::{Duration, Instant};

use relay::{Direction, Endpoint, Schedule};

use super::connection::wait_readable;
use super::patience::{PATIENCE, Patience};
use super::port::Protocol;
use super::ready::is_gone;
use super::steps::Steps;
use super::trial::Trial;
use super::waits::{MOMENT, outwait};
use crate::verdict::{CaseFailure, Fault, quote};

/// The longest payload of a UDP datagram over IPv4: 65,535 less 20 bytes of IP header and 8 of UDP header (RFC 768,
/// RFC 791). macOS sends no more than 9,216 at a time unless told otherwise (`net.inet.udp.maxdgram`).
pub const LARGEST_DATAGRAM: usize = if cfg!(target_os = "linux") { 65_507 } else { 9_216 };

/// A socket with an address of its own, which sends datagrams to the student's program.
pub struct DatagramPeer {
    name: String,
    socket: UdpSocket,
    steps: Steps,
    patience: Rc<Patience>,
    /// The program's address, even if this peer talks to a relay.
    server: SocketAddr,
}

/// How often a peer that hears nothing checks whether the program's socket is still there.
const LOOK: Duration = Duration::from_millis(100);

impl DatagramPeer {
    /// Sends one datagram; `what` names it in the report: `add 5, number 7`.
    ///
    /// # Errors
    /// [`CaseFailure`] when the machine refuses. If nobody receives it, the next thing that is expected shows that.
    pub fn send(&mut self, what: &str, datagram: &[u8]) -> Result<(), CaseFailure> {
        self.step(&format!("sends {what}: {}", quote(datagram)));
        self.send_quietly(datagram)
    }

    /// Like `send`, but without a step in the report: used so often that a step for each would hide the rest.
    ///
    /// # Errors
    /// As [`send`](DatagramPeer::send).
    pub fn send_quietly(&mut self, datagram: &[u8]) -> Result<(), CaseFailure> {
        // A connected socket reports here that nobody received the datagram before; then this one has not been sent
        // yet.
        let sent = self.socket.send(datagram).or_else(|_| self.socket.send(datagram));
        match sent {
            Err(error) if error.kind() != io::ErrorKind::ConnectionRefused => {
                Err(CaseFailure::machine("send a datagram", error))
            }
            _ => Ok(()),
        }
    }

    /// Receives one datagram and compares it.
    ///
    /// # Errors
    /// [`CaseFailure`] when a different datagram arrives, or none in time.
    pub fn expect(&mut self, what: &str, expected: &[u8]) -> Result<(), CaseFailure> {
        self.step(&format!("expects {what}: {}", quote(expected)));
        match self.next(PATIENCE)? {
            Some(datagram) if datagram == expected => Ok(()),
            Some(datagram) => Err(CaseFailure::differs(
                Fault::Wrong,
                "the wrong datagram came",
                expected,
                &datagram,
            )),
            None => Err(CaseFailure::new(
                Fault::Silent,
                format!(
                    "no datagram came from the program's address within {} s",
                    PATIENCE.as_secs()
                ),
            )),
        }
    }

    /// Sends nothing for longer than the program seems ready to wait: see `waits.rs`.
    ///
    /// # Errors
    /// [`CaseFailure`] when the program closes its socket meanwhile, or sends something.
    pub fn keep_silent(&mut self) -> Result<(), CaseFailure> {
        self.step("stays silent");
        let stirred = outwait(&self.patience, &self.steps, |silent| {
            let stirs = wait_readable(&self.socket, MOMENT);
            let gone = self.is_gone();
            let what = if gone { "closed its socket" } else { "sent something" };
            (stirs || gone).then_some((silent, what))
        })?;
        match stirred {
            None => Ok(()),
            Some((silent, what)) => Err(CaseFailure::new(
                Fault::Impatient,
                format!(
                    "the program {what} after the peer had been silent for {:.1} s",
                    silent.as_secs_f32()
                ),
            )),
        }
    }

    /// Closes its socket. An answer that is on its way comes back as an ICMP message, port unreachable.
    pub fn close(self) {
        self.step("closes its socket");
    }

    /// The next datagram, if one arrives within this time, even if the machine is busy: for a peer that asks again if
    /// none does. It adds no step: the caller does that.
    ///
    /// # Errors
    /// [`CaseFailure`] when the program has closed its socket.
    pub fn hears(&mut self, within: Duration) -> Result<Option<Vec<u8>>, CaseFailure> {
        wait_readable(&self.socket, within);
        self.take()
    }

    /// The next datagram, if one arrives within this time. It adds no step: the caller does that.
    ///
    /// # Errors
    /// [`CaseFailure`] when the program has closed its socket.
    pub fn next(&mut self, within: Duration) -> Result<Option<Vec<u8>>, CaseFailure> {
        let mut time = self.patience.wait(within);
        // The time is checked before each datagram, so that a program that answers without end doesn't keep us here.
        while !time.is_over() {
            let left = time.until().saturating_duration_since(Instant::now());
            wait_readable(&self.socket, left.min(LOOK));
            if let Some(datagram) = self.take()? {
                return Ok(Some(datagram));
            }
            // When a program dies, whatever is waiting in its socket is lost, and nobody is told.
            if left > LOOK && self.is_gone() {
                return Err(gone());
            }
        }
        Ok(None)
    }

    /// The datagram that has arrived, if there is one.
    fn take(&self) -> Result<Option<Vec<u8>>, CaseFailure> {
        let mut buffer = vec![0; 1 << 16];
        match self.socket.recv(&mut buffer) {
            Ok(length) => {
                buffer.truncate(length);
                Ok(Some(buffer))
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Err(gone()),
            Err(_) => Ok(None),
        }
    }

    /// Linux only: on other systems the peer waits for its full time.
    fn is_gone(&self) -> bool {
        is_gone(Protocol::Udp, self.server)
    }

    /// Records what this peer does next.
    pub fn step(&self, what: &str) {
        self.steps.borrow_mut().push(format!("{} {what}", self.name));
    }
}

fn gone() -> CaseFailure {
    CaseFailure::new(
        Fault::Ended,
        "no socket accepts the datagram: did the program end, or close its socket, or connect it to one peer?",
    )
}

impl Trial<'_> {
    /// A peer of the UDP server, through a relay with this schedule: `drop=0.2 duplicate=0.2`, `idle` for no relay.
    /// Both directions are disturbed, and the seed is the trial's.
    ///
    /// # Errors
    /// [`CaseFailure`] when the machine refuses.
    pub fn datagram_peer(&mut self, schedule: &str) -> Result<DatagramPeer, CaseFailure> {
        let machine = |error| CaseFailure::machine("make a UDP socket", error);
        let schedule = self.network.parse(schedule, Direction::Both)?;
        let server = self.udp_server()?;
        let address = self.datagrams_relayed(server, &schedule)?;
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(machine)?;
        self.datagram_peer_of(socket, server, address)
    }

    /// Two peers whose addresses differ only in the host: 127.0.0.1 and 127.0.0.2, with the same port. `None` if the
    /// machine has no second loopback address: only Linux has all of 127.0.0.0/8.
    ///
    /// # Errors
    /// [`CaseFailure`] when the machine refuses.
    pub fn peers_of_two_hosts(&mut self) -> Result<Option<[DatagramPeer; 2]>, CaseFailure> {
        let server = self.udp_server()?;
        // The port was chosen for the first host, so on the second it may be in use.
        for _ in 0..20 {
            let Ok(one) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) else { continue };
            let port = one.local_addr().map_or(0, |address| address.port());
            let Ok(other) = UdpSocket::bind((Ipv4Addr::new(127, 0, 0, 2), port)) else { continue };
            let peers = [one, other].map(|socket| self.datagram_peer_of(socket, server, server));
            let [one, other] = peers;
            return Ok(Some([one?, other?]));
        }
        Ok(None)
    }

    fn udp_server(&self) -> Result<SocketAddr, CaseFailure> {
        match self.address {
            Some(Endpoint::Ip(server)) => Ok(server),
            _ => Err(CaseFailure::machine("send", "the case has started no UDP server")),
        }
    }

    fn datagram_peer_of(
        &mut self,
        socket: UdpSocket,
        server: SocketAddr,
        address: SocketAddr,
    ) -> Result<DatagramPeer, CaseFailure> {
        let machine = |error| CaseFailure::machine("make a UDP socket", error);
        // A connected socket receives only what the server sends, and reports when nobody is there.
        socket.connect(address).map_err(machine)?;
        socket.set_nonblocking(true).map_err(machine)?;
        let name = self.next_name();
        let (steps, patience) = (Rc::clone(&self.steps), Rc::clone(&self.patience));
        Ok(DatagramPeer { name, socket, steps, patience, server })
    }

    fn datagrams_relayed(
        &mut self,
        to: SocketAddr,
        schedule: &Schedule,
    ) -> Result<SocketAddr, CaseFailure> {
        if *schedule == Schedule::default() {
            return Ok(to);
        }
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        self.network.relay_udp(listen, to, schedule)
    }
}
