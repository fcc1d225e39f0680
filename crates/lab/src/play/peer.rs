//! One connection of the hostile peer. Each call is a step of the report.

use std::net::Shutdown;
use std::rc::Rc;
use std::time::Duration;

use relay::{Decision, Plan};
use socket2::Socket;

use super::connection::{Comparison, Connection, Ended, KEPT};
use super::patience::{PATIENCE, Patience};
use super::recording::{Recording, SharedRecording};
use super::steps::Steps;
use super::waits::{MOMENT, outwait};
use crate::verdict::{CaseFailure, Fault, ROW, quote, quote_cut};

/// A connection to the student's program. Dropping it closes it.
pub struct Peer {
    name: String,
    conn: Connection,
    plan: Plan,
    steps: Steps,
    recorded: SharedRecording,
    /// It has ended its side of the stream.
    has_ended: bool,
    pub(crate) patience: Rc<Patience>,
}

/// From this many bytes on, a report doesn't show the bytes that arrived: how far a program got in a long stream is
/// chance.
const LONG: usize = 64 << 10;

impl Peer {
    pub(crate) fn new(
        name: String,
        socket: Socket,
        plan: Plan,
        steps: Steps,
        patience: Rc<Patience>,
    ) -> Peer {
        let recorded = SharedRecording::new(Recording::of(&name).into());
        let conn = Connection::new(socket, Rc::clone(&patience), Rc::clone(&recorded));
        Peer { name, conn, plan, steps, recorded, has_ended: false, patience }
    }

