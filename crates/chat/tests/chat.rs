//! Real programs in one chat: ours, Python's, and plain sockets as `nc` would be; and one that doesn't read.
//!
//! | fault | test |
//! |---|---|
//! | a client that doesn't read | `one_that_does_not_read_is_disconnected_and_holds_up_nobody`, `a_stopped_client_learns_it` |
//! | the same, and it goes on talking | `one_that_only_talks_is_disconnected_too` |
//! | somebody pastes a page | `a_pasted_page_costs_a_reader_nothing` |
//! | a line in pieces, two in one, one without an end | `lines_come_whole`, `a_line_without_an_end`, `half_a_line_is_not_said` |
//! | a reset | `a_reset_is_news`, `a_reset_is_news_at_once` |
//! | no descriptor left | `without_a_descriptor_only_newcomers_wait`, `without_a_descriptor_python_goes_on` |
//! | two want one name, or a strange one | `two_want_one_name`, `a_name_is_letters_digits_and_chinese_characters` |
//! | a server that doesn't close | `our_client_waits_only_so_long_for_a_close` |
//! | the naive one stops for everybody | `the_naive_chat_waits_for_the_one_that_does_not_read` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use stage::{Program, Signal, Stream};

/// Long enough for a loaded machine: a test that passes never waits so long.
const LONG: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Rust,
    Python,
}

#[test]
fn each_client_talks_to_each() {
    for at in sides() {
        for one in sides() {
            for other in sides() {
                let server = server_of(at);
                let address = server.address().unwrap();
                let mut ann = client(one, &address, "ann");
                hears(&ann, "* welcome, ann: nobody else is here yet");
                let mut bob = client(other, &address, "李雷");
                hears(&ann, "* 李雷 is here");
                hears(&bob, "* welcome, 李雷: also here: ann");
                ann.write("你好\n".as_bytes()).unwrap();
                hears(&bob, "ann: 你好");
                bob.write(b"hello\n\x1b[2J\n").unwrap();
                hears(&ann, "李雷: hello");
                hears(&ann, "李雷: \\u{1b}[2J");
                ann.close_stdin();
                hears(&bob, "* ann has left");
                let ended = ann.wait(LONG).unwrap();
                let who = format!("{one:?} with {other:?} at {at:?}");
                assert_eq!((ended.code, ended.stderr), (Some(0), vec![]), "{who}");
            }
        }
    }
}

#[test]
fn lines_come_whole() {
    let server = server(&[]);
    let (mut ann, mut bob) = ann_and_bob(&server);
    for byte in b"hello\r\n" {
        bob.conn.write_all(&[*byte]).unwrap();
    }
    bob.conn.write_all(b"one\ntwo\n\nthr").unwrap();
    bob.conn.write_all(b"ee\n").unwrap();
    let came: Vec<String> = (0..5).map(|_| ann.line()).collect();
    assert_eq!(came, ["bob: hello", "bob: one", "bob: two", "bob: ", "bob: three"]);
}

#[test]
fn one_that_does_not_read_is_disconnected_and_holds_up_nobody() {
    check_slow(&server(&["--queue", "10"]), 10);
    if stage::python().is_some() {
        check_slow(&server_of(Side::Python), 100);
    }
}

fn check_slow(server: &Program, queue: usize) {
    let address = server.address().unwrap();
    let mut ann = Peer::join(&address, "ann");
    let mut bob = Peer::join(&address, "bob");
    let mut carol = Peer::join(&address, "carol");
    assert_eq!((ann.line(), ann.line()), ("* bob is here".into(), "* carol is here".into()));
    assert_eq!(bob.line(), "* carol is here");
    // Bob reads each before Ann says the next. So only Carol's queue can fill up.
    let long = "x".repeat(1000);
    let mut said = 0;
    let news = loop {
        ann.conn.write_all(format!("{said} {long}\n").as_bytes()).unwrap();
        let line = bob.line();
        if line.starts_with('*') {
            break line;
        }
        assert_eq!(line, format!("ann: {said} {long}"));
        said += 1;
        assert!(said < 100_000, "the queue has no limit");
    };
    let expected =
        format!("* carol is disconnected: {queue} messages were waiting, and it didn't read");
    assert_eq!((&news, &ann.line()), (&expected, &expected));
    // What was said last came before the news or comes after; and it goes on.
    bob.conn.write_all(b"still here\n").unwrap();
    assert_eq!(ann.line(), "bob: still here");

    // Carol still reads what her kernel has: whole lines, in order; then she learns it.
    let mut came = Vec::new();
    let error = carol.conn.read_to_end(&mut came).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let came = String::from_utf8(came).unwrap();
    let whole: Vec<&str> = came.split_inclusive('\n').filter(|line| line.ends_with('\n')).collect();
    assert!(whole.len() < said, "{} of {said}", whole.len());
    for (number, line) in whole.iter().enumerate() {
        assert_eq!(*line, format!("ann: {number} {long}\n"));
    }
}

