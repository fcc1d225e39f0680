//! Lingering close: how a server ends a connection on which the peer may still be sending.
//!
//! A connection that is closed with bytes unread is reset, and the reset can overtake the last answer and destroy it (RFC
//! 1122, 4.2.2.13; RFC 2525, 2.17). So a server ends its own side, reads on for a moment until the peer ends the other,
//! and only then closes. If the accept loop did this, everybody would wait: ten strangers who stay connected would cost
//! the owner ten seconds. So one thread does it for all connections at once.

use std::collections::VecDeque;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::net::Shutdown;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use proto::ack;
use rustix::event::{PollFd, PollFlags};
use rustix::io::ioctl_fionbio;
use rustix::process::{Resource, getrlimit};

use crate::deadline::{Deadline, poll};
use crate::shutdown::{Connection, LINGER};

/// How many connections linger at the same time, if the process may have sixteen times as many descriptors. For one
/// more, the oldest is closed: it has had the most time.
const MOST: usize = 64;

/// Closes connections without making anybody wait. Its thread exists only while there are connections to close.
#[derive(Clone, Debug, Default)]
pub struct LingeringClose(Arc<Mutex<Option<Line>>>);

/// The way to the thread.
#[derive(Debug)]
struct Line {
    closing: SyncSender<Closing>,
    wake: PipeWriter,
}

#[derive(Debug)]
struct Closing {
    conn: Connection,
    /// What is still to be sent; before each piece but the first, the peer says `OK`.
    pieces: VecDeque<Vec<u8>>,
    has_said_all: bool,
    heard: Vec<u8>,
    until: Deadline,
}

impl LingeringClose {
    /// Sends these pieces to a peer, if there are any, and closes the connection. Between two pieces it waits for the
    /// peer's `OK`, as in the ack handshake.
    pub fn close(&self, conn: Connection, pieces: impl IntoIterator<Item = Vec<u8>>) {
        let pieces = pieces.into_iter().collect();
        let until = Deadline::after(LINGER);
        let mut closing = Closing { conn, pieces, has_said_all: false, heard: Vec::new(), until };
        if closing.conn.set_nonblocking(true).is_err() || !closing.speak() {
            return;
        }
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if line.is_none() {
            // If there's no thread or descriptor for it, it is closed at once.
            *line = Line::start(Arc::clone(&self.0)).ok();
        }
        let Some(Line { closing: to_thread, wake }) = &mut *line else { return };
        match to_thread.try_send(closing) {
            Ok(()) => _ = wake.write(&[0]),
            // Too many at once. It has its answer; without what it sent unread, closing it is no reset.
            Err(TrySendError::Full(mut closing) | TrySendError::Disconnected(mut closing)) => {
                closing.hear();
            }
        }
    }
}

impl Line {
    fn start(own: Arc<Mutex<Option<Line>>>) -> io::Result<Line> {
        // The peers that are being served need the descriptors more.
        let descriptors = getrlimit(Resource::Nofile).current;
        let most = descriptors.map_or(MOST, |limit| limit as usize / 16).clamp(1, MOST);
        let (closing, coming) = mpsc::sync_channel(most);
        let (woken, wake) = io::pipe()?;
        ioctl_fionbio(&woken, true)?;
        let close = move || close_all(&coming, woken, most, &own);
        thread::Builder::new().name("closing".into()).spawn(close)?;
        Ok(Line { closing, wake })
    }
}

fn close_all(
    coming: &Receiver<Closing>,
    mut woken: PipeReader,
    most: usize,
    line: &Mutex<Option<Line>>,
) {
    let mut open: VecDeque<Closing> = VecDeque::new();
    loop {
        let mut fds = vec![PollFd::new(&woken, PollFlags::IN)];
        fds.extend(open.iter().map(|closing| PollFd::new(&*closing.conn, PollFlags::IN)));
        let until = open.front().map_or(Deadline::NEVER, |oldest| oldest.until);
        if let Err(error) = poll(&mut fds, until) {
            tracing::warn!(%error, "connections are closed without waiting for their peers");
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);

        let mut heard = ready.iter().skip(1);
        open.retain_mut(|closing| {
            let heard = *heard.next().unwrap_or(&false);
            !closing.until.has_passed() && (!heard || closing.hear())
        });
        // A byte says that the channel has a connection; how many bytes there are doesn't matter.
        let _ = woken.read(&mut [0; 1024]);
        for closing in coming.try_iter() {
            open.push_back(closing);
            if open.len() > most {
                open.pop_front();
            }
        }
        if open.is_empty() {
            // While this is locked, nothing new can arrive.
            let mut line = line.lock().unwrap_or_else(PoisonError::into_inner);
            match coming.try_recv() {
                Ok(closing) => open.push_back(closing),
                Err(_) => {
                    *line = None;
                    return;
                }
            }
        }
    }
}

