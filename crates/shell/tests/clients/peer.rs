//! A server for one client, played by the test: it reads requests and answers them as told, whatever they ask.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::SockRef;

use crate::rows::{LONG, Row, Wire};

/// What each request asks.
pub const COMMAND: &str = "echo hi";

/// An answer: how long it is said to be, and how much of it is sent.
pub type Answer = (usize, &'static [u8]);

/// What the peer does when it has answered.
#[derive(Clone, Copy, Debug)]
pub enum Then {
    Close,
    Reset,
    /// Says nothing more, until the client has left.
    Hold,
}

pub struct Peer {
    pub address: String,
    served: JoinHandle<()>,
}

impl Peer {
    pub fn start(row: Row, answers: &'static [Answer], then: Then) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let served = thread::spawn(move || serve(&listener, row, answers, then));
        Peer { address, served }
    }

    /// Waits until the client has been served.
    pub fn join(self) {
        self.served.join().unwrap();
    }
}

fn serve(listener: &TcpListener, row: Row, answers: &[Answer], then: Then) {
    let (mut conn, _) = listener.accept().unwrap();
    conn.set_read_timeout(Some(LONG)).unwrap();
    for answer in answers {
        read_request(&mut conn, row).unwrap();
        say(&mut conn, row, *answer).unwrap();
    }
    // After whole answers another request arrives. We read it, so that our close isn't a reset.
    if answers.iter().all(|(announced, body)| *announced == body.len()) {
        read_request(&mut conn, row).unwrap();
    }
    match then {
        Then::Close => {}
        Then::Reset => SockRef::from(&conn).set_linger(Some(Duration::ZERO)).unwrap(),
        Then::Hold => assert_eq!(conn.read(&mut [0]).unwrap_or(0), 0, "the client has left"),
    }
}

pub fn read_request(conn: &mut TcpStream, row: Row) -> io::Result<()> {
    conn.read_exact(&mut vec![0; row.request(COMMAND).len()])
}

fn say(conn: &mut TcpStream, row: Row, (announced, body): Answer) -> io::Result<()> {
    conn.write_all(&row.head(announced))?;
    if row.wire == Wire::Ack {
        conn.read_exact(&mut [0; b"OK".len()])?;
    }
    conn.write_all(body)
}
