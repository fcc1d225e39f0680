//! Plain programs at both ends of a relay: they use the standard library's sockets and know nothing about
//! the relay.

#![allow(dead_code, reason = "each file of tests uses its part")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use relay::{Endpoint, Relay};

/// Long enough for a busy machine: a test that passes never waits this long.
pub const LONG: Duration = Duration::from_secs(60);

/// A server that listens.
pub enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// One end of a connection.
pub enum Conn {
    Tcp(TcpStream),
    Unix(UnixStream),
}

pub fn listen(at: &Endpoint) -> Listener {
    match at {
        Endpoint::Ip(address) => Listener::Tcp(TcpListener::bind(address).unwrap()),
        Endpoint::Path(path) => Listener::Unix(UnixListener::bind(path).unwrap()),
    }
}

impl Listener {
    pub fn endpoint(&self) -> Endpoint {
        match self {
            Listener::Tcp(listener) => listener.local_addr().unwrap().into(),
            Listener::Unix(listener) => {
                listener.local_addr().unwrap().as_pathname().unwrap().to_path_buf().into()
            }
        }
    }

    pub fn accept(&self) -> Conn {
        patient(match self {
            Listener::Tcp(listener) => Conn::Tcp(listener.accept().unwrap().0),
            Listener::Unix(listener) => Conn::Unix(listener.accept().unwrap().0),
        })
    }
}

pub fn connect(to: &Endpoint) -> Conn {
    patient(match to {
        Endpoint::Ip(address) => Conn::Tcp(TcpStream::connect(address).unwrap()),
        Endpoint::Path(path) => Conn::Unix(UnixStream::connect(path).unwrap()),
    })
}

/// A read that waits forever would hang the test instead of failing it.
fn patient(conn: Conn) -> Conn {
    match &conn {
        Conn::Tcp(conn) => conn.set_read_timeout(Some(LONG)).unwrap(),
        Conn::Unix(conn) => conn.set_read_timeout(Some(LONG)).unwrap(),
    }
    conn
}

/// A relay in front of this server.
pub fn relay(server: &Listener, schedule: &str) -> Relay {
    let anywhere: Endpoint = "127.0.0.1:0".parse().unwrap();
    Relay::start(anywhere, server.endpoint(), schedule.parse().unwrap()).unwrap()
}

/// A client and its server, and between them a relay.
pub fn pair(schedule: &str) -> (Relay, Conn, Conn) {
    let server = listen(&"127.0.0.1:0".parse().unwrap());
    let relay = relay(&server, schedule);
    let client = connect(relay.address());
    let conn = server.accept();
    (relay, client, conn)
}

/// How many bytes each read returned, until there were this many, or the stream ended.
pub fn sizes(conn: &Conn, bytes: usize) -> Vec<usize> {
    let mut buffer = [0; 4096];
    let mut sizes = Vec::new();
    while sizes.iter().sum::<usize>() < bytes {
        match conn.receive(&mut buffer).unwrap() {
            0 => break,
            n => sizes.push(n),
        }
    }
    sizes
}

impl Conn {
    /// Sends all of it, in one send if the kernel has room.
    pub fn say(&self, bytes: &[u8]) {
        match self {
            Conn::Tcp(conn) => { conn }.write_all(bytes).unwrap(),
            Conn::Unix(conn) => { conn }.write_all(bytes).unwrap(),
        }
    }

    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Conn::Tcp(conn) => { conn }.read(buffer),
            Conn::Unix(conn) => { conn }.read(buffer),
        }
    }

    /// Half-close.
    pub fn end(&self) {
        match self {
            Conn::Tcp(conn) => conn.shutdown(Shutdown::Write).unwrap(),
            Conn::Unix(conn) => conn.shutdown(Shutdown::Write).unwrap(),
        }
    }

    pub fn tcp(&self) -> &TcpStream {
        match self {
            Conn::Tcp(conn) => conn,
            Conn::Unix(_) => panic!("not TCP"),
        }
    }

    /// Closes with a reset.
    pub fn reset(self) {
        socket2::SockRef::from(self.tcp()).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Waits until this many bytes are there to be read, and leaves them there.
    pub fn wait_for_bytes(&self, many: usize) {
        let deadline = std::time::Instant::now() + LONG;
        let mut buffer = vec![0; many + 1];
        while self.tcp().peek(&mut buffer).unwrap() < many {
            assert!(std::time::Instant::now() < deadline);
            std::thread::yield_now();
        }
    }
}

impl Read for Conn {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.receive(buffer)
    }
}

impl Write for Conn {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Conn::Tcp(conn) => conn.write(bytes),
            Conn::Unix(conn) => conn.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