impl Closing {
    /// Sends the next piece; after the last one, the end of the stream. Returns whether there is more to do.
    fn speak(&mut self) -> bool {
        if self.has_said_all {
            return true;
        }
        let piece = self.pieces.pop_front().unwrap_or_default();
        // A line or two: they fit into the send buffer, or the peer isn't reading anyway.
        let said = (&*self.conn).write_all(&piece);
        self.has_said_all = self.pieces.is_empty();
        said.is_ok() && (!self.has_said_all || self.conn.shutdown(Shutdown::Write).is_ok())
    }

    /// Something arrived, or the end did. Returns whether there is more to do.
    fn hear(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.conn.recv(&mut buffer) {
            Ok(0) => false,
            Ok(n) if !self.has_said_all => {
                // If the peer was refused before it asked, its request arrives first.
                self.heard.extend_from_slice(&buffer[..n]);
                match self.heard.ends_with(ack::OK) {
                    true => self.speak(),
                    false => {
                        self.heard.drain(..self.heard.len().saturating_sub(1));
                        true
                    }
                }
            }
            Ok(_) => true,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};
    use std::time::{Duration, Instant};

    use observe::Socket;

    use super::*;
    use crate::shutdown::Shutdown;

    const LONG: Duration = Duration::from_secs(20);

    struct Pair {
        client: TcpStream,
        server: Connection,
    }

    fn connect(listener: &TcpListener) -> Pair {
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_read_timeout(Some(LONG)).unwrap();
        let server = Socket::inherited(listener.accept().unwrap().0.into());
        Pair { client, server: Shutdown::on_signals().unwrap().watch(server).unwrap() }
    }

    fn listen() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").unwrap()
    }

    /// Unread bytes from the peer would turn a plain close into a reset, and that can destroy the
    /// answer.
    #[test]
    fn a_refused_peer_reads_its_answer_and_the_end_whatever_it_sent() {
        let lingering = LingeringClose::default();
        let Pair { mut client, server } = connect(&listen());
        client.write_all(&[b'x'; 100_000]).unwrap();
        lingering.close(server, [b"refused\n".to_vec()]);
        let mut heard = String::new();
        client.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "refused\n");
    }

    #[test]
    fn before_each_piece_but_the_first_the_peer_says_ok() {
        let lingering = LingeringClose::default();
        let Pair { mut client, server } = connect(&listen());
        client.write_all(b"a request that came too early").unwrap();
        lingering.close(server, ["2".into(), "no".into()]);
        let mut piece = [0; 100];
        assert_eq!(client.read(&mut piece).unwrap(), 1);
        client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        assert!(client.read(&mut piece).is_err(), "the second piece came unasked");
        client.set_read_timeout(Some(LONG)).unwrap();
        client.write_all(b"O").unwrap();
        client.write_all(b"K").unwrap();
        let mut rest = String::new();
        client.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "no");
    }

    /// Sends until that is refused: then the other end is closed, and not before.
    fn closed_after(mut client: TcpStream, since: Instant) -> Duration {
        while client.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(1));
            assert!(since.elapsed() < LONG, "never closed");
        }
        since.elapsed()
    }

    #[test]
    fn who_holds_on_is_closed_after_a_moment() {
        let lingering = LingeringClose::default();
        let since = Instant::now();
        let Pair { client, server } = connect(&listen());
        lingering.close(server, [b"refused\n".to_vec()]);
        let closed = closed_after(client, since);
        assert!(closed >= LINGER && closed < LONG / 2, "{closed:?}");
    }

    #[test]
    fn of_too_many_the_oldest_is_closed() {
        let lingering = LingeringClose::default();
        let listener = listen();
        let mut clients = Vec::new();
        let since = Instant::now();
        for _ in 0..=MOST {
            let Pair { mut client, server } = connect(&listener);
            lingering.close(server, [b"refused\n".to_vec()]);
            // Read, so that it has been answered before the next one comes.
            client.read_to_string(&mut String::new()).unwrap();
            clients.push(client);
        }
        let newest = clients.pop().unwrap();
        let oldest = clients.swap_remove(0);
        let closed = closed_after(oldest, since);
        assert!(
            closed < LINGER,
            "{closed:?}, or this machine took a second for {MOST} connections"
        );
        assert!(closed_after(newest, since) >= LINGER);
    }

    #[test]
    fn it_ends_when_it_is_dropped_and_all_are_answered() {
        let lingering = LingeringClose::default();
        let Pair { mut client, server } = connect(&listen());
        lingering.close(server, [b"refused\n".to_vec()]);
        drop(lingering);
        let mut heard = String::new();
        client.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "refused\n");
    }
}
