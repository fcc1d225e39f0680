//! One case being played: the program, its hostile peers, and what has been done so far.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use relay::{Endpoint, Plan, Schedule};
use socket2::Socket;
use stage::Scratch;
use timeline::Event;

use super::network::Network;
use super::patience::Patience;
use super::peer::Peer;
use super::port::Port;
use super::recording::{Form, Recording, SharedRecording, picture};
use super::steps::Steps;
use super::student::Student;
use super::submission::Submission;
use crate::verdict::CaseFailure;

/// One case being played. Dropping it ends the program and everything it started.
pub struct Trial<'a> {
    pub(super) submission: &'a Submission,
    seed: u64,
    pub(crate) steps: Steps,
    pub(crate) patience: Rc<Patience>,
    pub(super) student: Option<Student>,
    /// The last lines of a program that has ended.
    pub(super) said: Vec<String>,
    /// The program's last argument.
    pub(super) argument: String,
    pub(crate) address: Option<Endpoint>,
    peers: usize,
    recorded: Vec<SharedRecording>,
    // Fields are dropped in this order: the relays first, then what they lead to.
    pub(super) network: Network,
    pub(super) port: Option<Port>,
    scratch: Option<Scratch>,
}

impl<'a> Trial<'a> {
    pub(crate) fn new(case: &str, submission: &'a Submission, seed: u64) -> Trial<'a> {
        // Two cases of one check shouldn't get the same data.
        let mixed = case
            .bytes()
            .fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        Trial {
            submission,
            seed,
            steps: Steps::default(),
            patience: Rc::new(Patience::new()),
            student: None,
            said: Vec::new(),
            argument: String::new(),
            address: None,
            peers: 0,
            recorded: Vec::new(),
            network: Network::seeded(mixed),
            port: None,
            scratch: None,
        }
    }

    /// Records what is done next. A failure shows all steps; the last one is the one that failed.
    pub fn step(&self, what: impl Into<String>) {
        self.steps.borrow_mut().push(what.into());
    }

    /// A directory of the trial's own, for Unix sockets. Only this user can enter it.
    ///
    /// # Errors
    /// [`CaseFailure`] when the system refuses.
    pub fn folder(&mut self) -> Result<PathBuf, CaseFailure> {
        if self.scratch.is_none() {
            let made = Scratch::new().map_err(|e| CaseFailure::machine("make a directory", e))?;
            self.scratch = Some(made);
        }
        Ok(self.scratch.as_ref().map(|made| made.path().to_owned()).unwrap_or_default())
    }

    /// Gives the case this much time from now on. Without it, it has 8 s once the program is ready, or after a silence.
    pub fn allow(&self, time: Duration) {
        self.patience.allow(time);
    }

    /// Reports many actions as a single step. Peers that connect in it add no steps either.
    pub fn quietly<T>(
        &mut self,
        step: impl Into<String>,
        what: impl FnOnce(&mut Trial<'a>) -> T,
    ) -> T {
        self.step(step);
        let noted = std::mem::take(&mut self.steps);
        let done = what(self);
        self.steps = noted;
        done
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn steps(&self) -> Vec<String> {
        self.steps.borrow().clone()
    }

    pub(crate) fn schedule(&self) -> String {
        self.network.schedule().to_string()
    }

    /// What the last peers sent and received, and what strace saw of the program; empty if no bytes were sent or
    /// received.
    pub(crate) fn picture(&self, title: &str, form: Form, program: &[Event]) -> String {
        let peers: Vec<Recording> = self.recorded.iter().map(|peer| peer.take()).collect();
        picture(title, form, &peers, program)
    }

    /// Ends the program now.
    pub(crate) fn stop(&self) {
        if let Some(student) = &self.student {
            student.stop();
        }
    }

    /// The last lines of the program.
    pub(crate) fn said(&self) -> Vec<String> {
        let said = self.student.as_ref().map_or_else(|| self.said.clone(), Student::said);
        with_address(said, &self.argument)
    }

    /// Whether it has ended with an error, or printed an error that ends a thread.
    pub(crate) fn has_failed(&self) -> bool {
        let error = |line: &String| {
            line.contains("Traceback (most recent call last)") || line.contains("panicked at")
        };
        let ended = self.student.as_ref().is_some_and(Student::has_failed);
        ended || self.said().iter().any(error)
    }

    pub(crate) fn ended(&self, within: Duration) -> Option<String> {
        self.student.as_ref().and_then(|student| student.ended(within))
    }

    /// Where to connect to reach `to` with this schedule: a relay in front of it, or `to` itself if nothing is to be
    /// disturbed.
    pub(crate) fn relayed(
        &mut self,
        to: Endpoint,
        schedule: &Schedule,
    ) -> Result<Endpoint, CaseFailure> {
        if *schedule == Schedule::default() {
            return Ok(to);
        }
        let listen = match &to {
            Endpoint::Ip(_) => Endpoint::Ip(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            Endpoint::Path(_) => {
                Endpoint::Path(self.folder()?.join(format!("relay-{}", self.network.relays())))
            }
        };
        self.network.relay(listen, to, schedule)
    }

    pub(crate) fn peer(&mut self, socket: Socket, plan: Plan) -> Peer {
        let name = self.next_name();
        let peer = Peer::new(name, socket, plan, Rc::clone(&self.steps), Rc::clone(&self.patience));
        self.recorded.push(peer.recorded());
        peer
    }

    /// What the report calls the next peer.
    pub(crate) fn next_name(&mut self) -> String {
        self.peers += 1;
        match self.peers {
            1 => "the peer".to_owned(),
            number => format!("peer {number}"),
        }
    }
}

/// The lines with `ADDRESS` in place of the program's address, as in the steps: the address is different in every run,
/// and two gradings should agree.
pub(crate) fn with_address(lines: Vec<String>, address: &str) -> Vec<String> {
    if address.is_empty() {
        return lines;
    }
    lines.into_iter().map(|line| line.replace(address, "ADDRESS")).collect()
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}