#[test]
fn one_that_only_talks_is_disconnected_too() {
    let server = server(&["--queue", "10"]);
    let address = server.address().unwrap();
    let mut ann = Peer::join(&address, "ann");
    let mut carol = Peer::join(&address, "carol");
    assert_eq!(ann.line(), "* carol is here");
    carol.conn.set_nonblocking(true).unwrap();
    until_news(&mut ann, "* carol is disconnected: 10 messages were waiting", || {
        // Not every one of them arrives: a kernel with a full receive buffer may drop ACKs, too.
        let _ = carol.conn.write(b"me\n");
    });
}

#[test]
fn a_stopped_client_learns_it() {
    let server = server(&["--queue", "5"]);
    let address = server.address().unwrap();
    let mut ann = Peer::join(&address, "ann");
    let carol = client(Side::Rust, &address, "carol");
    assert_eq!(ann.line(), "* carol is here");
    carol.signal(Signal::STOP);
    until_news(&mut ann, "* carol is disconnected", || {});
    carol.signal(Signal::CONT);
    let ended = carol.wait(LONG).unwrap();
    assert_eq!(ended.code, Some(4), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn a_pasted_page_costs_a_reader_nothing() {
    let server = server(&[]);
    let (mut ann, mut bob) = ann_and_bob(&server);
    // In one piece, more than the buffers and the queue hold.
    let long = "x".repeat(1000);
    let page: String = (0..300).map(|number| format!("{number} {long}\n")).collect();
    ann.conn.write_all(page.as_bytes()).unwrap();
    for number in 0..300 {
        assert_eq!(bob.line(), format!("ann: {number} {long}"));
    }
}

#[test]
fn a_line_without_an_end() {
    for side in sides() {
        let server = server_of(side);
        let (mut ann, mut bob) = ann_and_bob(&server);
        bob.conn.write_all("x".repeat(1025).as_bytes()).unwrap();
        assert_eq!(ann.line(), "* bob is disconnected: a line of more than 1024 bytes", "{side:?}");
        assert_eq!(bob.line(), "* that line is too long: goodbye");
        assert_eq!(bob.line(), "", "the end of the stream");
    }
}

#[test]
fn half_a_line_is_not_said() {
    for side in sides() {
        let server = server_of(side);
        let (mut ann, mut bob) = ann_and_bob(&server);
        bob.conn.write_all(b"hello\nhel").unwrap();
        bob.conn.shutdown(Shutdown::Write).unwrap();
        assert_eq!(ann.line(), "bob: hello");
        let news = "* bob is gone: the stream ended inside a line, after 3 bytes of it";
        assert_eq!(ann.line(), news, "{side:?}");
    }
}

#[test]
fn a_name_is_letters_digits_and_chinese_characters() {
    for side in sides() {
        let server = server_of(side);
        let address = server.address().unwrap();
        let mut ann = Peer::join(&address, "ann");
        let mut bob = Peer::join(&address, "b-o_b7");
        assert_eq!(ann.line(), "* b-o_b7 is here");
        drop(Peer::join(&address, "韩梅梅"));
        assert_eq!(ann.line(), "* 韩梅梅 is here");
        assert_eq!(ann.line(), "* 韩梅梅 has left");
        // A blank letter, a Cyrillic one, and one of full width.
        for bad in ["\u{3164}", "\u{430}nn", "\u{ff41}nn", "a b", ""] {
            let mut conn = Peer::connect(&address);
            conn.conn.write_all(format!("{bad}\n").as_bytes()).unwrap();
            let said = conn.line();
            assert!(said.starts_with("* that isn't a name"), "{side:?}, {bad:?}: {said}");
        }
        bob.conn.write_all(b"bye\n").unwrap();
        assert_eq!(ann.line(), "b-o_b7: bye");
    }
}

#[test]
fn two_want_one_name() {
    for side in sides() {
        let server = server_of(side);
        let address = server.address().unwrap();
        for round in 0..50 {
            let mut two = [Peer::connect(&address), Peer::connect(&address)];
            for one in &mut two {
                one.conn.write_all(format!("ann{round}\n").as_bytes()).unwrap();
            }
            let welcome = two.iter_mut().map(Peer::line).filter(|it| it.starts_with("* welcome"));
            assert_eq!(welcome.count(), 1, "{side:?}, round {round}");
        }
    }
}

#[test]
fn a_reset_is_news() {
    let server = server(&[]);
    let (mut ann, bob) = ann_and_bob(&server);
    ann.conn.write_all(b"hello\n").unwrap();
    // Closed with unread bytes (RFC 2525, 2.17). Whether they have come by then, we see.
    bob.conn.peek(&mut [0]).unwrap();
    drop(bob);
    let news = ann.line();
    assert!(news.starts_with("* bob is gone: Connection reset"), "{news}");
}

/// Lines that were still to be heard don't hide it. In the meantime poll would report it again and again.
#[test]
fn a_reset_is_news_at_once() {
    const WAITING: usize = 4000;
    let server = server(&[]);
    let (mut ann, mut bob) = ann_and_bob(&server);
    ann.conn.write_all(b"hello\n").unwrap();
    bob.conn.peek(&mut [0]).unwrap();
    bob.conn.write_all(&[b'\n'; WAITING]).unwrap();
    // The server has these, and hears 100 in a second.
    assert_eq!(ann.line(), "bob: ");
    drop(bob);
    let mut heard = 1;
    let news = loop {
        match ann.line() {
            line if line == "bob: " => heard += 1,
            line => break line,
        }
    };
    assert!(news.starts_with("* bob is gone: Connection reset"), "{news}");
    assert!(heard < WAITING / 2, "{heard} lines before the news");
}

/// It waits, and nobody waits with it: neither in a pause of the loop, nor because the loop does nothing but try again.
#[test]
fn without_a_descriptor_only_newcomers_wait() {
    const SAID: usize = 30;
    // Each call is a line of the log.
    let server =
        with_16_descriptors(&[env!("CARGO_BIN_EXE_chat-server"), "--listen", "127.0.0.1:0", "-v"]);
    let address = server.address().unwrap();
    let mut ann = Peer::join(&address, "ann");
    let mut bob = Peer::join(&address, "bob");
    assert_eq!(ann.line(), "* bob is here");
    let crowd: Vec<Peer> = (0..16).map(|_| Peer::connect(&address)).collect();
    let failed = |lines: &[stage::Line]| {
        let said = lines.iter().map(|line| String::from_utf8_lossy(&line.text));
        said.filter(|line| line.contains("Too many open files")).count()
    };
    server.wait_until("no descriptor", LONG, |lines| (failed(lines) > 0).then_some(())).unwrap();
    let before = failed(&server.said());
    for number in 0..SAID {
        ann.conn.write_all(format!("{number}\n").as_bytes()).unwrap();
        assert_eq!(bob.line(), format!("ann: {number}"));
    }
    let tried = failed(&server.said()) - before;
    assert!(tried < SAID / 2, "{tried} tries while {SAID} lines were passed on");
    // Those who leave make room.
    drop(crowd);
    drop(Peer::join(&address, "carol"));
    assert_eq!(ann.line(), "* carol is here");
}

#[test]
fn without_a_descriptor_python_goes_on() {
    let Some(python) = stage::python() else { return };
    let script = format!("{}/tests/peers/server.py", env!("CARGO_MANIFEST_DIR"));
    let server = with_16_descriptors(&[python.to_str().unwrap(), &script, "127.0.0.1:0"]);
    let address = server.address().unwrap();
    let mut ann = Peer::join(&address, "ann");
    let crowd: Vec<Peer> = (0..16).map(|_| Peer::connect(&address)).collect();
    server.wait_for_line(Stream::Stderr, "server.py: [Errno 24]", LONG).unwrap();
    drop(crowd);
    let mut bob = Peer::join(&address, "bob");
    assert_eq!(ann.line(), "* bob is here");
    ann.conn.write_all(b"hello\n").unwrap();
    assert_eq!(bob.line(), "ann: hello");
}

fn with_16_descriptors(command: &[&str]) -> Program {
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", "ulimit -n 16; exec \"$@\"", "sh"]).args(command);
    Program::start("server", &mut limited).unwrap()
}

