//! The program `relay`, as you type it.
//!
//! | claim | test |
//! |---|---|
//! | the first line names the address, the second replays the schedule | `it_says_where_it_listens_and_what_it_does` |
//! | without a seed each run has a new one, and says it | `a_seed_of_its_own_is_told` |
//! | usage: exit 2, and what to try | `what_makes_no_sense` |
//! | no address to listen on: exit 3 | `an_address_that_is_taken` |
//! | told to end while busy: exit 0, the name of a Unix socket removed | `told_to_stop`; each signal: `ends.rs` |
//! | told twice while a server is silent about a handshake: at once, exit 130 | `told_twice` |
//! | no descriptor left: clients wait in the queue, and are served in their turn | `without_descriptors_clients_wait` |
//! | the server refuses: a line on stderr, and the relay keeps running | `a_refusal_is_said` |
//! | the trace shows what travelled, and who faces whom | `a_trace_of_the_pieces` |
//! | beyond loopback only with --allow-remote, and a warning | `what_makes_no_sense`, `beyond_loopback_it_warns` |
//! | `relay link` starts the program beside it | `a_link_is_a_program_of_its_own` |
//! | datagrams; more clients than are remembered at once | `datagrams`, `more_clients_than_it_remembers_are_answered_in_turn` |
//! | --help teaches | `help_shows_the_terminals` |

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;
use std::time::Duration;

use observe::Event;
use stage::{Finished, Program, Scratch, Signal, Stream};

const RELAY: &str = env!("CARGO_BIN_EXE_relay");
const LONG: Duration = Duration::from_secs(60);

fn start(args: &[&str]) -> Program {
    Program::start("relay", Command::new(RELAY).args(args)).unwrap()
}

fn run(args: &[&str]) -> Finished {
    start(args).wait(LONG).unwrap()
}

/// A relay on a free port in front of a server, its address, and the server.
fn before_a_server(args: &[&str]) -> (Program, String, TcpListener) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = server.local_addr().unwrap().to_string();
    let relay = start(&[&["--listen", "127.0.0.1:0", "--to", &to], args].concat());
    let address = relay.address().unwrap();
    (relay, address, server)
}

/// Waits for a line on stderr with these words in it.
fn complains(relay: &Program, words: &str) {
    let has = |line: &stage::Line| {
        line.stream == Stream::Stderr && String::from_utf8_lossy(&line.text).contains(words)
    };
    relay.wait_until(words, LONG, |lines| lines.iter().any(has).then_some(())).unwrap();
}

#[test]
fn it_says_where_it_listens_and_what_it_does() {
    let flags = "--cut 3,1,* --merge 20ms --delay 20..30 --rate 9000 --slow-close 7 --stall-after 5 --reset-after 6 --close-after 7 --direction to-client --seed 8";
    let (relay, address, _server) = before_a_server(&flags.split(' ').collect::<Vec<_>>());
    assert!(address.starts_with("127.0.0.1:") && !address.ends_with(":0"), "{address}");
    let told = relay.wait_for_line(Stream::Stdout, "schedule: ", LONG).unwrap();
    let schedule = "cut=3,1,* merge=20 delay=20..30 rate=9000 slow-close=7 stall-after=5 reset-after=6 close-after=7 direction=to-client seed=8";
    assert_eq!(told, format!("schedule: {schedule}"));

    // The printed schedule repeats the run.
    let (relay, _, _server) = before_a_server(&["--schedule", schedule]);
    assert_eq!(relay.wait_for_line(Stream::Stdout, "schedule: ", LONG).unwrap(), told);
    let (relay, _, _server) = before_a_server(&[]);
    relay.wait_for_line(Stream::Stdout, "schedule: idle", LONG).unwrap();
}

#[test]
fn a_seed_of_its_own_is_told() {
    let (relay, _, _server) = before_a_server(&["--cut", "random:1..7"]);
    let told = relay.wait_for_line(Stream::Stdout, "schedule: ", LONG).unwrap();
    let seed = told.strip_prefix("schedule: cut=random:1..7 seed=").unwrap();
    seed.parse::<u64>().unwrap();
}

