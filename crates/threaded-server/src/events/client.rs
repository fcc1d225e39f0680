//! One client of the event loop: what a thread would keep on its stack, written down.

use std::io;
use std::mem;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;

use mio::event::Event;
use observe::{Failure, Socket, report};
use proto::request::RequestFraming;
use proto::{Decoder, Outgoing, ReadError};
use shell::{Deadline, FrameDeadline, LINGER, Output, Peer, RECHECK, keep_secret, still_missing};

use super::workers::{Outcome, handle};
use crate::connections::{Accepted, Permit};
use crate::{Handler, Service};

/// How many requests of one client are served before it's the others' turn.
const AT_ONCE: usize = 64;

/// A connection and where it is.
pub(super) struct Client<S> {
    pub(super) conn: Arc<Socket>,
    peer: SocketAddr,
    requests: Decoder<RequestFraming>,
    state: State<S>,
    rest: FrameDeadline,
    /// When it times out, if it is in the middle of something.
    pub(super) deadline: Deadline,
    /// The kernel has reported something to read, or room to write, and we haven't used all of it yet.
    is_readable: bool,
    is_writable: bool,
    /// The client has ended its side: after the bytes that are there, the stream ends.
    has_ended: bool,
    _permit: Permit,
}

enum State<S> {
    /// For the next request, or the rest of one.
    Reading(S),
    /// A worker has its session.
    Busy,
    /// Part of an answer; without a session it was the last.
    Writing(Box<Outgoing<Vec<u8>, 3>>, Option<S>),
    /// Our side is shut down; what still arrives is thrown away.
    Leaving,
}

/// What a client needs after a step.
pub(super) enum Next<S> {
    /// Nothing until it is ready again.
    Wait,
    /// Its turn again, after the others'.
    GoOn,
    /// A worker for this request.
    Handle(S, Vec<u8>),
    Close,
}

impl<S> Client<S> {
    /// A client that has just been accepted.
    pub(super) fn new<H: Handler<Session = S>>(
        accepted: Accepted<H>,
        service: &Service<H>,
    ) -> io::Result<Client<S>> {
        let Accepted { conn, peer, session, permit, .. } = accepted;
        conn.set_nonblocking(true)?;
        Ok(Client {
            conn: Arc::new(conn),
            peer,
            requests: Decoder::new(RequestFraming::new(service.form, service.max_frame)),
            deadline: service.handler.deadline(&session),
            state: State::Reading(session),
            rest: FrameDeadline::new(service.frame_timeout),
            is_readable: false,
            is_writable: true,
            has_ended: false,
            _permit: permit,
        })
    }

    /// The kernel has reported something about it.
    pub(super) fn told<H: Handler<Session = S>>(
        &mut self,
        event: &Event,
        service: &Service<H>,
    ) -> Next<S> {
        self.is_readable |= event.is_readable() || event.is_error();
        self.is_writable |= event.is_writable();
        self.has_ended |= event.is_read_closed() || event.is_error();
        self.go_on(service)
    }

    /// Does what can be done without blocking.
    pub(super) fn go_on<H: Handler<Session = S>>(&mut self, service: &Service<H>) -> Next<S> {
        for _ in 0..AT_ONCE {
            let step = match mem::replace(&mut self.state, State::Busy) {
                State::Reading(session) => self.read(session, service),
                State::Writing(answer, session) => self.write(*answer, session, service),
                State::Leaving => return self.leave(),
                State::Busy => {
                    self.deadline = self.deadline.or(self.next_look());
                    return Next::Wait;
                }
            };
            match step {
                Ok(Next::GoOn) => {}
                Ok(next) => return next,
                Err(error) => return self.fail(error, service),
            }
        }
        Next::GoOn
    }

    /// A worker has done its part.
    pub(super) fn finished<H: Handler<Session = S>>(
        &mut self,
        outcome: Outcome<S>,
        service: &Service<H>,
    ) -> Next<S> {
        match self.take_outcome(outcome, service) {
            Ok(Next::GoOn) => self.go_on(service),
            Ok(next) => next,
            Err(error) => self.fail(error, service),
        }
    }

    fn take_outcome<H: Handler<Session = S>>(
        &mut self,
        outcome: Outcome<S>,
        service: &Service<H>,
    ) -> Result<Next<S>, ReadError> {
        match outcome {
            Outcome::Answer(output, session) => self.answer(output, session, service),
            Outcome::Over => Ok(self.say_goodbye()),
        }
    }

