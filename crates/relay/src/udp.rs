//! The relay of datagrams: one socket for all clients, and for each of them one toward the server.
//!
//! One thread waits in one `poll(2)` for all of them. A datagram that is to come late waits for the next one of its
//! direction, or, when there is none, for [`LATE`].
//!
//! In a trace, the socket that was bound faces the clients, each socket that was connected the server.

use std::io::{self, PipeReader};
use std::time::{Duration, Instant};

use observe::{Socket, show};
use rustix::event::{PollFd, PollFlags};
use socket2::{SockAddr, Type};
use tracing::warn;

use crate::poll::wait;
use crate::{Endpoint, Fates, Schedule, Toward};

/// How many clients may be remembered; a datagram of a further one is lost.
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
    let mut flows: Vec<Flow> = Vec::new();
    let mut buffer = vec![0; LONGEST];
    loop {
        let due = flows.iter().flat_map(|flow| &flow.ways).filter_map(Way::due).min();
        let mut fds = vec![PollFd::new(stop, PollFlags::IN), PollFd::new(clients, PollFlags::IN)];
        fds.extend(flows.iter().map(|flow| PollFd::new(&flow.server, PollFlags::IN)));
        if wait(&mut fds, due).is_err() || !fds[0].revents().is_empty() {
            return;
        }
        let ready: Vec<bool> = fds[1..].iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);

        for (flow, _) in flows.iter_mut().zip(&ready[1..]).filter(|(_, ready)| **ready) {
            // An error is a datagram of ours that nobody listens for (ECONNREFUSED): it is lost.
            if let Ok(n) = flow.server.recv(&mut buffer) {
                flow.pass(Toward::Client, &buffer[..n], clients);
            }
        }
        if ready[0] {
            match clients.recv_from(&mut buffer) {
                Ok(datagram) => match flow_of(&mut flows, &datagram.from, to, schedule) {
                    Ok(flow) => flow.pass(Toward::Server, &buffer[..datagram.len], clients),
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
        for flow in &mut flows {
            for toward in [Toward::Server, Toward::Client] {
                if flow.way(toward).due().is_some_and(|due| due <= now) {
                    flow.release(toward, clients);
                }
            }
        }
    }
}

fn flow_of<'a>(
    flows: &'a mut Vec<Flow>,
    client: &SockAddr,
    to: &Endpoint,
    schedule: &Schedule,
) -> io::Result<&'a mut Flow> {
    let known = flows.iter().position(|flow| flow.client == *client);
    let at = match known {
        Some(at) => at,
        None if flows.len() >= FLOWS => return Err(io::Error::other("too many clients")),
        None => {
            let server = to.socket(Type::DGRAM)?;
            // For a datagram socket connect sends nothing: it sets whom to send to and hear from.
            server.connect(&to.sock_addr()?)?;
            server.set_nonblocking(true)?;
            let number = flows.len() as u64;
            let ways = [Toward::Server, Toward::Client]
                .map(|toward| Way { fates: Fates::new(schedule, toward, number), late: None });
            flows.push(Flow { client: client.clone(), server, ways });
            flows.len() - 1
        }
    };
    flows.get_mut(at).ok_or_else(|| io::ErrorKind::NotFound.into())
}

impl Flow {
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
