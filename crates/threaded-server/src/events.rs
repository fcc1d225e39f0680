//! One thread for all connections: Python's `selectors`, and what runs inside most large servers.
//!
//! No call of this thread waits for one client. It waits in poll(2) for all of them, and then does for each that is
//! ready what can be done without waiting. So nothing of a connection can live in a loop or on a stack: what it is in
//! the middle of is written down (`events/client.rs`), and the decoder remembers how far its request has come. What takes
//! time, the handler, runs on a few worker threads, which wake the loop through a pipe (`events/worker.rs`).

mod client;
mod room;
mod worker;

use std::io::{self, Read};
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use observe::{Backoff, Socket};
use rustix::event::{PollFd, PollFlags};
use rustix::io::ioctl_fionbio;
use shell::{MAX_RUNNING, poll};

use self::client::Client;
use self::room::Room;
use self::worker::work;
use crate::seats::Seats;
use crate::{Handler, Service};

/// Who can be ready.
enum Ready {
    Worker,
    Newcomer,
    Client(u64),
    Stop,
}

/// Serves until the server is told to stop, and then until each request that is being handled has its answer.
///
/// # Errors
/// When no worker can be started, or the listening socket is no longer usable.
pub fn serve<H: Handler>(listener: &Socket, service: &Service<H>) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let (mut woken, wake) = io::pipe()?;
    ioctl_fionbio(&woken, true)?;
    let (todo, jobs) = mpsc::channel();
    let (results, done) = mpsc::channel();
    let (jobs, wake) = (&Mutex::new(jobs), &wake);
    thread::scope(|scope| {
        for _ in 0..MAX_RUNNING {
            let results = results.clone();
            let worker = move || work(jobs, &results, wake, service);
            thread::Builder::new().spawn_scoped(scope, worker)?;
        }
        // Dropped at the end, it takes the workers' next job with it, and they end.
        let mut room = Room::new(service, todo);
        let seats = Seats::new(service.max_connections);
        let mut backoff = Backoff::default();
        let mut closed_until = None; // while no descriptor is left for a newcomer
        let mut stopping = false;
        while !(stopping && room.is_empty()) {
            let ready = {
                let mut who = vec![Ready::Worker];
                let mut fds = vec![PollFd::new(&woken, PollFlags::IN)];
                if !stopping {
                    who.push(Ready::Stop);
                    fds.push(PollFd::from_borrowed_fd(service.stop.as_fd(), PollFlags::IN));
                }
                let paused = closed_until.is_some_and(|until| Instant::now() < until);
                if !stopping && !paused {
                    closed_until = None;
                    who.push(Ready::Newcomer);
                    fds.push(PollFd::new(listener, PollFlags::IN));
                }
                for (id, fd) in room.waiting() {
                    who.push(Ready::Client(id));
                    fds.push(fd);
                }
                poll(&mut fds, room.deadline().into_iter().chain(closed_until).min())?;
                let ready = who.into_iter().zip(&fds).filter(|(_, fd)| !fd.revents().is_empty());
                ready.map(|(who, _)| who).collect::<Vec<_>>()
            };
            for who in ready {
                match who {
                    // What the bytes announce is in the channel; how many there are does not matter.
                    Ready::Worker => {
                        let _ = woken.read(&mut [0; 1024]);
                        done.try_iter().for_each(|done| room.finished(done));
                    }
                    Ready::Client(id) => room.step(id, |client| client.ready(service)),
                    Ready::Stop => stopping = true,
                    Ready::Newcomer => match listener.accept() {
                        Ok((conn, peer)) => {
                            backoff.reset();
                            let admitted = seats.admit(conn, &peer, service);
                            let Some(admitted) = admitted else { continue };
                            // The model: one more in the list.
                            room.enter(Client::new(admitted, peer, service)?);
                        }
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        Err(error) => {
                            let pause = backoff.after(&error).ok_or(error)?;
                            closed_until = Some(Instant::now() + pause);
                        }
                    },
                }
            }
            room.expire();
            if stopping {
                room.dismiss();
            }
        }
        Ok(())
    })
}
