//! The socket of a [`Peer`]: it never blocks, and each wait has an end.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::Socket;

use super::patience::{PATIENCE, Patience};
use super::recording::SharedRecording;
use crate::verdict::{CaseFailure, Fault, same};

/// How many bytes we keep that were not expected yet: more than any answer of a lab has. A program that sends without
/// end must not use up the memory of the others.
pub(crate) const KEPT: usize = 64 << 20;

/// How long a late reader waits for free space in the buffers. The verdict doesn't depend on it: starting to read too
/// early is only kinder.
const FULL: Duration = Duration::from_millis(100);

pub(crate) struct Connection {
    pub socket: Socket,
    /// What has arrived and was not expected yet.
    pub received: Vec<u8>,
    pub ended: Option<Ended>,
    patience: Rc<Patience>,
    recorded: SharedRecording,
    /// A write has failed: the connection is gone.
    gone: bool,
    /// When the peer began what it is now waiting for.
    begun: Instant,
    /// When bytes last moved.
    moved: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Orderly,
    Reset,
    /// We stopped reading, because more arrived than we keep.
    Flooded,
}

impl Connection {
    pub fn new(socket: Socket, patience: Rc<Patience>, recorded: SharedRecording) -> Connection {
        // If this fails, waits only take longer: each call polls first.
        let _ = socket.set_nonblocking(true);
        let (begun, moved) = (Instant::now(), Instant::now());
        Connection {
            socket,
            received: Vec::new(),
            ended: None,
            patience,
            recorded,
            gone: false,
            begun,
            moved,
        }
    }

    /// Sends all bytes without reading.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), CaseFailure> {
        self.transfer(bytes, None)
    }

    /// Sends all bytes and reads meanwhile, up to the first wrong byte.
    pub fn exchange(&mut self, bytes: &[u8], expected: &[u8]) -> Result<(), CaseFailure> {
        self.transfer(bytes, Some(expected))
    }

    /// Sends until the kernel's buffers are full, and only then goes on as [`exchange`](Connection::exchange) does.
    pub fn exchange_late(&mut self, bytes: &[u8], expected: &[u8]) -> Result<(), CaseFailure> {
        let sent = self.fill(bytes);
        self.transfer(&bytes[sent..], Some(expected))
    }

    /// Sends until the kernel's buffers are full. Returns how many bytes that took.
    pub fn fill(&mut self, bytes: &[u8]) -> usize {
        let mut sent = 0;
        while sent < bytes.len() && wait(&self.socket, PollFlags::OUT, Instant::now() + FULL) {
            match (&self.socket).write(&bytes[sent..]) {
                Ok(n) => sent += n,
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(_) => {
                    self.gone = true;
                    break;
                }
            }
        }
        sent
    }

    /// Reads until `enough` says so, the stream ends, or the time is over. Every byte that arrives starts the wait
    /// anew, up to the case's deadline.
    pub fn read_until(&mut self, mut enough: impl FnMut(&[u8]) -> bool) {
        let patience = Rc::clone(&self.patience);
        let mut time = patience.wait(PATIENCE);
        self.begun = Instant::now();
        while !enough(&self.received) && self.ended.is_none() && !time.is_over() {
            wait(&self.socket, PollFlags::IN, time.until());
            if self.read() {
                time = patience.wait(PATIENCE);
            }
        }
    }

    /// Reads until there are this many bytes, if they arrive soon. It is for the report; the verdict is already
    /// decided.
    pub fn read_soon(&mut self, length: usize) {
        let until = Instant::now() + Duration::from_millis(200);
        while self.received.len() < length && self.ended.is_none() && Instant::now() < until {
            wait(&self.socket, PollFlags::IN, until);
            self.read();
        }
    }

    /// Watches for this long without reading. Returns whether the program has ended the connection or sent something.
    pub fn stirs(&self, within: Duration) -> bool {
        wait_readable(&self.socket, within)
    }

    /// If bytes were still moving when the time of the case was over: for how long, in seconds.
    pub fn slow(&self) -> Option<f32> {
        let moving = self.patience.is_over() && self.moved.elapsed() < PATIENCE;
        moving.then(|| self.begun.elapsed().as_secs_f32())
    }

    fn transfer(&mut self, bytes: &[u8], expected: Option<&[u8]>) -> Result<(), CaseFailure> {
        self.begun = Instant::now();
        let patience = Rc::clone(&self.patience);
        let (mut sent, mut time, mut judged) = (0, patience.wait(PATIENCE), Comparison::default());
        while sent < bytes.len() {
            let reads = expected.is_some() && self.ended.is_none();
            let flags = if reads { PollFlags::IN | PollFlags::OUT } else { PollFlags::OUT };
            wait(&self.socket, flags, time.until());
            if reads && self.read() {
                time = patience.wait(PATIENCE);
                let _ = judged.is_decided(expected.unwrap_or_default(), &self.received);
                if judged.wrong {
                    return Ok(());
                }
            }
            match (&self.socket).write(&bytes[sent..]) {
                Ok(n) => {
                    sent += n;
                    self.moved = Instant::now();
                    time = patience.wait(PATIENCE);
                }
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                    if time.is_over() {
                        return Err(self.stuck(sent, bytes.len()));
                    }
                }
                // The next thing that the peer expects reports it, in the same words each time.
                Err(_) => {
                    self.gone = true;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Why not everything could be sent.
    fn stuck(&self, sent: usize, all: usize) -> CaseFailure {
        match self.slow() {
            Some(seconds) => CaseFailure::new(
                Fault::Slow,
                format!("in {seconds:.1} s, the peer could send only {sent} of {all} bytes"),
            ),
            None => CaseFailure::new(
                Fault::Full,
                format!(
                    "the program isn't reading: {sent} of {all} bytes fitted into the kernel's buffers, and then the \
                     peer couldn't send anything for {} s",
                    PATIENCE.as_secs()
                ),
            ),
        }
    }

    /// Reads once. Returns whether bytes arrived.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 64 << 10];
        match (&self.socket).read(&mut buffer) {
            // The failed write has already taken the socket's error.
            Ok(0) if self.gone => self.ended = Some(Ended::Reset),
            Ok(0) => {
                self.recorded.borrow_mut().receives(b"");
                self.ended = Some(Ended::Orderly);
            }
            Ok(got) => {
                self.recorded.borrow_mut().receives(&buffer[..got]);
                self.moved = Instant::now();
                self.received.extend_from_slice(&buffer[..got]);
                if self.received.len() > KEPT {
                    self.ended = Some(Ended::Flooded);
                }
                return true;
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.ended = Some(Ended::Reset),
        }
        false
    }
}

/// How far we have compared what arrived.
#[derive(Default)]
pub(crate) struct Comparison {
    pub same: usize,
    pub wrong: bool,
}

impl Comparison {
    /// Whether everything has arrived, or a wrong byte. Looks only at what is new.
    pub fn is_decided(&mut self, expected: &[u8], received: &[u8]) -> bool {
        let came = received.len().min(expected.len());
        self.same += same(&received[self.same..came], &expected[self.same..came]);
        self.wrong = self.same < came;
        self.wrong || self.same == expected.len()
    }
}

/// Waits until there is something to read, for at most `within`.
pub(crate) fn wait_readable(on: &impl AsFd, within: Duration) -> bool {
    wait(on, PollFlags::IN, Instant::now() + within)
}

fn wait(on: &impl AsFd, flags: PollFlags, until: Instant) -> bool {
    let left = until.saturating_duration_since(Instant::now());
    let limit =
        Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
    matches!(poll(&mut [PollFd::new(on, flags)], Some(&limit)), Ok(n) if n > 0)
}
