//! The relay of datagrams: one socket for all clients, and for each client one more that talks to the server.
//!
//! One thread waits in one `poll(2)` for all of them. A datagram that should arrive late waits for the next one in its
//! direction, but at most for [`LATE`]; if its mapping is forgotten first, it is sent at once.
//!
//! In a trace, the bound socket talks to the clients, and each connected socket to the server.

use std::io::{self, PipeReader};
use std::time::{Duration, Instant};

use observe::{Socket, show};
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use socket2::{SockAddr, Type};
use tracing::warn;

use crate::mappings::Mappings;
use crate::poll::wait;
use crate::{DatagramFates, Destination, Endpoint, Schedule};

/// How many clients are remembered at once; one more takes the place of the one that has been idle longest.
const MAPPINGS: usize = 1024;
/// The longest that a late datagram waits for the next one.
const LATE: Duration = Duration::from_millis(500);
/// The longest possible payload.
const LONGEST: usize = 65_535;

pub(crate) fn bind(address: &Endpoint) -> io::Result<Socket> {
    let socket = address.socket(Type::DGRAM)?;
    socket.bind(&address.sock_addr()?)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// One client, and the socket that talks to the server for it.
struct Mapping {
    client: SockAddr,
    server: Socket,
    flows: [Flow; 2],
}

/// One direction between a client and the server.
struct Flow {
    fates: DatagramFates,
    /// The datagram that waits to be late, how often it is sent, and until when it waits.
    late: Option<(Vec<u8>, u8, Instant)>,
}

/// Relays datagrams until the other end of `stop` is dropped.
pub(crate) fn relay_all(clients: &Socket, to: &Endpoint, schedule: &Schedule, stop: &PipeReader) {
    let mut mappings = Mappings::new(MAPPINGS);
    let mut buffer = vec![0; LONGEST];
    loop {
        let late =
            mappings.iter().flat_map(|mapping: &Mapping| &mapping.flows).filter_map(Flow::due);
        let due = late.chain(mappings.next_idle()).min();
        let mut fds = vec![PollFd::new(stop, PollFlags::IN), PollFd::new(clients, PollFlags::IN)];
        fds.extend(mappings.iter().map(|mapping| PollFd::new(&mapping.server, PollFlags::IN)));
        if wait(&mut fds, due).is_err() || !fds[0].revents().is_empty() {
            return;
        }
        let ready: Vec<bool> = fds[1..].iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);

        let now = Instant::now();
        for (at, _) in ready[1..].iter().enumerate().filter(|(_, ready)| **ready) {
            // An error (ECONNREFUSED) says that nobody listened for a datagram of ours: it is lost.
            if let Some(mapping) = mappings.used(at, now)
                && let Ok(n) = mapping.server.recv(&mut buffer)
            {
                mapping.pass(Destination::Client, &buffer[..n], clients);
            }
        }
        if ready[0] {
            match clients.recv_from(&mut buffer) {
                Ok(datagram) => {
                    match mapping_of(&mut mappings, &datagram.from, to, schedule, clients) {
                        Ok(at) => {
                            if let Some(mapping) = mappings.used(at, now) {
                                mapping.pass(Destination::Server, &buffer[..datagram.len], clients);
                            }
                        }
                        Err(error) => {
                            let peer = show(&datagram.from);
                            warn!(peer, %to, %error, "no socket for this client: its datagram is lost");
                        }
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => warn!(%error, "recvfrom failed"),
            }
        }
        let now = Instant::now();
        for mapping in mappings.iter_mut() {
            for toward in [Destination::Server, Destination::Client] {
                if mapping.flow(toward).due().is_some_and(|due| due <= now) {
                    mapping.release(toward, clients);
                }
            }
        }
        for mapping in mappings.forget_idle(now) {
            mapping.end(clients);
        }
    }
}

/// The mapping of this client, or a new one. Without a place or a descriptor for it, the one that has been
/// idle longest is forgotten.
fn mapping_of(
    mappings: &mut Mappings<SockAddr, Mapping>,
    client: &SockAddr,
    to: &Endpoint,
    schedule: &Schedule,
    clients: &Socket,
) -> io::Result<usize> {
    if let Some(known) = mappings.of(client) {
        return Ok(known);
    }
    if mappings.is_full() {
        forget_oldest(mappings, clients);
    }
    let server = loop {
        match connected(to) {
            Err(error)
                if matches!(Errno::from_io_error(&error), Some(Errno::MFILE | Errno::NFILE))
                    && forget_oldest(mappings, clients) => {}
            server => break server?,
        }
    };
    let number = mappings.next_number();
    let flows = [Destination::Server, Destination::Client]
        .map(|toward| Flow { fates: DatagramFates::new(schedule, toward, number), late: None });
    let mapping = Mapping { client: client.clone(), server, flows };
    Ok(mappings.begin(client.clone(), mapping, Instant::now()))
}

fn forget_oldest(mappings: &mut Mappings<SockAddr, Mapping>, clients: &Socket) -> bool {
    mappings.forget_oldest().map(|mapping| mapping.end(clients)).is_some()
}

fn connected(to: &Endpoint) -> io::Result<Socket> {
    let server = to.socket(Type::DGRAM)?;
    // For a datagram socket connect sends nothing: it sets the peer to send to and to receive from.
    server.connect(&to.sock_addr()?)?;
    server.set_nonblocking(true)?;
    Ok(server)
}

impl Mapping {
    /// Sends what still waits to be late, so that it isn't lost.
    fn end(mut self, clients: &Socket) {
        for toward in [Destination::Server, Destination::Client] {
            self.release(toward, clients);
        }
    }

    fn flow(&mut self, toward: Destination) -> &mut Flow {
        let [to_server, to_client] = &mut self.flows;
        if toward == Destination::Server { to_server } else { to_client }
    }

    /// A datagram arrived: decides what happens to it.
    fn pass(&mut self, toward: Destination, datagram: &[u8], clients: &Socket) {
        let flow = self.flow(toward);
        let Some(fate) = flow.fates.next() else { return };
        if fate.late && flow.late.is_none() {
            flow.late = Some((datagram.to_vec(), fate.copies, Instant::now() + LATE));
            return;
        }
        for _ in 0..fate.copies {
            self.send(toward, datagram, clients);
        }
        // A lost datagram overtakes nothing.
        if fate.copies > 0 {
            self.release(toward, clients);
        }
    }

    /// Sends the late one.
    fn release(&mut self, toward: Destination, clients: &Socket) {
        if let Some((datagram, copies, _)) = self.flow(toward).late.take() {
            for _ in 0..copies {
                self.send(toward, &datagram, clients);
            }
        }
    }

    fn send(&self, toward: Destination, datagram: &[u8], clients: &Socket) {
        let sent = match toward {
            Destination::Server => self.server.send(datagram),
            Destination::Client => clients.send_to(datagram, &self.client),
        };
        if let Err(error) = sent {
            // As on any network, what cannot be sent is lost.
            warn!(client = show(&self.client), ?toward, %error, "a datagram is lost");
        }
    }
}

impl Flow {
    fn due(&self) -> Option<Instant> {
        self.late.as_ref().map(|(_, _, due)| *due)
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn what_waits_to_be_late_is_not_lost_with_its_mapping() {
        let anywhere: Endpoint = "127.0.0.1:0".parse().unwrap();
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        server.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let clients = bind(&anywhere).unwrap();
        let to: Endpoint = server.local_addr().unwrap().into();
        let schedule: Schedule = "reorder=1".parse().unwrap();

        let mut mappings = Mappings::new(1);
        let client_address: SockAddr = client.local_addr().unwrap().into();
        let at = mapping_of(&mut mappings, &client_address, &to, &schedule, &clients).unwrap();
        let mapping = mappings.used(at, Instant::now()).unwrap();
        mapping.pass(Destination::Server, b"to server", &clients);
        mapping.pass(Destination::Client, b"to client", &clients);
        assert!(mapping.flows.iter().all(|flow| flow.due().is_some()), "both wait");

        // A second client takes the only place.
        let second: SockAddr = "127.0.0.1:9".parse::<std::net::SocketAddr>().unwrap().into();
        mapping_of(&mut mappings, &second, &to, &schedule, &clients).unwrap();
        assert_eq!(mappings.of(&client_address), None);
        let mut buffer = [0; 20];
        let n = server.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..n], b"to server");
        let n = client.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..n], b"to client");
    }
}
