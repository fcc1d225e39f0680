//! One connection of the hostile peer. Each call is a step of the report.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use relay::{Plan, Step};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::Socket;

use crate::bytes::{quote, quote_cut};
use crate::trial::Steps;
use crate::{Broken, PATIENCE};

/// A connection to the student's program. Dropping it closes it.
pub struct Peer {
    name: String,
    socket: Socket,
    plan: Plan,
    steps: Steps,
    deadline: Instant,
    /// What has come and was not yet expected.
    received: Vec<u8>,
    ended: Option<Ended>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Orderly,
    Reset,
}

impl Peer {
    pub(crate) fn new(
        name: String,
        socket: Socket,
        plan: Plan,
        steps: Steps,
        deadline: Instant,
    ) -> Peer {
        // A socket that stayed blocking would only make waits longer: each call polls first.
        let _ = socket.set_nonblocking(true);
        Peer { name, socket, plan, steps, deadline, received: Vec::new(), ended: None }
    }

    /// Sends all of it, and reads nothing meanwhile.
    ///
    /// # Errors
    /// [`Broken`] when the program closes the connection, or does not read for so long that the kernel's buffers stay full.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let shown = self.cuts(bytes);
        self.step(format!("sends {shown}"));
        self.transfer(bytes, |_| false)
    }

    /// Sends all of it and reads at the same time, as a peer with two threads; then as [`expect`](Peer::expect).
    ///
    /// # Errors
    /// As [`send`](Peer::send) and [`expect`](Peer::expect).
    pub fn exchange(&mut self, bytes: &[u8], expected: &[u8]) -> Result<(), Broken> {
        let shown = self.cuts(bytes);
        self.step(format!("sends {shown}, reads meanwhile, and expects {}", quote(expected)));
        self.transfer(bytes, |_| true)?;
        self.compare(expected)
    }

    /// Reads until so many bytes have come, and compares.
    ///
    /// # Errors
    /// [`Broken`] at the first byte that differs, at the end of the stream, and when nothing comes in time.
    pub fn expect(&mut self, expected: &[u8]) -> Result<(), Broken> {
        self.step(format!("expects {}", quote(expected)));
        self.compare(expected)
    }

    /// Reads exactly so many bytes; `what` names them in the report: `the length of the answer`.
    ///
    /// # Errors
    /// [`Broken`] when the stream ends before, or nothing comes in time.
    pub fn receive(&mut self, what: &str, length: usize) -> Result<Vec<u8>, Broken> {
        self.step(format!("reads {what}: {length} bytes"));
        self.read_until(|received| received.len() >= length)?;
        if self.received.len() < length {
            let came = self.received.len();
            return Err(Broken::new(format!("{} after {came} of {length} bytes", self.why())));
        }
        Ok(self.received.drain(..length).collect())
    }

    /// Ends its side of the stream, and can still read: a half-close, `shutdown(SHUT_WR)`.
    ///
    /// # Errors
    /// None that a program can cause; a connection that is gone already shows in what is expected next.
    pub fn end(&mut self) -> Result<(), Broken> {
        self.step("ends its side of the stream (half-close)");
        let _ = self.socket.shutdown(Shutdown::Write);
        Ok(())
    }

    /// Expects the end of the stream, and nothing before it.
    ///
    /// # Errors
    /// [`Broken`] when bytes come, a reset, or nothing in time.
    pub fn expect_end(&mut self) -> Result<(), Broken> {
        self.step("expects the end of the stream");
        self.read_until(|received| !received.is_empty())?;
        match self.ended {
            _ if !self.received.is_empty() => Err(self.extra()),
            Some(Ended::Orderly) => Ok(()),
            Some(Ended::Reset) => Err(Broken::new(
                "the connection was reset: the program closed it while bytes it had not read were waiting, or it died",
            )),
            None => Err(Broken::new(format!(
                "the program did not end the connection within {} s",
                PATIENCE.as_secs()
            ))),
        }
    }

    /// Expects that the program closes the connection, with an end or a reset, and sends nothing before it.
    ///
    /// # Errors
    /// [`Broken`] when bytes come, or the connection stays open.
    pub fn expect_closed(&mut self) -> Result<(), Broken> {
        self.step("expects that the program closes the connection");
        self.read_until(|received| !received.is_empty())?;
        match self.ended {
            _ if !self.received.is_empty() => Err(self.extra()),
            Some(_) => Ok(()),
            None => Err(Broken::new(format!(
                "the program did not close the connection within {} s",
                PATIENCE.as_secs()
            ))),
        }
    }

    /// Throws the connection away with a reset.
    pub fn reset(self) {
        self.step("resets the connection");
        // A linger time of zero makes close a reset (socket(7), SO_LINGER).
        let _ = self.socket.set_linger(Some(Duration::ZERO));
    }

    /// Does what would fill pages of the report as one step, `asks 10 times`.
    pub fn quietly<T>(&mut self, step: &str, what: impl FnOnce(&mut Peer) -> T) -> T {
        self.step(step);
        let noted = std::mem::take(&mut self.steps);
        let done = what(self);
        self.steps = noted;
        done
    }

    fn step(&self, what: impl AsRef<str>) {
        self.steps.borrow_mut().push(format!("{} {}", self.name, what.as_ref()));
    }

    fn compare(&mut self, expected: &[u8]) -> Result<(), Broken> {
        let wrong = |received: &[u8]| !received.iter().zip(expected).all(|(a, b)| a == b);
        self.read_until(|received| received.len() >= expected.len() || wrong(received))?;
        let came = &self.received[..self.received.len().min(expected.len())];
        if wrong(came) {
            return Err(Broken::differs(
                "the bytes that came are not the right ones",
                expected,
                came,
            ));
        }
        if came.len() < expected.len() {
            let what = format!("{} after {} of {} bytes", self.why(), came.len(), expected.len());
            return Err(Broken::differs(what, expected, came));
        }
        self.received.drain(..expected.len());
        Ok(())
    }

    fn extra(&self) -> Broken {
        Broken::differs("bytes came where none were expected", b"", &self.received)
    }

    /// Why nothing more came.
    fn why(&self) -> String {
        match self.ended {
            Some(Ended::Orderly) => "the stream ended".to_owned(),
            Some(Ended::Reset) => "the connection was reset".to_owned(),
            None => format!("nothing more came within {} s", PATIENCE.as_secs()),
        }
    }

    fn read_until(&mut self, enough: impl Fn(&[u8]) -> bool) -> Result<(), Broken> {
        let until = self.until();
        while !enough(&self.received) && self.ended.is_none() && Instant::now() < until {
            wait(&self.socket, PollFlags::IN, until);
            self.read()?;
        }
        Ok(())
    }

    /// Writes `bytes`; reads too while `reads` says so.
    fn transfer(&mut self, bytes: &[u8], reads: impl Fn(&Peer) -> bool) -> Result<(), Broken> {
        let mut sent = 0;
        let mut until = self.until();
        while sent < bytes.len() {
            let read = reads(self) && self.ended.is_none();
            let flags = if read { PollFlags::IN | PollFlags::OUT } else { PollFlags::OUT };
            wait(&self.socket, flags, until);
            if read {
                self.read()?;
            }
            match (&self.socket).write(&bytes[sent..]) {
                Ok(n) => {
                    sent += n;
                    until = self.until();
                }
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                    if Instant::now() >= until {
                        let all = bytes.len();
                        return Err(Broken::new(format!(
                            "the program stopped reading: {sent} of {all} bytes fitted into the kernel's buffers"
                        )));
                    }
                }
                Err(error) => {
                    let all = bytes.len();
                    return Err(Broken::new(format!(
                        "the program closed the connection while the peer was sending ({sent} of {all} bytes): {error}"
                    )));
                }
            }
        }
        Ok(())
    }

    /// One read of what is there.
    fn read(&mut self) -> Result<(), Broken> {
        let mut buffer = [0; 64 << 10];
        match (&self.socket).read(&mut buffer) {
            Ok(0) => self.ended = Some(Ended::Orderly),
            Ok(got) => self.received.extend_from_slice(&buffer[..got]),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.ended = Some(Ended::Reset),
        }
        Ok(())
    }

    fn until(&self) -> Instant {
        (Instant::now() + PATIENCE).min(self.deadline)
    }

    /// The bytes as the program will see them, with the relay's cuts.
    fn cuts(&mut self, bytes: &[u8]) -> String {
        let mut pieces = Vec::new();
        let mut left = bytes.len();
        while let Step::Send(n) = self.plan.next(left) {
            self.plan.passed(n);
            pieces.push(n);
            left -= n;
        }
        if pieces.len() > 1 { quote_cut(bytes, &pieces) } else { quote(bytes) }
    }
}

/// Waits until something can be read, at most so long.
pub(crate) fn wait_readable(on: &impl AsFd, within: Duration) -> bool {
    wait(on, PollFlags::IN, Instant::now() + within)
}

fn wait(on: &impl AsFd, flags: PollFlags, until: Instant) -> bool {
    let left = until.saturating_duration_since(Instant::now());
    let limit =
        Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
    matches!(poll(&mut [PollFd::new(on, flags)], Some(&limit)), Ok(n) if n > 0)
}
