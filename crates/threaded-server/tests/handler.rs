//! What a handler can do wrong, and what a client can leave undone: the server goes on. In this process, so that the
//! handler is ours and its time for a frame is short. (The processes model needs a program of its own: `server.rs`.)
//!
//! | fault | test |
//! |---|---|
//! | a handler that panics, when a client comes and when it asks | `a_panic_ends_one_connection` |
//! | a client that never finishes its frame | `who_never_finishes_a_frame_is_given_up` |
//! | a client of which a part of the next frame is always there | `each_frame_has_its_own_time` |
//! | newcomers who come without end | `newcomers_without_end_delay_nobody` |
//! | a client that never reads its answer | `who_never_reads_is_given_up` |
//! | a handler that turns a client away, or answers for the last time | `turned_away_with_an_answer` |

#![expect(clippy::unwrap_used, clippy::panic, reason = "the handler of a test may fail")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use observe::{Failure, Socket};
use proto::request::RequestForm;
use shell::{Output, Peer, PeerGone, Shutdown};
use socket2::{Domain, SockAddr, Type};
use threaded_server::{Handler, Reply, Service, events, pool, serial, threads};

/// Long enough for a busy machine: a test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);
/// Between two tries: each is a connection, and a line of the server's.
const A_MOMENT: Duration = Duration::from_millis(10);

type Serve = fn(&Socket, &Service<Mood>) -> Result<(), Failure>;

const MODELS: [(&str, Serve); 4] = [
    ("serial", serial::serve),
    ("threads", threads::serve),
    ("pool", pool::serve),
    ("events", events::serve),
];

/// Answers with the request itself, unless the request says otherwise.
#[derive(Clone, Copy)]
enum Mood {
    Kind,
    PanicsAtOnce,
    TurnsAway,
    /// Turns everybody away, once this says where it listens, and is the next to come itself.
    HasNewcomers(&'static Mutex<Option<SocketAddr>>),
}

impl Handler for Mood {
    type Session = ();

    fn setup(&self, _: &Peer<'_>) -> Result<(), Output> {
        match self {
            Mood::Kind => Ok(()),
            Mood::PanicsAtOnce => panic!("this handler panics when a client comes"),
            Mood::TurnsAway => Err(said(b"not today")),
            Mood::HasNewcomers(address) => match *address.lock().unwrap() {
                Some(address) => {
                    drop(connect(address));
                    Err(said(b"not today"))
                }
                None => Ok(()),
            },
        }
    }