#[test]
fn what_makes_no_sense() {
    for (args, said) in [
        (&["--cut", "1"][..], "--to"),
        (&[], "Three terminals"),
        (&["--to", "127.0.0.1:80", "--listen", "0.0.0.0:0"], "--allow-remote"),
        (&["--to", "localhost:80"], "names are not looked up"),
        (&["--to", "127.0.0.1:80", "--cut", "0"], "1 or more"),
        (&["--to", "127.0.0.1:80", "--delay", "1s"], "25ms"),
        (&["--to", "127.0.0.1:80", "--rate", "0"], "--rate"),
        (&["--to", "127.0.0.1:80", "--direction", "up"], "to-client"),
        (&["--to", "127.0.0.1:80", "--schedule", "cat=1"], "cut=1"),
        (&["--to", "127.0.0.1:80", "--schedule", "cut=1", "--merge", "3"], "cannot be used with"),
        (&["--to", "127.0.0.1:80", "--udp", "--cut", "1"], "--cut is not for --udp"),
        (&["--to", "127.0.0.1:80", "--drop", "0.5"], "--drop needs --udp"),
        (
            &["--to", "127.0.0.1:80", "--schedule", "drop=1 reorder=1"],
            "--drop, --reorder need --udp",
        ),
        (&["--to", "/tmp/x", "--udp"], "IP addresses only"),
        (&["--to", "127.0.0.1:80", "--trace", "/no/such/directory/file"], "--trace"),
    ] {
        let done = run(args);
        let complaint = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.code, Some(2), "{args:?}: {complaint}");
        assert!(complaint.contains(said), "{args:?}: {complaint}");
        assert_eq!(done.stdout, b"", "{args:?}");
    }
}

#[test]
fn a_link_is_a_program_of_its_own() {
    let done = run(&["link", "--help"]);
    match stage::binary("relay-link") {
        Ok(_) => {
            let said = String::from_utf8(done.stdout).unwrap();
            assert_eq!(done.code, Some(0), "{said}");
            assert!(said.contains("relay-link") && said.contains("--reorder"), "{said}");
        }
        // If it's missing, as when only this package was built, the relay says what to do.
        Err(_) => {
            let complaint = String::from_utf8(done.stderr).unwrap();
            assert_eq!(done.code, Some(2), "{complaint}");
            assert!(complaint.contains("cargo build --bins"), "{complaint}");
        }
    }
}

#[test]
fn beyond_loopback_it_warns() {
    let relay = start(&["--to", "127.0.0.1:80", "--listen", "0.0.0.0:0", "--allow-remote"]);
    complains(&relay, "other machines can connect");
}

#[test]
fn an_address_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let scratch = Scratch::new().unwrap();
    let file = scratch.path().join("file");
    fs::write(&file, "a file").unwrap();
    let nowhere = scratch.path().join("no/file");
    for (address, advice) in [
        (taken.local_addr().unwrap().to_string(), "another port"),
        (file.display().to_string(), "isn't a socket, and it stays as it is"),
        (nowhere.display().to_string(), "there is no directory"),
    ] {
        let done = run(&["--to", "127.0.0.1:80", "--listen", &address]);
        let complaint = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.code, Some(3), "{complaint}");
        assert!(complaint.contains(&format!("cannot listen on {address}")), "{complaint}");
        assert!(complaint.contains(advice), "{complaint}");
    }
    assert_eq!(fs::read(&file).unwrap(), b"a file");
}

#[test]
fn told_to_stop() {
    let scratch = Scratch::new().unwrap();
    let [front, back] =
        ["front", "back"].map(|name| scratch.path().join(name).display().to_string());
    let server = UnixListener::bind(&back).unwrap();
    for signal in [Signal::TERM, Signal::INT] {
        let relay = start(&["--listen", &front, "--to", &back, "--delay", "4000000"]);
        assert_eq!(relay.address().unwrap(), front);
        let mut client = UnixStream::connect(&front).unwrap();
        client.write_all(b"hello").unwrap();
        let _conn = server.accept().unwrap();
        relay.signal(signal);
        let done = relay.wait(LONG).unwrap();
        assert_eq!((done.code, done.signal), (Some(0), None), "{signal:?}");
        assert!(!fs::exists(&front).unwrap(), "its name is still there");
    }
}

