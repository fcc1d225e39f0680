//! One connection of the hostile peer. Each call is a step of the report.

use std::net::Shutdown;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use relay::{Plan, Step};
use socket2::Socket;

use crate::bytes::{ROW, quote, quote_cut};
use crate::connection::{Connection, Ended, Judged, KEPT};
use crate::patience::Patience;
use crate::trial::Steps;
use crate::{Broken, PATIENCE};

/// A connection to the student's program. Dropping it closes it.
pub struct Peer {
    name: String,
    conn: Connection,
    plan: Plan,
    steps: Steps,
}

/// How long a silence of ours lasts. It is longer than those wait who take a silence for an end, and it is what the case is
/// about: nothing is synchronised by it.
const SILENCE: Duration = Duration::from_millis(1200);

/// From so many bytes on a report does not say how many came: how far a program got in a long stream is chance.
const LONG: usize = 64 << 10;

impl Peer {
    pub(crate) fn new(
        name: String,
        socket: Socket,
        plan: Plan,
        steps: Steps,
        patience: Rc<Patience>,
    ) -> Peer {
        Peer { name, conn: Connection::new(socket, patience), plan, steps }
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
        self.conn.send(bytes)
    }

    /// Sends all of it and reads at the same time, as a peer with two threads; then as [`expect`](Peer::expect).
    ///
    /// # Errors
    /// As [`send`](Peer::send) and [`expect`](Peer::expect).
    pub fn exchange(&mut self, bytes: &[u8], expected: &[u8]) -> Result<(), Broken> {
        let shown = self.cuts(bytes);
        self.step(format!("sends {shown}, reads meanwhile, and expects {}", quote(expected)));
        self.conn.exchange(bytes, expected)?;
        self.compare(expected)
    }

    /// As [`exchange`](Peer::exchange), of a peer that reads only when nothing more fits into the kernel's buffers: then
    /// the program could not write more, unless it has read all.
    ///
    /// # Errors
    /// As [`exchange`](Peer::exchange).
    pub fn exchange_late(&mut self, bytes: &[u8], expected: &[u8]) -> Result<(), Broken> {
        let shown = self.cuts(bytes);
        let then = "reads only when nothing more fits into the buffers";
        self.step(format!("sends {shown}, {then}, and expects {}", quote(expected)));
        self.conn.exchange_late(bytes, expected)?;
        self.compare(expected)
    }

    /// Sends nothing for 1.2 s: a program that takes a silence for an end has taken it then.
    pub fn keep_silent(&mut self) {
        self.step(format!("keeps silent for {} s", SILENCE.as_secs_f32()));
        thread::sleep(SILENCE);
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
        self.conn.read_until(|received| received.len() >= length);
        if self.conn.received.len() < length {
            return Err(Broken::new(self.missing(length)));
        }
        Ok(self.conn.received.drain(..length).collect())
    }

    /// Ends its side of the stream, and can still read: a half-close, `shutdown(SHUT_WR)`.
    ///
    /// # Errors
    /// None that a program can cause; a connection that is gone already shows in what is expected next.
    pub fn end(&mut self) -> Result<(), Broken> {
        self.step("ends its side of the stream (half-close)");
        let _ = self.conn.socket.shutdown(Shutdown::Write);
        Ok(())
    }

    /// Expects the end of the stream, and nothing before it.
    ///
    /// # Errors
    /// [`Broken`] when bytes come, a reset, or nothing in time.
    pub fn expect_end(&mut self) -> Result<(), Broken> {
        self.step("expects the end of the stream");
        self.conn.read_until(|received| !received.is_empty());
        match self.conn.ended {
            _ if !self.conn.received.is_empty() => Err(self.extra()),
            Some(Ended::Orderly) => Ok(()),
            Some(Ended::Reset | Ended::Flooded) => Err(Broken::new(
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
        self.conn.read_until(|received| !received.is_empty());
        match self.conn.ended {
            _ if !self.conn.received.is_empty() => Err(self.extra()),
            Some(_) => Ok(()),
            None => Err(Broken::new(format!(
                "the program did not close the connection within {} s",
                PATIENCE.as_secs()
            ))),
        }
    }

    /// Reads whatever comes until the program closes the connection, with an end or a reset; `what` names it in the report.
    ///
    /// # Errors
    /// [`Broken`] when the connection stays open, or more comes than can be an answer.
    pub fn read_to_end(&mut self, what: &str) -> Result<Vec<u8>, Broken> {
        self.step(format!("reads {what}, until the program closes the connection"));
        self.conn.read_until(|_| false);
        match self.conn.ended {
            Some(Ended::Flooded) => Err(Broken::new(format!(
                "the program sends without end: more than {} MiB came",
                KEPT >> 20
            ))),
            Some(_) => Ok(std::mem::take(&mut self.conn.received)),
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
        let _ = self.conn.socket.set_linger(Some(Duration::ZERO));
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
        let mut judged = Judged::default();
        self.conn.read_until(|received| judged.is_decided(expected, received));
        if judged.wrong {
            self.conn.read_soon(judged.same / ROW * ROW + ROW);
            let came = &self.conn.received[..self.conn.received.len().min(expected.len())];
            return Err(Broken::differs(
                "the bytes that came are not the right ones",
                expected,
                came,
            ));
        }
        if self.conn.received.len() < expected.len() {
            let what = self.missing(expected.len());
            return Err(match expected.len() {
                // How much of a long stream had come is chance, and so would be the bytes.
                LONG.. => Broken::new(what),
                _ => Broken::differs(what, expected, &self.conn.received),
            });
        }
        self.conn.received.drain(..expected.len());
        Ok(())
    }

    fn extra(&mut self) -> Broken {
        self.conn.read_soon(ROW);
        Broken::differs("bytes came where none were expected", b"", &self.conn.received)
    }

    /// Why not all of so many bytes came.
    fn missing(&self, expected: usize) -> String {
        let came = self.conn.received.len();
        match self.conn.ended {
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
