//! One case being played: the program, its hostile peers, and what was done so far.

use std::cell::RefCell;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use relay::{Direction, Endpoint, Plan, Random, Relay, Schedule, Toward};
use stage::{Finished, Scratch};

use super::connection::wait_readable;
use super::network::in_brackets;
use super::patience::{PATIENCE, Patience, READY};
use super::peer::Peer;
use super::port::{Port, Protocol};
use super::ready;
use super::recording::{Recording, picture};
use super::student::{self, Student};
use super::submission::Submission;
use crate::verdict::{CaseFailure, Fault, typed};

/// What was done so far, for the report; the peers write into it too.
pub(crate) type Steps = Rc<RefCell<Vec<String>>>;

/// The calls of one peer, which writes them down itself.
pub(crate) type Recorded = Rc<RefCell<Recording>>;

/// One case being played. Dropping it ends the program and all it started.
pub struct Trial<'a> {
    pub(crate) submission: &'a Submission,
    seed: u64,
    pub(crate) random: Random,
    pub(crate) steps: Steps,
    pub(crate) schedule: Schedule,
    pub(crate) patience: Rc<Patience>,
    pub(crate) student: Option<Student>,
    pub(crate) said: Vec<String>,
    /// The program's last argument.
    argument: String,
    pub(crate) address: Option<Endpoint>,
    pub(crate) peers: usize,
    pub(crate) recorded: Vec<Recorded>,
    // In this order they go: the relays, then what they lead to.
    pub(crate) relays: Vec<Relay>,
    _port: Option<Port>,
    scratch: Option<Scratch>,
}