#[test]
fn our_client_waits_only_so_long_for_a_close() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-client"));
    command.args(["--connect", &address, "--timeout", "1", "ann"]);
    let mut client = Program::start("ann", &mut command).unwrap();
    let (mut conn, _) = listener.accept().unwrap();
    client.close_stdin();
    let mut said = String::new();
    conn.read_to_string(&mut said).unwrap(); // its half-close
    conn.write_all(b"bye\n").unwrap();
    let ended = client.wait(LONG).unwrap();
    let complaint = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!((&*said, &*ended.stdout), ("ann\n", &b"bye\n"[..]));
    assert!(ended.code == Some(6) && complaint.contains("doesn't close"), "{complaint}");
}

#[test]
fn our_client_says_what_went_wrong() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    for (said, code, what) in [
        (vec![], 4, "the server closed the connection"),
        (vec![b'x'; 20_000], 5, "expected lines of at most 16384 bytes"),
    ] {
        let client = client(Side::Rust, &address, "ann");
        let (mut conn, _) = listener.accept().unwrap();
        conn.read_exact(&mut [0; 4]).unwrap();
        conn.write_all(&said).unwrap();
        // It may have given up already.
        let _ = conn.shutdown(Shutdown::Both);
        // To wait for its end would end its input first, and then it has left by itself.
        client.wait_for_line(Stream::Stderr, "chat-client: ", LONG).unwrap();
        let ended = client.wait(LONG).unwrap();
        let complaint = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(ended.code == Some(code) && complaint.contains(what), "{complaint}");
    }
}

