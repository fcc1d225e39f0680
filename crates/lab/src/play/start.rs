//! Starts the program: as a server on TCP, UDP or a Unix socket, or as a client of ours.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use relay::{Destination, Direction, Endpoint, Plan};
use stage::shell_quote;

use super::connection::wait_readable;
use super::network::in_brackets;
use super::patience::START_TIMEOUT;
use super::peer::Peer;
use super::port::{Port, Protocol};
use super::ready;
use super::student::Student;
use super::trial::Trial;
use crate::verdict::{CaseFailure, Fault};

impl Trial<'_> {
    /// Starts the program as a TCP server and waits until it listens.
    ///
    /// # Errors
    /// [`CaseFailure`] when it doesn't start, ends, or doesn't listen in time.
    pub fn start_tcp_server(&mut self) -> Result<(), CaseFailure> {
        self.start_server(Protocol::Tcp)
    }

    /// Starts the program as a UDP server and waits until its socket is bound.
    ///
    /// # Errors
    /// [`CaseFailure`] when it doesn't start, ends, or doesn't bind in time.
    pub fn start_udp_server(&mut self) -> Result<(), CaseFailure> {
        self.start_server(Protocol::Udp)
    }

    fn start_server(&mut self, protocol: Protocol) -> Result<(), CaseFailure> {
        let port = Port::free(protocol).map_err(|e| CaseFailure::machine("find a free port", e))?;
        let address = port.address;
        self.port = Some(port);
        self.start(address.to_string())?;
        self.address = Some(Endpoint::Ip(address));
        self.wait_ready(|| ready::is_bound(protocol, address), || !cfg!(target_os = "linux"))
    }

    /// Starts the program as a server of the Unix socket at `path` and waits until it listens.
    ///
    /// # Errors
    /// [`CaseFailure`] when it doesn't start, ends, or doesn't listen in time.
    pub fn start_unix_server(&mut self, path: PathBuf) -> Result<(), CaseFailure> {
        self.start(path.display().to_string())?;
        self.address = Some(Endpoint::Path(path.clone()));
        // A program may bind elsewhere and then link or rename the file. The kernel knows only the first name, so we
        // may have to connect.
        let ready =
            self.wait_ready(|| ready::listens_at(&path), || UnixStream::connect(&path).is_ok());
        // The case may be about what is at the path, so its own hint says more.
        ready.map_err(|failure| CaseFailure { hint: None, ..failure })
    }

    /// Starts the program as a client of ours, and accepts its connection. What we send goes through a relay with this
    /// schedule; we set its `direction`.
    ///
    /// # Errors
    /// [`CaseFailure`] when it doesn't start or doesn't connect in time.
    pub fn start_client(&mut self, schedule: &str) -> Result<Peer, CaseFailure> {
        let machine = |error| CaseFailure::machine("listen", error);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(machine)?;
        let address = listener.local_addr().map_err(machine)?;
        let schedule = self.network.parse(schedule, Direction::ToClient)?;
        let address = self.relayed(Endpoint::Ip(address), &schedule)?;
        self.start(address.to_string())?;
        self.step(format!("wait for the program to connect{}", in_brackets(&schedule)));
        listener.set_nonblocking(true).map_err(machine)?;
        let mut time = self.patience.wait_ready(START_TIMEOUT);
        let conn = loop {
            if let Ok((conn, _)) = listener.accept() {
                self.patience.begin();
                if let Some(student) = &self.student {
                    student.end_turn();
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
                        START_TIMEOUT.as_secs()
                    ),
                ));
            }
        };
        let plan = Plan::new(&schedule, Destination::Client, 0);
        Ok(self.peer(conn.into(), plan))
    }

    fn start(&mut self, address: String) -> Result<(), CaseFailure> {
        self.step(format!("start: {} ADDRESS", shell_quote(&self.submission.command)));
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