/// Linux shows when the relay has begun to connect.
#[test]
#[cfg(target_os = "linux")]
fn told_twice() {
    use socket2::{Domain, SockAddr, Socket, Type};

    let server = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let anywhere: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    server.bind(&anywhere.into()).unwrap();
    server.listen(0).unwrap();
    let to = server.local_addr().unwrap().as_socket().unwrap();
    // One connection fills the queue for accept; the handshake of the next one is not answered.
    let _first = TcpStream::connect(to).unwrap();
    let is_silent = |to: &SockAddr| {
        let knock = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        knock.set_nonblocking(true).unwrap();
        let _ = knock.connect(to);
        knock.peer_addr().is_err()
    };
    assert!(is_silent(&to.into()), "the queue is longer than thought");

    let relay = start(&["--listen", "127.0.0.1:0", "--to", &to.to_string()]);
    let _client = TcpStream::connect(relay.address().unwrap()).unwrap();
    let syn_sent = format!(" 0100007F:{:04X} 02 ", to.port());
    while !fs::read_to_string("/proc/net/tcp").unwrap().contains(&syn_sent) {
        std::thread::yield_now();
    }
    relay.signal(Signal::TERM);
    relay.signal(Signal::INT);
    assert_eq!(relay.wait(LONG).unwrap().code, Some(130));

    // Told once, it waits until the server has timed out, and says so.
    let relay = start(&["--listen", "127.0.0.1:0", "--to", &to.to_string()]);
    let _client = TcpStream::connect(relay.address().unwrap()).unwrap();
    complains(&relay, "no handshake within 5s");
}

#[test]
fn without_descriptors_clients_wait() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = server.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for conn in server.incoming() {
            let mut conn = conn.unwrap();
            std::thread::spawn(move || std::io::copy(&mut conn.try_clone().unwrap(), &mut conn));
        }
    });
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", "ulimit -n 20 && exec \"$0\" \"$@\"", RELAY]);
    let relay = Program::start("relay", limited.args(["--listen", "127.0.0.1:0", "--to", &to]));
    let relay = relay.unwrap();
    let address = relay.address().unwrap();
    let clients: Vec<TcpStream> = (0..40).map(|_| TcpStream::connect(&address).unwrap()).collect();
    for mut client in clients {
        client.write_all(b"x").unwrap();
        client.read_exact(&mut [0]).unwrap();
    }
    let said = relay.said();
    let said: Vec<_> = said.iter().map(|line| String::from_utf8_lossy(&line.text)).collect();
    assert!(said.iter().any(|line| line.contains("accept failed")), "{said:?}");
    assert!(!said.iter().any(|line| line.contains("another user")), "{said:?}");
}

#[test]
fn a_refusal_is_said() {
    let (relay, address, server) = before_a_server(&[]);
    let to = server.local_addr().unwrap().to_string();
    drop(server);
    let mut client = TcpStream::connect(&address).unwrap();
    client.read(&mut [0; 1]).unwrap_err();
    relay
        .wait_until("the refusal", LONG, |lines| {
            let said = |line: &&stage::Line| {
                let text = String::from_utf8_lossy(&line.text);
                text.contains("refused") && text.contains(&to)
            };
            lines.iter().find(said).map(drop)
        })
        .unwrap();
    TcpStream::connect(&address).unwrap();
}

