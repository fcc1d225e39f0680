//! One client of the event loop: what a thread would keep on its stack, written down.

use std::io;
use std::mem;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Instant;

use observe::{Failure, Socket, report, show};
use proto::request::RequestFraming;
use proto::{Decoder, Outgoing, ReadError};
use rustix::event::{PollFd, PollFlags};
use shell::Output;
use socket2::SockAddr;

use super::worker::Outcome;
use crate::connection::{LINGER, message};
use crate::seats::{Admitted, Seat};
use crate::{Handler, Service};

/// A connection and where it is.
pub(super) struct Client<V> {
    pub(super) conn: Arc<Socket>,
    peer: SockAddr,
    requests: Decoder<RequestFraming>,
    state: State<V>,
    /// When its patience ends, if it is in the middle of something.
    pub(super) deadline: Option<Instant>,
    _seat: Seat,
}

enum State<V> {
    /// For the next request, or the rest of one.
    Reading(V),
    /// A worker has its visit.
    Busy,
    /// Part of an answer; without a visit it was the last.
    Writing(Outgoing<Vec<u8>, 3>, Option<V>),
    /// Our side is shut down; what still comes is thrown away.
    Leaving,
}

/// What a client needs after a step.
pub(super) enum Next<V> {
    /// Nothing until it is ready again.
    Wait,
    /// A worker for this request.
    Handle(V, Vec<u8>),
    Close,
}

impl<V> Client<V> {
    /// A client that has just been accepted.
    pub(super) fn new<H: Handler<Visit = V>>(
        (conn, visit, seat): Admitted<H>,
        peer: SockAddr,
        service: &Service<H>,
    ) -> io::Result<Client<V>> {
        conn.set_nonblocking(true)?;
        let requests = Decoder::new(RequestFraming::new(service.form, service.max_frame));
        let deadline = service.handler.deadline(&visit);
        let state = State::Reading(visit);
        Ok(Client { conn: Arc::new(conn), peer, requests, state, deadline, _seat: seat })
    }

    /// What poll(2) should look for. Nothing while a worker has it: a hang-up would be reported again and again, and the
    /// worker watches for it anyway.
    pub(super) fn poll_fd(&self) -> Option<PollFd<'_>> {
        let events = match self.state {
            State::Reading(_) | State::Leaving => PollFlags::IN,
            State::Writing(..) => PollFlags::OUT,
            State::Busy => return None,
        };
        Some(PollFd::new(&*self.conn, events))
    }

    /// poll(2) has reported it: one step that does not wait.
    pub(super) fn ready<H: Handler<Visit = V>>(&mut self, service: &Service<H>) -> Next<V> {
        let next = match mem::replace(&mut self.state, State::Busy) {
            State::Reading(visit) => self.read(visit, service),
            State::Writing(answer, visit) => self.write(answer, visit, service),
            State::Leaving => return self.leave(),
            State::Busy => return Next::Wait,
        };
        next.unwrap_or_else(|error| self.fail(error, service))
    }

    /// A worker has done its part.
    pub(super) fn finished<H: Handler<Visit = V>>(
        &mut self,
        outcome: Outcome<V>,
        service: &Service<H>,
    ) -> Next<V> {
        let next = match outcome {
            Outcome::Answer(output, visit) => self.answer(output, visit, service),
            Outcome::Over => return self.say_goodbye(),
        };
        next.unwrap_or_else(|error| self.fail(error, service))
    }

    fn read<H: Handler<Visit = V>>(
        &mut self,
        visit: V,
        service: &Service<H>,
    ) -> Result<Next<V>, ReadError> {
        match self.conn.recv(self.requests.space()) {
            Ok(0) => {
                self.requests.finish()?;
                Ok(self.say_goodbye())
            }
            Ok(n) => {
                self.requests.filled(n);
                self.next_request(visit, service)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.state = State::Reading(visit);
                Ok(Next::Wait)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn next_request<H: Handler<Visit = V>>(
        &mut self,
        visit: V,
        service: &Service<H>,
    ) -> Result<Next<V>, ReadError> {
        if let Some(frame) = self.requests.decode()? {
            self.deadline = None;
            return Ok(Next::Handle(visit, frame.body.to_vec()));
        }
        service.check_length(self.requests.unread().len())?;
        // An idle client may think as long as it likes; one inside a frame has so long for the rest.
        if !self.requests.unread().is_empty() {
            self.deadline.get_or_insert(Instant::now() + service.patience);
        }
        self.state = State::Reading(visit);
        Ok(Next::Wait)
    }

    fn answer<H: Handler<Visit = V>>(
        &mut self,
        output: Output,
        visit: Option<V>,
        service: &Service<H>,
    ) -> Result<Next<V>, ReadError> {
        self.write(Outgoing::new(message(output)?), visit, service)
    }

    fn write<H: Handler<Visit = V>>(
        &mut self,
        mut answer: Outgoing<Vec<u8>, 3>,
        visit: Option<V>,
        service: &Service<H>,
    ) -> Result<Next<V>, ReadError> {
        match answer.write_to(&mut &*self.conn) {
            Ok(()) => {
                self.deadline = None;
                match visit {
                    Some(visit) => self.next_request(visit, service),
                    None => Ok(self.say_goodbye()),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // It is tried only when there is room, so something went: the clock starts anew.
                self.deadline = Some(Instant::now() + service.patience);
                self.state = State::Writing(answer, visit);
                Ok(Next::Wait)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Its time is up.
    pub(super) fn expire<H: Handler<Visit = V>>(&mut self, service: &Service<H>) -> Next<V> {
        match self.state {
            State::Leaving => Next::Close,
            _ => self.fail(io::Error::from(io::ErrorKind::TimedOut).into(), service),
        }
    }

    /// The server stops: it leaves, unless an answer is due to it.
    pub(super) fn dismiss(&mut self) -> Next<V> {
        match self.state {
            State::Reading(_) => self.say_goodbye(),
            _ => Next::Wait,
        }
    }

    fn fail<H: Handler<Visit = V>>(&mut self, error: ReadError, service: &Service<H>) -> Next<V> {
        let refusal = service.refusal(&error);
        report(Err(Failure::talking(show(&self.peer), "serving")(error)));
        // What cannot even be said is not said.
        let said = refusal.map(|output| self.answer(output, None, service));
        said.and_then(Result::ok).unwrap_or_else(|| self.say_goodbye())
    }

    /// The same as at the end of a blocking connection, in steps.
    fn say_goodbye(&mut self) -> Next<V> {
        if self.conn.shutdown(Shutdown::Write).is_err() {
            return Next::Close; // nobody is left to hear it
        }
        self.deadline = Some(Instant::now() + LINGER);
        self.state = State::Leaving;
        Next::Wait
    }

    fn leave(&mut self) -> Next<V> {
        match self.conn.recv(&mut [0; 1024]) {
            Ok(0) => return Next::Close,
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Next::Close,
            Ok(_) | Err(_) => {}
        }
        self.state = State::Leaving;
        Next::Wait
    }
}
