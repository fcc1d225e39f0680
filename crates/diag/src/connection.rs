//! One end of a connection as `ss -tan` lists it: its state, and its two queues.

use std::fmt::{self, Display, Formatter};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// What the kernel knows about one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its state.
    pub state: State,
    /// `Recv-Q`: bytes that have arrived and that no `recv` has taken; the end of the stream counts as one. For a listening
    /// socket: connections that wait for `accept`.
    pub recv_queue: u32,
    /// `Send-Q`: bytes that `send` has taken and that the other kernel has not acknowledged. For a listening socket: its
    /// backlog.
    pub send_queue: u32,
    /// The other kernel has said that it has no room (a zero window), and this one asks again from time to time (RFC 9293,
    /// 3.8.6.1). `ss -o` calls it `persist`.
    pub probes_window: bool,
    /// How long ago the last byte arrived.
    pub since_data: Duration,
    /// How long ago the other kernel last confirmed anything: an answer to a keepalive probe counts, too.
    pub since_ack: Duration,
}

/// The states of RFC 9293, 3.3.2. They print as in `ss`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the RFC says what each is")]
pub enum State {
    Established,
    SynSent,
    SynReceived,
    FinWait1,
    FinWait2,
    TimeWait,
    Closed,
    CloseWait,
    LastAck,
    Listen,
    Closing,
}

impl State {
    /// The numbers of `net/tcp_states.h`, from 1 on.
    #[cfg(target_os = "linux")]
    pub(crate) fn from_kernel(number: u8) -> Option<State> {
        Some(match number {
            1 => State::Established,
            2 => State::SynSent,
            // 12 is a connection that is not yet in the accept queue. Outside the kernel, that is the same state.
            3 | 12 => State::SynReceived,
            4 => State::FinWait1,
            5 => State::FinWait2,
            6 => State::TimeWait,
            7 => State::Closed,
            8 => State::CloseWait,
            9 => State::LastAck,
            10 => State::Listen,
            11 => State::Closing,
            _ => return None,
        })
    }
}

impl Display for State {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            State::Established => "ESTAB",
            State::SynSent => "SYN-SENT",
            State::SynReceived => "SYN-RECV",
            State::FinWait1 => "FIN-WAIT-1",
            State::FinWait2 => "FIN-WAIT-2",
            State::TimeWait => "TIME-WAIT",
            State::Closed => "UNCONN",
            State::CloseWait => "CLOSE-WAIT",
            State::LastAck => "LAST-ACK",
            State::Listen => "LISTEN",
            State::Closing => "CLOSING",
        })
    }
}

/// The TCP socket bound to `local` and connected to `remote`; `None` if there is no such socket, or it is already gone. A
/// listening socket has the remote address `0.0.0.0:0` or `[::]:0`.
///
/// # Errors
/// The kernel can't be asked: it isn't Linux, or it doesn't allow this process to ask.
#[cfg(target_os = "linux")]
pub fn connection(local: SocketAddr, remote: SocketAddr) -> io::Result<Option<Connection>> {
    crate::Kernel::new()?.connection(local, remote)
}

/// The same for a kernel that has no such interface.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn connection(_local: SocketAddr, _remote: SocketAddr) -> io::Result<Option<Connection>> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::Write;
    use std::net::{Shutdown, TcpListener, TcpStream};

    use super::*;

    #[test]
    fn both_ends_in_their_states() {
        for (listen, nobody) in [("127.0.0.1:0", "0.0.0.0:0"), ("[::1]:0", "[::]:0")] {
            let Ok(listener) = TcpListener::bind(listen) else {
                eprintln!("skipped: no {listen} here");
                continue;
            };
            let address = listener.local_addr().unwrap();
            let nobody = nobody.parse().unwrap();
            let Ok(Some(listens)) = connection(address, nobody) else {
                return eprintln!("skipped: no sock_diag here");
            };
            assert_eq!((listens.state, listens.recv_queue), (State::Listen, 0));

            let mut client = TcpStream::connect(address).unwrap();
            let local = client.local_addr().unwrap();
            let ends = || [(local, address), (address, local)].map(|(a, b)| connection(a, b));
            until(|| connection(address, nobody).unwrap().unwrap().recv_queue == 1);
            client.write_all(b"hello").unwrap();
            client.shutdown(Shutdown::Write).unwrap();
            until(|| {
                let [Ok(Some(client)), Ok(Some(server))] = ends() else { return false };
                // Five bytes, and the end of the stream counts as one.
                (client.state, client.send_queue) == (State::FinWait2, 0)
                    && (server.state, server.recv_queue) == (State::CloseWait, 6)
            });
            let (server, _) = listener.accept().unwrap();
            let [Ok(Some(client)), _] = ends() else { unreachable!("it's there") };
            // Only confirmations have arrived there, and the last of them a moment ago.
            assert!(client.since_ack < Duration::from_secs(60), "{client:?}");
            // Closed with unread bytes: that is a reset, which leaves no state.
            drop(server);
            until(|| matches!(ends(), [Ok(None), Ok(None)]));
        }
    }

    /// The kernel may deliver a packet a moment later.
    fn until(mut true_now: impl FnMut() -> bool) {
        let give_up = std::time::Instant::now() + Duration::from_secs(60);
        while !true_now() {
            assert!(std::time::Instant::now() < give_up, "it never came true");
            std::thread::yield_now();
        }
    }
}