    fn handle(&self, (): &mut (), request: &[u8], _: &Peer<'_>) -> Result<Reply, PeerGone> {
        match request {
            b"panic" => panic!("this handler panics when it is asked"),
            b"bye" => Ok(Reply { output: said(b"bye"), last: true }),
            // More than the buffers of both sides hold.
            b"much" => Ok(Reply { output: said(&vec![b'x'; 64 << 20]), last: false }),
            _ => Ok(Reply { output: said(request), last: false }),
        }
    }
}

#[test]
fn a_panic_ends_one_connection() {
    for (model, serve) in MODELS {
        let address = start(serve, Mood::Kind, LONG);
        let (mut calm, mut other) = (connect(address), None);
        if model != "serial" {
            assert_eq!(ask(&mut calm, "a"), "a", "{model}");
            other = Some(calm);
        } else {
            drop(calm);
        }
        // More often than there are permits: a panic must give its permit back.
        for _ in 0..10 {
            assert_eq!(unless_refused(address, Some("panic")), b"", "{model}");
        }
        if let Some(mut calm) = other {
            assert_eq!(ask(&mut calm, "b"), "b", "{model}: the others do not notice");
        }
        assert_eq!(served(address, "c"), "c", "{model}");

        let address = start(serve, Mood::PanicsAtOnce, LONG);
        for _ in 0..10 {
            assert_eq!(unless_refused(address, None), b"", "{model}");
        }
    }
}

#[test]
fn who_never_finishes_a_frame_is_given_up() {
    let frame_timeout = Duration::from_millis(300);
    for (model, serve) in MODELS {
        let address = start(serve, Mood::Kind, frame_timeout);
        let mut conn = connect(address);
        let begun = Instant::now();
        conn.write_all(b"\x05\0\0\0he").unwrap();
        // The end of the stream, while we say nothing.
        assert_eq!(conn.read(&mut [0]).unwrap(), 0, "{model}");
        assert!(begun.elapsed() >= frame_timeout, "{model}");
        drop(conn);
        assert_eq!(served(address, "next"), "next", "{model}");
    }
}

/// Also if the first byte of the next frame always comes with the rest of the one before.
#[test]
fn each_frame_has_its_own_time() {
    let frame_timeout = Duration::from_millis(500);
    for (model, serve) in MODELS {
        let address = start(serve, Mood::Kind, frame_timeout);
        let mut conn = connect(address);
        conn.write_all(b"\x02").unwrap();
        let begun = Instant::now();
        while begun.elapsed() < 2 * frame_timeout {
            conn.write_all(b"\0\0\0hi\x02").unwrap();
            assert_eq!(answer(&mut conn), "hi", "{model}");
            // Not to wait for something: so that there are not thousands of them.
            thread::sleep(frame_timeout / 20);
        }
    }
}

/// Whenever one has been accepted, the next one is there. (The serial model serves nobody else meanwhile.)
#[test]
fn newcomers_without_end_delay_nobody() {
    static ADDRESS: Mutex<Option<SocketAddr>> = Mutex::new(None);
    for (model, serve) in MODELS.into_iter().filter(|(model, _)| *model != "serial") {
        let address = start(serve, Mood::HasNewcomers(&ADDRESS), LONG);
        let mut calm = connect(address);
        assert_eq!(ask(&mut calm, "a"), "a", "{model}");
        *ADDRESS.lock().unwrap() = Some(address);
        drop(connect(address));
        assert_eq!(ask(&mut calm, "b"), "b", "{model}");
        *ADDRESS.lock().unwrap() = None;
    }
}

#[test]
fn who_never_reads_is_given_up() {
    for (model, serve) in MODELS {
        let address = start(serve, Mood::Kind, Duration::from_millis(300));
        let mut conn = connect(address);
        send(&mut conn, "much");
        // The other three permits are taken, so the next client is served once this one is given up.
        let _others: Vec<TcpStream> = match model {
            "serial" => Vec::new(),
            _ => (0..3).map(|_| connect(address)).collect(),
        };
        assert_eq!(served(address, "next"), "next", "{model}");
        let mut came = Vec::new();
        // Cut short: by a reset, or by an end that comes too early.
        let _ = conn.read_to_end(&mut came);
        assert!(came.len() < 64 << 20, "{model}: {} bytes", came.len());
    }
}

#[test]
fn turned_away_with_an_answer() {
    for (model, serve) in MODELS {
        let address = start(serve, Mood::TurnsAway, LONG);
        let mut conn = connect(address);
        assert_eq!(answer(&mut conn), "not today", "{model}");
        assert_eq!(rest(conn), b"", "{model}");

        let mut conn = connect(start(serve, Mood::Kind, LONG));
        assert_eq!(ask(&mut conn, "bye"), "bye", "{model}");
        let _ = conn.write_all(b"\x01\0\0\0x");
        assert_eq!(rest(conn), b"", "{model}: nothing after the last answer");
    }
}

/// A server of four permits; it lives as long as this process.
fn start(serve: Serve, handler: Mood, frame_timeout: Duration) -> SocketAddr {
    static SHUTDOWN: OnceLock<Shutdown> = OnceLock::new();
    let shutdown = SHUTDOWN.get_or_init(|| Shutdown::on_signals().unwrap()).clone();
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    listener.bind(&SockAddr::from(any)).unwrap();
    listener.listen(128).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let (form, max_frame, max_connections) = (RequestForm::Framed, 1024, 4);
    let length_key = "data_len".to_owned();
    let service =
        Service { handler, form, max_frame, length_key, max_connections, frame_timeout, shutdown };
    thread::spawn(move || serve(&listener, &service).unwrap());
    address
}

fn said(stdout: &[u8]) -> Output {
    Output { stdout: stdout.to_vec(), ..Output::default() }
}

fn connect(address: SocketAddr) -> TcpStream {
    let conn = TcpStream::connect(address).unwrap();
    conn.set_read_timeout(Some(LONG)).unwrap();
    conn
}

fn send(conn: &mut TcpStream, request: &str) {
    let length = i32::try_from(request.len()).unwrap().to_le_bytes();
    conn.write_all(&[&length, request.as_bytes()].concat()).unwrap();
}

fn ask(conn: &mut TcpStream, request: &str) -> String {
    send(conn, request);
    answer(conn)
}

fn answer(conn: &mut TcpStream) -> String {
    let mut decoder = proto::Decoder::new(proto::json::JsonFraming::default());
    loop {
        if let Some(frame) = decoder.decode().unwrap() {
            return String::from_utf8(frame.body.to_vec()).unwrap();
        }
        let n = observe::uninterrupted(|| conn.read(decoder.space())).unwrap();
        assert_ne!(n, 0, "the stream ended before the answer");
        decoder.filled(n);
    }
}

/// Asks on new connections until one is served: a permit becomes free a moment after its client has seen the end.
fn served(address: SocketAddr, request: &str) -> String {
    let until = Instant::now() + LONG;
    loop {
        let said = ask(&mut connect(address), request);
        if !said.starts_with("refused: ") || Instant::now() > until {
            return said;
        }
        thread::sleep(A_MOMENT);
    }
}

/// What arrives up to the end of the stream, on a connection that found a permit.
fn unless_refused(address: SocketAddr, request: Option<&str>) -> Vec<u8> {
    let until = Instant::now() + LONG;
    loop {
        let mut conn = connect(address);
        if let Some(request) = request {
            send(&mut conn, request);
        }
        let came = rest(conn);
        if !String::from_utf8_lossy(&came).contains("refused: ") || Instant::now() > until {
            return came;
        }
        thread::sleep(A_MOMENT);
    }
}

/// What arrives up to the end of the stream.
fn rest(mut conn: TcpStream) -> Vec<u8> {
    let mut came = Vec::new();
    conn.read_to_end(&mut came).unwrap();
    came
}