#[test]
fn the_naive_chat_waits_for_the_one_that_does_not_read() {
    if stage::python().is_none() {
        return;
    }
    let server = peer("naive.py", &["0"]);
    let address = server.address().unwrap();
    let connect = || TcpStream::connect(&address).unwrap();
    let (mut ann, mut carol, mut bob) = (connect(), connect(), connect());
    // All three are in the list, in this order, when each has been heard.
    for conn in [&mut ann, &mut carol, &mut bob] {
        conn.set_read_timeout(Some(LONG)).unwrap();
        conn.write_all(b"!").unwrap();
    }
    // Ann talks until nothing goes any more: Carol's buffers are full, and Ann's thread waits for her.
    ann.set_nonblocking(true).unwrap();
    bob.set_nonblocking(true).unwrap();
    let (mut last, mut buffer) = (Instant::now(), vec![0; 1 << 16]);
    while last.elapsed() < Duration::from_millis(300) {
        if ann.write(&buffer).is_ok() || bob.read(&mut buffer).is_ok() {
            last = Instant::now();
        }
    }
    // What proves that it was Carol: as she reads, it goes on.
    while ann.write(b"on we go").is_err() {
        assert!(carol.read(&mut buffer).unwrap() > 0);
        // Bob is not the one that it waits for.
        let _ = bob.read(&mut buffer);
    }
}

/// Both in the chat, and ann knows it.
fn ann_and_bob(server: &Program) -> (Peer, Peer) {
    let address = server.address().unwrap();
    let mut ann = Peer::join(&address, "ann");
    let bob = Peer::join(&address, "bob");
    assert_eq!(ann.line(), "* bob is here");
    (ann, bob)
}

/// A client as `nc` would be one.
struct Peer {
    conn: TcpStream,
    lines: BufReader<TcpStream>,
}

impl Peer {
    fn connect(address: &str) -> Peer {
        let conn = TcpStream::connect(address).unwrap();
        conn.set_read_timeout(Some(LONG)).unwrap();
        let lines = BufReader::new(conn.try_clone().unwrap());
        Peer { conn, lines }
    }

    /// Joins, and has been heard.
    fn join(address: &str, name: &str) -> Peer {
        let mut peer = Peer::connect(address);
        peer.conn.write_all(format!("no name\n{name}\n").as_bytes()).unwrap();
        assert_eq!(peer.line(), "* that isn't a name, or it's taken: choose another");
        assert!(peer.line().starts_with(&format!("* welcome, {name}: ")));
        peer
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }
}

/// Says long lines, until the news comes.
fn until_news(peer: &mut Peer, news: &str, mut each_time: impl FnMut()) {
    let line = format!("{}\n", "x".repeat(1000));
    peer.conn.set_nonblocking(true).unwrap();
    let (start, mut came, mut sent) = (Instant::now(), String::new(), 0);
    while !came.contains(news) {
        assert!(start.elapsed() < LONG, "no news: {came:.200}");
        if let Ok(n) = peer.conn.write(&line.as_bytes()[sent..]) {
            sent = (sent + n) % line.len();
        }
        each_time();
        let mut buffer = [0; 4096];
        if let Ok(n) = peer.conn.read(&mut buffer) {
            came += &String::from_utf8_lossy(&buffer[..n]);
        }
    }
}

fn sides() -> Vec<Side> {
    if stage::python().is_some() { vec![Side::Rust, Side::Python] } else { vec![Side::Rust] }
}

fn server(args: &[&str]) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
    Program::start("server", command.args(["--listen", "127.0.0.1:0"]).args(args)).unwrap()
}

fn server_of(side: Side) -> Program {
    match side {
        Side::Rust => server(&[]),
        Side::Python => peer("server.py", &["127.0.0.1:0"]),
    }
}

fn client(side: Side, address: &str, name: &str) -> Program {
    match side {
        Side::Rust => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_chat-client"));
            Program::start(name, command.args(["--connect", address, name])).unwrap()
        }
        Side::Python => peer("client.py", &[address, name]),
    }
}

fn peer(name: &str, args: &[&str]) -> Program {
    let mut python = Command::new(stage::python().unwrap());
    python.arg(format!("{}/tests/peers/{name}", env!("CARGO_MANIFEST_DIR"))).args(args);
    Program::start(name, python.env("PYTHONIOENCODING", "utf-8")).unwrap()
}

fn hears(program: &Program, line: &str) {
    program.wait_for_line(Stream::Stdout, line, LONG).unwrap();
}