impl<'a> Trial<'a> {
    pub(crate) fn new(case: &str, submission: &'a Submission, seed: u64) -> Trial<'a> {
        // Two cases of one check should not get the same data.
        let mixed = case
            .bytes()
            .fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        Trial {
            submission,
            seed,
            random: Random::seeded(mixed),
            steps: Steps::default(),
            schedule: Schedule::default(),
            patience: Rc::new(Patience::new()),
            student: None,
            said: Vec::new(),
            argument: String::new(),
            address: None,
            peers: 0,
            recorded: Vec::new(),
            relays: Vec::new(),
            _port: None,
            scratch: None,
        }
    }

    /// Notes what is done next. A failure shows all steps; the last one is the one that failed.
    pub fn step(&self, what: impl Into<String>) {
        self.steps.borrow_mut().push(what.into());
    }

    /// Starts the program as a TCP server and waits until it listens.
    ///
    /// # Errors
    /// [`CaseFailure`] when it does not start, ends, or does not listen in time.
    pub fn start_tcp_server(&mut self) -> Result<(), CaseFailure> {
        self.start_server(Protocol::Tcp)
    }

    /// Starts the program as a UDP server and waits until its socket is bound.
    ///
    /// # Errors
    /// [`CaseFailure`] when it does not start, ends, or does not bind in time.
    pub fn start_udp_server(&mut self) -> Result<(), CaseFailure> {
        self.start_server(Protocol::Udp)
    }

    fn start_server(&mut self, protocol: Protocol) -> Result<(), CaseFailure> {
        let port = Port::free(protocol).map_err(|e| CaseFailure::machine("find a free port", e))?;
        let address = port.address;
        self._port = Some(port);
        self.start(address.to_string())?;
        self.address = Some(Endpoint::Ip(address));
        self.wait_ready(|| ready::is_bound(protocol, address), || !cfg!(target_os = "linux"))
    }

    /// Starts the program as a server of the Unix socket at `path` and waits until it listens.
    ///
    /// # Errors
    /// [`CaseFailure`] when it does not start, ends, or does not listen in time.
    pub fn start_unix_server(&mut self, path: PathBuf) -> Result<(), CaseFailure> {
        self.start(path.display().to_string())?;
        self.address = Some(Endpoint::Path(path.clone()));
        // A program may bind elsewhere and then link or rename the file: the kernel knows the first name only.
        let ready =
            self.wait_ready(|| ready::listens_at(&path), || UnixStream::connect(&path).is_ok());
        // What lies at the path is what a case may be about: its own hint says more.
        ready.map_err(|failure| CaseFailure { hint: None, ..failure })
    }

    /// Starts the program as a client of ours, and accepts its connection. What we send passes a relay with this
    /// schedule; `direction` is ours to set.
    ///
    /// # Errors
    /// [`CaseFailure`] when it does not start or does not connect in time.
    pub fn start_client(&mut self, schedule: &str) -> Result<Peer, CaseFailure> {
        let machine = |error| CaseFailure::machine("listen", error);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(machine)?;
        let address = listener.local_addr().map_err(machine)?;
        let schedule = self.parse(schedule, Direction::ToClient)?;
        let address = self.relayed(Endpoint::Ip(address), &schedule)?;
        self.start(address.to_string())?;
        self.step(format!("wait for the program to connect{}", in_brackets(&schedule)));
        listener.set_nonblocking(true).map_err(machine)?;
        let mut time = self.patience.wait_ready(READY);
        let conn = loop {
            if let Ok((conn, _)) = listener.accept() {
                self.patience.begin();
                if let Some(student) = &self.student {
                    student.is_ready();
                }
                break conn;
            }
            if let Some(how) = self.ended(Duration::ZERO) {
                let what = format!("the program ended ({how}) before it connected");
                return Err(CaseFailure::ended(what));
            }
            if !wait_readable(&listener, Duration::from_millis(20)) && time.is_over() {
                return Err(CaseFailure::new(
                    Fault::Silent,
                    format!(
                        "the program did not connect to the address (its last argument) within {} s",
                        READY.as_secs()
                    ),
                ));
            }
        };
        let plan = Plan::new(&schedule, Toward::Client, 0);
        Ok(self.peer(conn.into(), plan))
    }

    /// Waits until the program has ended by itself.
    ///
    /// # Errors
    /// [`CaseFailure`] when it has not in time.
    pub fn wait_exit(&mut self) -> Result<Finished, CaseFailure> {
        self.wait_exit_within(PATIENCE)
    }

    /// As [`wait_exit`](Trial::wait_exit), of a program that may have much to read still.
    ///
    /// # Errors
    /// [`CaseFailure`] when it has not ended within this time, or within that of the case.
    pub fn wait_exit_within(&mut self, within: Duration) -> Result<Finished, CaseFailure> {
        self.step("wait for the program to end");
        let Some(student) = self.student.take() else {
            return Err(CaseFailure::machine("wait", "the case has started no program"));
        };
        self.said = student.said();
        let finished = student.wait(&self.patience, within)?;
        self.said = student::last_lines(&finished.lines);
        Ok(finished)
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

    /// Gives the case so much time from now on. Without it, it has 8 s once the program is ready, or after a silence.
    pub fn allow(&self, time: Duration) {
        self.patience.allow(time);
    }

    /// Does what would fill pages of the report as one step. Peers that connect in it stay silent.
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
        self.schedule.to_string()
    }

    /// What the last peers sent and received, as an SVG file; empty if they did neither.
    pub(crate) fn picture(&self, title: &str) -> String {
        let peers: Vec<Recording> = self.recorded.iter().map(|peer| peer.take()).collect();
        picture(title, &peers)
    }

    /// The last lines of the program.
    pub(crate) fn said(&self) -> Vec<String> {
        let said = self.student.as_ref().map_or_else(|| self.said.clone(), Student::said);
        with_address(said, &self.argument)
    }

    /// Whether it has ended with an error, or printed one of those that end a thread.
    pub(crate) fn has_failed(&self) -> bool {
        let error = |line: &String| {
            line.contains("Traceback (most recent call last)") || line.contains("panicked at")
        };
        let ended = self.student.as_ref().is_some_and(Student::has_failed);
        ended || self.said().iter().any(error)
    }

    fn start(&mut self, address: String) -> Result<(), CaseFailure> {
        self.step(format!("start: {} ADDRESS", typed(&self.submission.command)));
        self.argument.clone_from(&address);
        let student = Student::start(self.submission, address)?;
        self.patience.with(student.pid());
        self.student = Some(student);
        Ok(())
    }

    fn wait_ready(
        &self,
        bound: impl FnMut() -> bool,
        believed: impl Fn() -> bool,
    ) -> Result<(), CaseFailure> {
        let Some(student) = &self.student else { return Ok(()) };
        student.wait_ready(bound, believed, &self.patience)?;
        self.patience.begin();
        Ok(())
    }
}

/// The lines with `ADDRESS` for the program's address, as in the steps: each run has another one, and two gradings should
/// agree.
pub(crate) fn with_address(lines: Vec<String>, address: &str) -> Vec<String> {
    if address.is_empty() {
        return lines;
    }
    lines.into_iter().map(|line| line.replace(address, "ADDRESS")).collect()
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if let Some(student) = &self.student {
            student.stop();
        }
    }
}
