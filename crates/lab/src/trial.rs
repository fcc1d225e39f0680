//! One case being played: the program, its hostile peers, and what was done so far.

use std::cell::RefCell;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use relay::{Direction, Endpoint, Plan, Random, Relay, Schedule, Toward};
use socket2::{Domain, SockAddr, Socket, Type};
use stage::{Finished, Scratch};

use crate::connection::wait_readable;
use crate::patience::Patience;
use crate::port::{Port, Protocol};
use crate::student::{self, Student};
use crate::typed::typed;
use crate::{Broken, PATIENCE, Peer, READY, Submission, ready};

/// What was done so far, for the report; the peers write into it too.
pub(crate) type Steps = Rc<RefCell<Vec<String>>>;

/// One case being played. Dropping it ends the program and all it started.
pub struct Trial<'a> {
    pub(crate) submission: &'a Submission,
    seed: u64,
    pub(crate) random: Random,
    pub(crate) steps: Steps,
    schedule: Schedule,
    pub(crate) patience: Rc<Patience>,
    pub(crate) student: Option<Student>,
    pub(crate) said: Vec<String>,
    pub(crate) address: Option<Endpoint>,
    pub(crate) peers: usize,
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
            address: None,
            peers: 0,
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
    /// [`Broken`] when it does not start, ends, or does not listen in time.
    pub fn start_tcp_server(&mut self) -> Result<(), Broken> {
        self.start_server(Protocol::Tcp)
    }

    /// Starts the program as a UDP server and waits until its socket is bound.
    ///
    /// # Errors
    /// [`Broken`] when it does not start, ends, or does not bind in time.
    pub fn start_udp_server(&mut self) -> Result<(), Broken> {
        self.start_server(Protocol::Udp)
    }

    fn start_server(&mut self, protocol: Protocol) -> Result<(), Broken> {
        let port = Port::free(protocol).map_err(|e| Broken::machine("find a free port", e))?;
        let address = port.address;
        self._port = Some(port);
        self.start(address.to_string())?;
        self.address = Some(Endpoint::Ip(address));
        self.wait_ready(|| ready::is_bound(protocol, address), || !cfg!(target_os = "linux"))
    }

    /// Starts the program as a server of the Unix socket at `path` and waits until it listens.
    ///
    /// # Errors
    /// [`Broken`] when it does not start, ends, or does not listen in time.
    pub fn start_unix_server(&mut self, path: PathBuf) -> Result<(), Broken> {
        self.start(path.display().to_string())?;
        self.address = Some(Endpoint::Path(path.clone()));
        // A program may bind elsewhere and then link or rename the file: the kernel knows the first name only.
        self.wait_ready(|| ready::listens_at(&path), || UnixStream::connect(&path).is_ok())
    }

    /// Starts the program as a client of ours, and accepts its connection. What we send passes a relay with this
    /// schedule; `direction` is ours to set.
    ///
    /// # Errors
    /// [`Broken`] when it does not start or does not connect in time.
    pub fn start_client(&mut self, schedule: &str) -> Result<Peer, Broken> {
        let machine = |error| Broken::machine("listen", error);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(machine)?;
        let address = listener.local_addr().map_err(machine)?;
        let schedule = self.parse(schedule, Direction::ToClient)?;
        let address = self.relayed(Endpoint::Ip(address), &schedule)?;
        self.start(address.to_string())?;
        self.step(format!("wait for the program to connect ({schedule})"));
        listener.set_nonblocking(true).map_err(machine)?;
        let mut time = self.patience.wait_ready(READY);
        let conn = loop {
            if let Ok((conn, _)) = listener.accept() {
                self.patience.begin();
                break conn;
            }
            if let Some(how) = self.ended(Duration::ZERO) {
                return Err(Broken::new(format!("the program ended ({how}) before it connected")));
            }
            if !wait_readable(&listener, Duration::from_millis(20)) && time.is_over() {
                return Err(Broken::new(format!(
                    "the program did not connect to the address (its last argument) within {} s",
                    READY.as_secs()
                )));
            }
        };
        let plan = Plan::new(&schedule, Toward::Client, 0);
        Ok(self.peer(conn.into(), plan))
    }

    /// Connects a peer to the server, through a relay with this schedule: `cut=1`, `cut=random:1..7`, `idle` for none. The
    /// seed is the trial's. Without `direction=` it is what the peer sends that is disturbed.
    ///
    /// # Errors
    /// [`Broken`] when the server does not accept.
    pub fn connect(&mut self, schedule: &str) -> Result<Peer, Broken> {
        let schedule = self.parse(schedule, Direction::ToServer)?;
        let Some(server) = self.address.clone() else {
            return Err(Broken::machine("connect", "the case has started no server"));
        };
        let address = self.relayed(server, &schedule)?;
        self.step(format!("a peer connects ({schedule})"));
        let socket = dial(&address).map_err(|error| {
            let what = format!("the program does not accept a connection: {error}");
            self.or_ended(Broken::new(what))
        })?;
        let plan = Plan::new(&schedule, Toward::Server, 0);
        Ok(self.peer(socket, plan))
    }

    /// Why the next peer was not served: if the program has ended by itself, that it has. Else it would be chance whether
    /// the peer came just before its end or behind it, and what it saw.
    pub fn or_ended(&self, broken: Broken) -> Broken {
        match self.ended(Duration::from_millis(500)) {
            Some(how) => {
                Broken::new(format!("the program has ended ({how}): it serves nobody more"))
            }
            None => broken,
        }
    }

    fn ended(&self, within: Duration) -> Option<String> {
        self.student.as_ref().and_then(|student| student.ended(within))
    }

    /// Waits until the program has ended by itself.
    ///
    /// # Errors
    /// [`Broken`] when it has not in time.
    pub fn wait_exit(&mut self) -> Result<Finished, Broken> {
        self.step("wait for the program to end");
        let Some(student) = self.student.take() else {
            return Err(Broken::machine("wait", "the case has started no program"));
        };
        self.said = student.said();
        let finished = student.wait(&self.patience)?;
        self.said = student::last_lines(&finished.lines);
        Ok(finished)
    }

    /// A directory of the trial's own, for Unix sockets. Only this user can enter it.
    ///
    /// # Errors
    /// [`Broken`] when the system refuses.
    pub fn folder(&mut self) -> Result<PathBuf, Broken> {
        if self.scratch.is_none() {
            let made = Scratch::new().map_err(|e| Broken::machine("make a directory", e))?;
            self.scratch = Some(made);
        }
        Ok(self.scratch.as_ref().map(|made| made.path().to_owned()).unwrap_or_default())
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

    pub(crate) fn said(&self) -> Vec<String> {
        self.student.as_ref().map_or_else(|| self.said.clone(), Student::said)
    }

    fn start(&mut self, address: String) -> Result<(), Broken> {
        self.step(format!("start: {} ADDRESS", typed(&self.submission.command)));
        let student = Student::start(self.submission, address)?;
        self.patience.with(student.pid());
        self.student = Some(student);
        Ok(())
    }

    fn wait_ready(
        &self,
        bound: impl FnMut() -> bool,
        believed: impl Fn() -> bool,
    ) -> Result<(), Broken> {
        let Some(student) = &self.student else { return Ok(()) };
        student.wait_ready(bound, believed, &self.patience)?;
        self.patience.begin();
        Ok(())
    }

    pub(crate) fn parse(&mut self, schedule: &str, usual: Direction) -> Result<Schedule, Broken> {
        let mut parsed: Schedule = schedule
            .parse()
            .map_err(|error| Broken::machine("understand the case's schedule", error))?;
        if parsed.direction == Direction::Both && parsed != Schedule::default() {
            parsed.direction = usual;
        }
        if parsed.has_chance() {
            parsed.seed = self.random.between(1, 999_999);
        }
        if parsed != Schedule::default() {
            self.schedule = parsed.clone();
        }
        Ok(parsed)
    }

    /// Where to connect to reach `to` with this schedule: behind a relay, or directly when nothing is to be disturbed.
    fn relayed(&mut self, to: Endpoint, schedule: &Schedule) -> Result<Endpoint, Broken> {
        if *schedule == Schedule::default() {
            return Ok(to);
        }
        let listen = match &to {
            Endpoint::Ip(_) => Endpoint::Ip(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            Endpoint::Path(_) => {
                Endpoint::Path(self.folder()?.join(format!("relay-{}", self.relays.len())))
            }
        };
        let relay = Relay::start(listen, to, schedule.clone())
            .map_err(|error| Broken::machine("start the relay", error))?;
        let address = relay.address().clone();
        self.relays.push(relay);
        Ok(address)
    }

    fn peer(&mut self, socket: Socket, plan: Plan) -> Peer {
        self.peers += 1;
        let name = match self.peers {
            1 => "the peer".to_owned(),
            number => format!("peer {number}"),
        };
        Peer::new(name, socket, plan, Rc::clone(&self.steps), Rc::clone(&self.patience))
    }
}

/// A connection; 127.0.0.1 answers at once, a full queue of a Unix socket not.
pub(crate) fn dial(address: &Endpoint) -> io::Result<Socket> {
    let address = match address {
        Endpoint::Ip(address) => SockAddr::from(*address),
        Endpoint::Path(path) => SockAddr::unix(path)?,
    };
    let socket = Socket::new(Domain::from(i32::from(address.family())), Type::STREAM, None)?;
    socket.connect_timeout(&address, PATIENCE)?;
    Ok(socket)
}