    /// The next request, if all of it is there; otherwise reads the part that has arrived.
    fn read<H: Handler<Session = S>>(
        &mut self,
        session: S,
        service: &Service<H>,
    ) -> Result<Next<S>, ReadError> {
        if let Some(frame) = self.requests.decode()? {
            self.deadline = Deadline::NEVER;
            self.rest.start_anew();
            if H::WAITS {
                let request = frame.body.to_vec();
                self.deadline = self.next_look();
                return Ok(Next::Handle(session, request));
            }
            let outcome = handle(&self.conn, session, frame.body, &service.handler);
            return self.take_outcome(outcome, service);
        }
        let unread = self.requests.unread().len();
        service.check_length(unread)?;
        if !self.is_readable {
            if unread == 0 {
                self.requests.release(); // an idle client keeps no buffer
            }
            // It may stay idle as long as it likes; inside a frame it has this long for the rest.
            self.deadline = self.rest.after(unread).or(service.handler.deadline(&session));
            self.state = State::Reading(session);
            return Ok(Next::Wait);
        }
        let space = self.requests.space();
        let room = space.len();
        match self.conn.recv(space) {
            Ok(0) => {
                self.requests.check_end()?;
                return Ok(self.say_goodbye());
            }
            Ok(n) => {
                self.requests.filled(n);
                // Less than there was room for, so that was everything (epoll(7), "Questions and answers", 9).
                self.is_readable = n == room || self.has_ended;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.is_readable = false,
            Err(error) => return Err(error.into()),
        }
        self.state = State::Reading(session);
        Ok(Next::GoOn)
    }

    fn answer<H: Handler<Session = S>>(
        &mut self,
        output: Output,
        session: Option<S>,
        service: &Service<H>,
    ) -> Result<Next<S>, ReadError> {
        let answer = Outgoing::new(service.message(output).map_err(io::Error::other)?);
        self.write(answer, session, service)
    }

    fn write<H: Handler<Session = S>>(
        &mut self,
        mut answer: Outgoing<Vec<u8>, 3>,
        session: Option<S>,
        service: &Service<H>,
    ) -> Result<Next<S>, ReadError> {
        let written = match self.is_writable {
            true => answer.write_to(&mut &*self.conn),
            false => Err(io::ErrorKind::WouldBlock.into()),
        };
        match written {
            Ok(()) => match session {
                Some(session) if !service.shutdown.told() => {
                    self.deadline = Deadline::NEVER;
                    self.state = State::Reading(session);
                    Ok(Next::GoOn)
                }
                _ => Ok(self.say_goodbye()),
            },
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // We try only when there is room, so something was sent: the clock starts again.
                if self.is_writable {
                    self.deadline = Deadline::after(service.frame_timeout);
                }
                self.is_writable = false;
                self.state = State::Writing(Box::new(answer), session);
                Ok(Next::Wait)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// It has timed out.
    pub(super) fn expire<H: Handler<Session = S>>(&mut self, service: &Service<H>) -> Next<S> {
        match self.state {
            State::Leaving => Next::Close,
            State::Busy if Peer::of(&self.conn).is_here().is_ok() => {
                self.deadline = self.next_look();
                Next::Wait
            }
            State::Busy => Next::Close,
            State::Reading(_) => {
                let time_is_up = io::ErrorKind::TimedOut.into();
                let error =
                    still_missing("its request", self.requests.unread(), &self.conn)(time_is_up);
                self.fail(error.into(), service)
            }
            State::Writing(..) => self.fail(shell::left_unread().into(), service),
        }
    }

    /// When to look whether a client that waits for its answer is still there. One that has ended its side may only have
    /// stopped sending, or have left; then it doesn't keep its place from others.
    fn next_look(&self) -> Deadline {
        if self.has_ended { Deadline::after(RECHECK) } else { Deadline::NEVER }
    }

    /// The server stops: it leaves, at once or after the answer that is due to it.
    pub(super) fn dismiss(&mut self) -> Next<S> {
        match self.state {
            State::Reading(_) => self.say_goodbye(),
            _ => Next::Wait,
        }
    }

    fn fail<H: Handler<Session = S>>(&mut self, error: ReadError, service: &Service<H>) -> Next<S> {
        let refusal = service.refusal(&error);
        let error = keep_secret(error, &self.conn);
        report(Err(Failure::talking(self.peer, "serving")(error)));
        // What can't be sent at once isn't sent.
        match refusal.map(|output| self.answer(output, None, service)) {
            Some(Ok(Next::GoOn)) => self.go_on(service),
            Some(Ok(next)) => next,
            Some(Err(_)) | None => self.say_goodbye(),
        }
    }

    /// A lingering close, in steps.
    fn say_goodbye(&mut self) -> Next<S> {
        if self.conn.shutdown(Shutdown::Write).is_err() {
            return Next::Close; // nobody is left to read it
        }
        self.deadline = Deadline::after(LINGER);
        self.state = State::Leaving;
        self.is_readable = true;
        self.leave()
    }

    fn leave(&mut self) -> Next<S> {
        self.state = State::Leaving;
        for _ in 0..AT_ONCE {
            match self.conn.recv(&mut [0; 1024]) {
                Ok(0) => return Next::Close,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Next::Wait,
                Err(_) => return Next::Close,
            }
        }
        Next::GoOn
    }
}
