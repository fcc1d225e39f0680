//! The relay of datagrams: one socket for all clients, and for each of them one toward the server.
//!
//! One thread waits in one `poll(2)` for all of them. A datagram that is to come late waits for the next one of its
//! direction, or, when there is none, for [`LATE`]; when its flow is forgotten it goes at once.
//!
//! In a trace, the socket that was bound faces the clients, each socket that was connected the server.

use std::io::{self, PipeReader};
use std::time::{Duration, Instant};

use observe::{Socket, show};
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use socket2::{SockAddr, Type};
use tracing::warn;

use crate::flows::Flows;
use crate::poll::wait;
use crate::{Endpoint, Fates, Schedule, Toward};

/// How many clients are remembered at once; one more takes the place of the one that rested longest.
const FLOWS: usize = 1024;
/// The longest a late datagram waits for one to come behind.
const LATE: Duration = Duration::from_millis(500);
/// The longest payload there is.
const LONGEST: usize = 65_535;

pub(crate) fn bind(address: &Endpoint) -> io::Result<Socket> {
    let socket = address.socket(Type::DGRAM)?;
    socket.bind(&address.sock_addr()?)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// One client, and the socket that stands for it at the server.
struct Flow {
    client: SockAddr,
    server: Socket,
    ways: [Way; 2],
}

/// One direction of a flow.
struct Way {
    fates: Fates,
    /// The datagram that waits to come late, how often, and until when.
    late: Option<(Vec<u8>, u8, Instant)>,
}

/// Relays datagrams until the other end of `stop` is dropped.
pub(crate) fn relay_all(clients: &Socket, to: &Endpoint, schedule: &Schedule, stop: &PipeReader) {
    let mut flows = Flows::new(FLOWS);
    let mut buffer = vec![0; LONGEST];
    loop {
        let late = flows.iter().flat_map(|flow: &Flow| &flow.ways).filter_map(Way::due);
        let due = late.chain(flows.next_idle()).min();
        let mut fds = vec![PollFd::new(stop, PollFlags::IN), PollFd::new(clients, PollFlags::IN)];
        fds.extend(flows.iter().map(|flow| PollFd::new(&flow.server, PollFlags::IN)));
        if wait(&mut fds, due).is_err() || !fds[0].revents().is_empty() {
            return;
        }
        let ready: Vec<bool> = fds[1..].iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);

        let now = Instant::now();
        for (at, _) in ready[1..].iter().enumerate().filter(|(_, ready)| **ready) {
            // An error is a datagram of ours that nobody listens for (ECONNREFUSED): it is lost.
            if let Some(flow) = flows.used(at, now)
                && let Ok(n) = flow.server.recv(&mut buffer)
            {
                flow.pass(Toward::Client, &buffer[..n], clients);
            }
        }
        if ready[0] {
            match clients.recv_from(&mut buffer) {
                Ok(datagram) => match flow_of(&mut flows, &datagram.from, to, schedule, clients) {
                    Ok(at) => {
                        if let Some(flow) = flows.used(at, now) {
                            flow.pass(Toward::Server, &buffer[..datagram.len], clients);
                        }
                    }
                    Err(error) => {
                        let peer = show(&datagram.from);
                        warn!(peer, %to, %error, "no socket for this client: its datagram is lost");
                    }
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => warn!(%error, "recvfrom failed"),
            }
        }
        let now = Instant::now();
        for flow in flows.iter_mut() {
            for toward in [Toward::Server, Toward::Client] {
                if flow.way(toward).due().is_some_and(|due| due <= now) {
                    flow.release(toward, clients);
                }
            }
        }
        for flow in flows.forget_idle(now) {
            flow.end(clients);
        }
    }
}

/// The flow of this client, a new one if need be. Where there is no place or no descriptor for it,
/// the one that rested longest makes way.
fn flow_of(
    flows: &mut Flows<SockAddr, Flow>,
    client: &SockAddr,
    to: &Endpoint,
    schedule: &Schedule,
    clients: &Socket,
) -> io::Result<usize> {
    if let Some(known) = flows.of(client) {
        return Ok(known);
    }
    if flows.is_full() {
        forget_oldest(flows, clients);
    }
    let server = loop {
        match connected(to) {
            Err(error)
                if matches!(Errno::from_io_error(&error), Some(Errno::MFILE | Errno::NFILE))
                    && forget_oldest(flows, clients) => {}
            server => break server?,
        }
    };
    let number = flows.next_number();
    let ways = [Toward::Server, Toward::Client]
        .map(|toward| Way { fates: Fates::new(schedule, toward, number), late: None });
    let flow = Flow { client: client.clone(), server, ways };
    Ok(flows.begin(client.clone(), flow, Instant::now()))
}

fn forget_oldest(flows: &mut Flows<SockAddr, Flow>, clients: &Socket) -> bool {
    flows.forget_oldest().map(|flow| flow.end(clients)).is_some()
}

fn connected(to: &Endpoint) -> io::Result<Socket> {
    let server = to.socket(Type::DGRAM)?;
    // For a datagram socket connect sends nothing: it sets whom to send to and hear from.
    server.connect(&to.sock_addr()?)?;
    server.set_nonblocking(true)?;
    Ok(server)
}

impl Flow {
    /// What waits to come late goes first: it isn't lost.
    fn end(mut self, clients: &Socket) {
        for toward in [Toward::Server, Toward::Client] {
            self.release(toward, clients);
        }
    }

    fn way(&mut self, toward: Toward) -> &mut Way {
        let [to_server, to_client] = &mut self.ways;
        if toward == Toward::Server { to_server } else { to_client }
    }

    /// A datagram came: it meets its fate.
    fn pass(&mut self, toward: Toward, datagram: &[u8], clients: &Socket) {
        let way = self.way(toward);
        let Some(fate) = way.fates.next() else { return };
        if fate.late && way.late.is_none() {
            way.late = Some((datagram.to_vec(), fate.copies, Instant::now() + LATE));
            return;
        }
        for _ in 0..fate.copies {
            self.send(toward, datagram, clients);
        }
        // What was lost does not overtake.
        if fate.copies > 0 {
            self.release(toward, clients);
        }
    }

    /// Lets the late one go.
    fn release(&mut self, toward: Toward, clients: &Socket) {
        if let Some((datagram, copies, _)) = self.way(toward).late.take() {
            for _ in 0..copies {
                self.send(toward, &datagram, clients);
            }
        }
    }

    fn send(&self, toward: Toward, datagram: &[u8], clients: &Socket) {
        let sent = match toward {
            Toward::Server => self.server.send(datagram),
            Toward::Client => clients.send_to(datagram, &self.client),
        };
        if let Err(error) = sent {
            // As on any network: what cannot be sent is lost.
            warn!(client = show(&self.client), ?toward, %error, "a datagram is lost");
        }
    }
}

impl Way {
    fn due(&self) -> Option<Instant> {
        self.late.as_ref().map(|(_, _, due)| *due)
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn what_waits_to_come_late_is_not_lost_with_its_flow() {
        let anywhere: Endpoint = "127.0.0.1:0".parse().unwrap();
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        server.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let clients = bind(&anywhere).unwrap();
        let to: Endpoint = server.local_addr().unwrap().into();
        let schedule: Schedule = "reorder=1".parse().unwrap();

        let mut flows = Flows::new(1);
        let client_address: SockAddr = client.local_addr().unwrap().into();
        let at = flow_of(&mut flows, &client_address, &to, &schedule, &clients).unwrap();
        let flow = flows.used(at, Instant::now()).unwrap();
        flow.pass(Toward::Server, b"to server", &clients);
        flow.pass(Toward::Client, b"to client", &clients);
        assert!(flow.ways.iter().all(|way| way.due().is_some()), "both wait");

        // A second client takes the only place.
        let second: SockAddr = "127.0.0.1:9".parse::<std::net::SocketAddr>().unwrap().into();
        flow_of(&mut flows, &second, &to, &schedule, &clients).unwrap();
        assert_eq!(flows.of(&client_address), None);
        let mut buffer = [0; 20];
        let n = server.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..n], b"to server");
        let n = client.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..n], b"to client");
    }
}