#[test]
fn a_trace_of_the_pieces() {
    let scratch = Scratch::new().unwrap();
    let file = scratch.path().join("trace").display().to_string();
    let (relay, address, server) =
        before_a_server(&["--cut", "3,*", "--trace", &file, "--direction", "to-server"]);
    let mut client = TcpStream::connect(&address).unwrap();
    let (mut conn, _) = server.accept().unwrap();
    client.write_all(b"hello").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    conn.read_to_end(&mut Vec::new()).unwrap();
    conn.write_all(b"hi").unwrap();
    drop(conn);
    client.read_to_end(&mut Vec::new()).unwrap();
    // Both ends have passed: the relay made every call that is expected below.
    relay.signal(Signal::TERM);
    assert_eq!(relay.wait(LONG).unwrap().code, Some(0));

    let trace = fs::read_to_string(&file).unwrap();
    let events: Vec<Event> =
        trace.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let conn_of = |call: &str| {
        events.iter().find(|event| event.call == call && event.error.is_none()).unwrap().conn
    };
    let (client, server) = (conn_of("accept"), conn_of("connect"));
    let moved = |conn: u64, call: &str| -> Vec<(u64, String)> {
        let events = events.iter().filter(|event| event.conn == conn && event.call == call);
        events
            .map(|event| {
                let data = event.data.clone().unwrap_or_default();
                (event.offset.unwrap(), String::from_utf8(data).unwrap())
            })
            .collect()
    };
    let calls = |calls: &[(u64, &str)]| {
        calls.iter().map(|(at, data)| (*at, (*data).to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(moved(client, "recv"), calls(&[(0, "hello"), (5, "")]));
    assert_eq!(moved(server, "send"), calls(&[(0, "hel"), (3, "lo")]));
    assert_eq!(moved(server, "recv"), calls(&[(0, "hi"), (2, "")]));
    assert_eq!(moved(client, "send"), calls(&[(0, "hi")]));
}

#[test]
fn datagrams() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(LONG)).unwrap();
    let to = server.local_addr().unwrap().to_string();
    let relay = start(&["--udp", "--listen", "127.0.0.1:0", "--to", &to, "--duplicate", "1"]);
    let address = relay.address().unwrap();
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"hello", address).unwrap();
    for _ in 0..2 {
        let mut buffer = [0; 10];
        let n = observe::uninterrupted(|| server.recv(&mut buffer)).unwrap();
        assert_eq!(&buffer[..n], b"hello");
    }
}

/// A client that has been forgotten counts as a new one: it is answered too.
#[test]
fn more_clients_than_it_remembers_are_answered_in_turn() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = server.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut buffer = [0; 10];
        loop {
            let (n, from) = server.recv_from(&mut buffer).unwrap();
            server.send_to(&buffer[..n], from).unwrap();
        }
    });
    // With the descriptors of 1024 clients, and with too few for them.
    for limit in ["$(ulimit -H -n)", "40"] {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("ulimit -n {limit} && exec \"$0\" \"$@\""), RELAY]);
        command.args(["--udp", "--listen", "127.0.0.1:0", "--to", &to]);
        let relay = Program::start("relay", &mut command).unwrap();
        let address = relay.address().unwrap();
        let first = UdpSocket::bind("127.0.0.1:0").unwrap();
        let ask = |client: &UdpSocket, number: u16| {
            client.set_read_timeout(Some(LONG)).unwrap();
            client.send_to(&number.to_be_bytes(), &address).unwrap();
            let mut answer = [0; 10];
            let n = observe::uninterrupted(|| client.recv(&mut answer)).unwrap();
            assert_eq!(answer[..n], number.to_be_bytes());
        };
        ask(&first, 0);
        for number in 1..=1_100 {
            ask(&UdpSocket::bind("127.0.0.1:0").unwrap(), number);
        }
        ask(&first, 1_101);
    }
}

#[test]
fn help_shows_the_terminals() {
    let done = run(&["--help"]);
    assert_eq!(done.code, Some(0));
    let help = String::from_utf8(done.stdout).unwrap();
    for line in [
        "1$ fix-ack-handshake-server",
        "2$ relay --to",
        "3$ fix-ack-handshake-client",
        "--cut <SIZES>",
    ] {
        assert!(help.contains(line), "{help}");
    }
}