    /// Sends all of it without reading meanwhile.
    ///
    /// If the program closes the connection meanwhile, the next thing that is expected shows that. Whether it is
    /// already noticed here would be chance.
    ///
    /// # Errors
    /// [`CaseFailure`] when the program reads nothing for so long that the kernel's buffers stay full.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), CaseFailure> {
        let shown = self.cuts(bytes);
        self.step(format!("sends {shown}"));
        self.conn.send(bytes)
    }

    /// Sends all of it and reads at the same time, like a peer with two threads; then as [`expect`](Peer::expect).
    ///
    /// # Errors
    /// As [`send`](Peer::send) and [`expect`](Peer::expect).
    pub fn exchange(&mut self, bytes: &[u8], expected: &[u8]) -> Result<(), CaseFailure> {
        let shown = self.cuts(bytes);
        self.step(format!("sends {shown}, reads as it sends, and expects {}", quote(expected)));
        self.conn.exchange(bytes, expected)?;
        self.compare(expected)
    }

    /// Like [`exchange`](Peer::exchange), but the peer starts reading only when nothing more fits into the kernel's
    /// buffers: by then the program can't send any more either, unless it has read everything.
    ///
    /// # Errors
    /// As [`exchange`](Peer::exchange).
    pub fn exchange_late(&mut self, bytes: &[u8], expected: &[u8]) -> Result<(), CaseFailure> {
        let shown = self.cuts(bytes);
        let then = "reads only when nothing more fits into the buffers";
        self.step(format!("sends {shown}, {then}, and expects {}", quote(expected)));
        self.conn.exchange_late(bytes, expected)?;
        self.compare(expected)
    }

    /// Sends as much of it as fits into the kernel's buffers, reads nothing, and returns how much that was: at least
    /// 100,000 bytes, with small buffers (`Trial::connect_narrow`) and a program that has stopped reading.
    pub fn fill(&mut self, bytes: &[u8]) -> usize {
        self.step("sends until nothing more fits into the buffers, and reads nothing");
        let sent = self.conn.fill(bytes);
        self.recorded.borrow_mut().sends(&bytes[..sent], &[sent]);
        sent
    }

    /// Sends nothing for longer than the program seems ready to wait: see `waits.rs`.
    ///
    /// # Errors
    /// [`CaseFailure`] when the program ends the connection meanwhile, or sends something.
    pub fn keep_silent(&mut self) -> Result<(), CaseFailure> {
        self.step("stays silent");
        let stirred = outwait(&self.patience, &self.steps, |silent| {
            self.conn.stirs(MOMENT).then_some(silent)
        })?;
        stirred.map_or(Ok(()), |silent| Err(self.impatient(silent)))
    }

    /// Sends nothing and reads nothing, for as long as [`keep_silent`](Peer::keep_silent): the program may have
    /// something to send, and has to wait until it can.
    ///
    /// # Errors
    /// [`CaseFailure`] when the program keeps the processor busy meanwhile.
    pub fn stay_away(&mut self) -> Result<(), CaseFailure> {
        self.step("sends nothing and reads nothing");
        let waited = outwait(&self.patience, &self.steps, |_| {
            std::thread::sleep(MOMENT);
            None::<()>
        });
        waited.map(drop)
    }

    fn impatient(&mut self, after: Duration) -> CaseFailure {
        self.conn.read_soon(1);
        let seconds = after.as_secs_f32();
        let what = match (self.conn.received.is_empty(), self.conn.ended) {
            (false, _) => "sent something, though nothing was due,",
            (true, Some(Ended::Orderly)) => "ended the connection",
            (true, _) => "broke the connection",
        };
        let what = format!("the program {what} after the peer had been silent for {seconds:.1} s");
        match self.conn.received.as_slice() {
            [] => CaseFailure::new(Fault::Impatient, what),
            came => CaseFailure::differs(Fault::Impatient, what, b"", came),
        }
    }

    /// Reads this many bytes and compares them.
    ///
    /// # Errors
    /// [`CaseFailure`] at the first byte that differs, at the end of the stream, and when nothing comes in time.
    pub fn expect(&mut self, expected: &[u8]) -> Result<(), CaseFailure> {
        self.step(format!("expects {}", quote(expected)));
        self.compare(expected)
    }

    /// Expects everything that [`fill`](Peer::fill) has sent to come back. How much that was is chance, and the report
    /// should be the same each time, so it gives no number, and shows bytes only if they are wrong.
    ///
    /// # Errors
    /// As [`expect`](Peer::expect).
    pub fn expect_back(&mut self, sent: &[u8]) -> Result<(), CaseFailure> {
        self.step("reads back everything it has sent");
        self.compare(sent).map_err(|failure| match failure.fault {
            Fault::Wrong => failure,
            _ => self.missing(None),
        })
    }

    /// Reads exactly this many bytes; `what` names them in the report: `the length of the answer`.
    ///
    /// # Errors
    /// [`CaseFailure`] when the stream ends earlier, or nothing comes in time.
    pub fn receive(&mut self, what: &str, length: usize) -> Result<Vec<u8>, CaseFailure> {
        self.step(format!("reads {what}: {length} bytes"));
        self.recorded.borrow_mut().expects(length);
        self.conn.read_until(|received| received.len() >= length);
        if self.conn.received.len() < length {
            return Err(self.missing(Some(length)));
        }
        Ok(self.conn.received.drain(..length).collect())
    }

    /// Ends its side of the stream, and can still read: a half-close, `shutdown(SHUT_WR)`.
    ///
    /// # Errors
    /// None that a program can cause. If the connection is already gone, the next thing that is expected shows that.
    pub fn end(&mut self) -> Result<(), CaseFailure> {
        self.step("ends its side of the stream (half-close)");
        self.has_ended = true;
        let _ = self.conn.socket.shutdown(Shutdown::Write);
        Ok(())
    }

    /// Expects the end of the stream, and nothing before it.
    ///
    /// # Errors
    /// [`CaseFailure`] when bytes come, a reset, or nothing in time.
    pub fn expect_end(&mut self) -> Result<(), CaseFailure> {
        self.step("expects the end of the stream");
        self.conn.read_until(|received| !received.is_empty());
        match self.conn.ended {
            _ if !self.conn.received.is_empty() => Err(self.extra()),
            Some(Ended::Orderly) => Ok(()),
            Some(Ended::Reset | Ended::Flooded) => Err(CaseFailure::new(
                Fault::Reset,
                "the connection didn't end normally: it was reset",
            )),
            None => Err(self.open("end")),
        }
    }

    /// Expects that the program closes the connection, with an end or a reset, and sends nothing before it.
    ///
    /// # Errors
    /// [`CaseFailure`] when bytes come, or the connection stays open.
    pub fn expect_closed(&mut self) -> Result<(), CaseFailure> {
        self.step("expects the program to close the connection");
        self.conn.read_until(|received| !received.is_empty());
        match self.conn.ended {
            _ if !self.conn.received.is_empty() => Err(self.extra()),
            Some(_) => Ok(()),
            None => Err(self.open("close")),
        }
    }

    /// Reads everything until the program closes the connection, with an end or a reset; `what` names it in the report.
    ///
    /// # Errors
    /// [`CaseFailure`] when the connection stays open, or more arrives than any answer can have.
    pub fn read_to_end(&mut self, what: &str) -> Result<Vec<u8>, CaseFailure> {
        self.step(format!("reads {what}, until the program closes the connection"));
        self.conn.read_until(|_| false);
        match self.conn.ended {
            Some(Ended::Flooded) => Err(CaseFailure::new(
                Fault::Extra,
                format!("the program doesn't stop sending: more than {} MiB came", KEPT >> 20),
            )),
            Some(_) => Ok(std::mem::take(&mut self.conn.received)),
            None => Err(self.open("close")),
        }
    }

    /// The port of its own end, if it has one.
    pub(crate) fn port(&self) -> Option<u16> {
        let address = self.conn.socket.local_addr().ok()?;
        Some(address.as_socket()?.port())
    }

    /// Closes the connection like a program that ends, without reading what has arrived.
    pub fn close(self) {
        self.step("closes the connection");
    }

    /// Aborts the connection with a reset.
    pub fn reset(self) {
        self.step("resets the connection");
        // A linger time of zero makes close a reset (socket(7), SO_LINGER).
        let _ = self.conn.socket.set_linger(Some(Duration::ZERO));
    }

    /// Reports many actions as a single step, such as `asks 10 times`.
    pub fn quietly<T>(&mut self, step: &str, what: impl FnOnce(&mut Peer) -> T) -> T {
        self.step(step);
        let noted = std::mem::take(&mut self.steps);
        let done = what(self);
        self.steps = noted;
        done
    }

    /// Where its calls are recorded.
    pub(crate) fn recorded(&self) -> SharedRecording {
        Rc::clone(&self.recorded)
    }

    fn step(&self, what: impl AsRef<str>) {
        self.steps.borrow_mut().push(format!("{} {}", self.name, what.as_ref()));
    }

    fn compare(&mut self, expected: &[u8]) -> Result<(), CaseFailure> {
        self.recorded.borrow_mut().expects(expected.len());
        let mut judged = Comparison::default();
        self.conn.read_until(|received| judged.is_decided(expected, received));
        if judged.wrong {
            self.conn.read_soon(judged.same / ROW * ROW + ROW);
            let came = &self.conn.received[..self.conn.received.len().min(expected.len())];
            let what = "the bytes that came are wrong";
            return Err(CaseFailure::differs(Fault::Wrong, what, expected, came));
        }
        if self.conn.received.len() < expected.len() {
            let failure = self.missing(Some(expected.len()));
            return Err(match expected.len() {
                // How much of a long stream has arrived is chance, so the report leaves the bytes out.
                LONG.. => failure,
                _ => {
                    CaseFailure::differs(failure.fault, failure.what, expected, &self.conn.received)
                }
            });
        }
        self.conn.received.drain(..expected.len());
        Ok(())
    }

    fn extra(&mut self) -> CaseFailure {
        self.conn.read_soon(ROW);
        let what = "bytes came where none were expected";
        CaseFailure::differs(Fault::Extra, what, b"", &self.conn.received)
    }

    fn open(&self, verb: &str) -> CaseFailure {
        let within = PATIENCE.as_secs();
        CaseFailure::new(
            Fault::Open,
            format!("the program did not {verb} the connection within {within} s"),
        )
    }

    /// Why fewer bytes arrived than expected; `None` if that number is chance.
    fn missing(&self, expected: Option<usize>) -> CaseFailure {
        let came = self.conn.received.len();
        let (all, so_far) = match expected {
            Some(length) => (format!("{length} bytes"), format!("{came} of {length} bytes")),
            None => ("what the peer sent".into(), format!("{came} bytes of what the peer sent")),
        };
        if self.conn.ended.is_some() {
            return CaseFailure::new(
                Fault::Short,
                format!("the program closed the connection after {so_far}"),
            );
        }
        if let Some(seconds) = self.conn.slow() {
            return CaseFailure::new(Fault::Slow, format!("in {seconds:.1} s {so_far} came"));
        }
        let fault = if self.has_ended { Fault::SilentAfterEnd } else { Fault::Silent };
        let within = PATIENCE.as_secs();
        let what = match came {
            0 => format!("nothing came within {within} s, and {all} were due"),
            _ => format!("{so_far} came, and no more within {within} s"),
        };
        CaseFailure::new(fault, what)
    }

    /// The bytes as the program will see them, cut by the relay.
    fn cuts(&mut self, bytes: &[u8]) -> String {
        let mut pieces = Vec::new();
        let mut left = bytes.len();
        while let Decision::Send(n) = self.plan.next(left) {
            self.plan.passed(n);
            pieces.push(n);
            left -= n;
        }
        self.recorded.borrow_mut().sends(bytes, &pieces);
        if pieces.len() > 1 { quote_cut(bytes, &pieces) } else { quote(bytes) }
    }
}

#[cfg(test)]
mod tests {
    use relay::{Destination, Schedule};
    use socket2::{Domain, Type};

    use super::*;

    #[test]
    fn how_much_a_filled_connection_took_is_not_in_the_report() {
        let what = |sent: &[u8]| {
            let (ours, program) = Socket::pair(Domain::UNIX, Type::STREAM, None).unwrap();
            let plan = Plan::new(&Schedule::default(), Destination::Server, 0);
            let patience = Rc::new(Patience::new());
            let mut peer = Peer::new("peer".into(), ours, plan, Steps::default(), patience);
            program.send(&sent[..5]).unwrap();
            drop(program);
            peer.expect_back(sent).unwrap_err().what
        };
        assert_eq!(
            what(&[7; 10]),
            "the program closed the connection after 5 bytes of what the peer sent"
        );
        assert_eq!(what(&[7; 10]), what(&[7; 100_000]));
    }
}
