//! One connection of the hostile peer. Each call is a step of the report.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use relay::{Plan, Step};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::Socket;

use crate::bytes::{ROW, quote, quote_cut, same};
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
    /// A write has failed: the connection is gone.
    broken: bool,
}

/// From so many bytes on a report does not say how many came: how far a program got in a long stream is chance.
const LONG: usize = 64 << 10;

/// How far what came has been compared.
#[derive(Default)]
struct Judged {
    same: usize,
    wrong: bool,
}

impl Judged {
    /// Whether all has come, or a wrong byte. Looks only at what is new.
    fn is_decided(&mut self, expected: &[u8], received: &[u8]) -> bool {
        let came = received.len().min(expected.len());
        self.same += same(&received[self.same..came], &expected[self.same..came]);
        self.wrong = self.same < came;
        self.wrong || self.same == expected.len()
    }
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
        Peer {
            name,
            socket,
            plan,
            steps,
            deadline,
            received: Vec::new(),
            ended: None,
            broken: false,
        }
    }

    /// Sends all of it, and reads nothing meanwhile.
    ///
    /// A connection that the program closes meanwhile shows in what is expected next: whether it is noticed here would
    /// be chance.
    ///
    /// # Errors
    /// [`Broken`] when the program does not read for so long that the kernel's buffers stay full.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let shown = self.cuts(bytes);
        self.step(format!("sends {shown}"));
        self.transfer(bytes, None)
    }

    /// Sends all of it and reads at the same time, as a peer with two threads; then as [`expect`](Peer::expect).
    ///
    /// # Errors
    /// As [`send`](Peer::send) and [`expect`](Peer::expect).
    pub fn exchange(&mut self, bytes: &[u8], expected: &[u8]) -> Result<(), Broken> {
        let shown = self.cuts(bytes);
        self.step(format!("sends {shown}, reads meanwhile, and expects {}", quote(expected)));
        self.transfer(bytes, Some(expected))?;
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
            return Err(Broken::new(self.missing(length)));
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
                "the connection was reset: the program closed it while bytes it had not read were waiting, or it was killed",
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

    fn step(&self, what: impl AsRef<str>) {
        self.steps.borrow_mut().push(format!("{} {}", self.name, what.as_ref()));
    }

    fn compare(&mut self, expected: &[u8]) -> Result<(), Broken> {
        let mut judged = Judged::default();
        self.read_until(|received| judged.is_decided(expected, received))?;
        if judged.wrong {
            self.read_the_row(judged.same);
            let came = &self.received[..self.received.len().min(expected.len())];
            return Err(Broken::differs(
                "the bytes that came are not the right ones",
                expected,
                came,
            ));
        }
        if self.received.len() < expected.len() {
            let what = self.missing(expected.len());
            return Err(match expected.len() {
                // How much of a long stream had come is chance, and so would be the bytes.
                LONG.. => Broken::new(what),
                _ => Broken::differs(what, expected, &self.received),
            });
        }
        self.received.drain(..expected.len());
        Ok(())
    }

    /// The report shows the bytes behind the wrong one too, if they come soon; the verdict stands already.
    fn read_the_row(&mut self, wrong: usize) {
        let row = wrong / ROW * ROW + ROW;
        let until = Instant::now() + Duration::from_millis(200);
        while self.received.len() < row && self.ended.is_none() && Instant::now() < until {
            wait(&self.socket, PollFlags::IN, until);
            self.read();
        }
    }

    fn extra(&mut self) -> Broken {
        self.read_the_row(0);
        Broken::differs("bytes came where none were expected", b"", &self.received)
    }

    /// Why not all of so many bytes came.
    fn missing(&self, expected: usize) -> String {
        let came = self.received.len();
        match self.ended {
            Some(_) if expected >= LONG => {
                format!("the program closed the connection before all {expected} bytes had come")
            }
            None if expected >= LONG => {
                format!("of {expected} bytes some are missing, and no more came in time")
            }
            Some(_) => {
                format!("the program closed the connection after {came} of {expected} bytes")
            }
            None if came == 0 => {
                format!("nothing came within {} s, of {expected} bytes", PATIENCE.as_secs())
            }
            None => format!(
                "{came} of {expected} bytes came, and no more within {} s",
                PATIENCE.as_secs()
            ),
        }
    }

    /// Reads until it is enough, the end, or the time is over. Each byte that comes gives it new time, up to the case's.
    fn read_until(&mut self, mut enough: impl FnMut(&[u8]) -> bool) -> Result<(), Broken> {
        let mut until = self.until();
        while !enough(&self.received) && self.ended.is_none() && Instant::now() < until {
            wait(&self.socket, PollFlags::IN, until);
            if self.read() {
                until = self.until();
            }
        }
        Ok(())
    }

    /// Writes `bytes`; reads too where something is expected meanwhile, until the first wrong byte.
    fn transfer(&mut self, bytes: &[u8], expected: Option<&[u8]>) -> Result<(), Broken> {
        let (mut sent, mut until, mut judged) = (0, self.until(), Judged::default());
        while sent < bytes.len() {
            let read = expected.is_some() && self.ended.is_none();
            let flags = if read { PollFlags::IN | PollFlags::OUT } else { PollFlags::OUT };
            wait(&self.socket, flags, until);
            if read && self.read() {
                until = self.until();
                let _ = judged.is_decided(expected.unwrap_or_default(), &self.received);
                if judged.wrong {
                    return Ok(());
                }
            }
            match (&self.socket).write(&bytes[sent..]) {
                Ok(n) => {
                    sent += n;
                    until = self.until();
                }
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                    if Instant::now() >= until {
                        return Err(Broken::new(format!(
                            "the program does not read: the kernel's buffers are full, and for {} s the peer could \
                             send nothing more",
                            PATIENCE.as_secs()
                        )));
                    }
                }
                Err(_) => {
                    self.broken = true;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// One read of what is there. Whether bytes came.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 64 << 10];
        match (&self.socket).read(&mut buffer) {
            // A write that failed has taken the error away.
            Ok(0) if self.broken => self.ended = Some(Ended::Reset),
            Ok(0) => self.ended = Some(Ended::Orderly),
            Ok(got) => {
                self.received.extend_from_slice(&buffer[..got]);
                return true;
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.ended = Some(Ended::Reset),
        }
        false
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
