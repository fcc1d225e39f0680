//! Pictures of what strace saw of programs in several languages. The recordings in `tests/strace` are real runs, without
//! the lines about files.
//!
//! | claim | test |
//! |---|---|
//! | Python: a recv that took two messages | `two_messages_in_one_recv` |
//! | C: a child for each connection, sendmsg and recvmsg, calls that others interrupt | `children_are_their_program` |
//! | Java: threads, IPv4 in IPv6 sockets, big-endian lengths byte by byte | `threads_are_their_program` |
//! | Unix sockets: bound or not, the ends are found | `unix_sockets` |
//! | datagrams, one of them cut | `datagrams` |
//! | bytes that strace doesn't see: sendfile, splice, `-s` | `what_was_not_seen_is_said` |
//! | a socket from before; without -ttt, without -yy; a cut last line | `what_cannot_be_drawn_is_said` |
//! | MSG_PEEK, EAGAIN, EINPROGRESS, shutdown, a shared socket's close | `calls_that_move_nothing` |
//! | the texts of chapter 15 are drawn from its recordings | `the_chapter_shows_what_is_drawn` |
//! | a program under strace today gives the same picture as its recording | `a_program_of_today_is_drawn_like_its_recording` |
//! | a direction without bytes where a call failed | `a_reset_before_an_answer_is_said` |
//! | descriptors that are closed, reused, duplicated, inherited; the same addresses again | `descriptors_are_reused_and_shared` |
//! | two threads at once, bytes thrown away, sequenced packets | `what_nobody_can_know_is_said` |
//! | strace without -f | `recordings_without_process_numbers` |
//! | a datagram that begins like another, an empty one | `datagrams_that_are_like_others` |
//! | messages that stop: not recorded, or never arrived | `a_framing_says_why_it_stops` |
//! | whatever the file says: no panic, and an answer | `nothing_in_a_file_makes_it_panic` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use stage::Scratch;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use timeline::{Connection, Direction, Framing, Trace, connections, page, read_trace};

const STRACE: [&str; 8] = [
    "-f",
    "-ttt",
    "-yy",
    "-xx",
    "-s",
    "1000000",
    "-e",
    "trace=network,read,write,readv,writev,close,sendfile,splice",
];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strace").join(name)
}

/// The connections that carried something, and what is missing in the recordings.
fn seen(names: &[&str]) -> (Vec<Connection>, Vec<String>) {
    let traces: Vec<Trace> = names.iter().map(|name| read_trace(&file(name)).unwrap()).collect();
    let events: Vec<_> = traces.iter().flat_map(|trace| trace.events.clone()).collect();
    let remarks = traces.into_iter().flat_map(|trace| trace.remarks).collect();
    let mut all = connections(&events, &[]);
    all.retain(|connection| !connection.stream(Direction::ToServer).unwrap().is_empty());
    (all, remarks)
}

/// The trace that these lines of strace give.
fn read(lines: &str) -> Result<Trace, String> {
    let scratch = Scratch::new().unwrap();
    let path = scratch.path().join("run.strace");
    std::fs::write(&path, lines).unwrap();
    read_trace(&path).map_err(|error| error.to_string())
}

fn to_server(connection: &Connection) -> timeline::Stream {
    connection.stream(Direction::ToServer).unwrap()
}

#[test]
fn two_messages_in_one_recv() {
    let (all, remarks) = seen(&["glued.client.strace", "glued.server.strace"]);
    let [only] = &all[..] else { panic!("{all:?}") };
    assert_eq!(remarks, Vec::<String>::new());
    assert_eq!(only.ends(), "127.0.0.1:52726 to 127.0.0.1:17001");
    assert_eq!(
        to_server(only).text(100),
        "\
offset       0            12              27          40
             ┌────────────┬───────────────┬───────────┐
client send  │BUY 100 ACME│SELL 20 INITECH│CANCEL 77 €│
             ├────────────┼───────────────┴───────────┤
server recv  │BUY 100 ACME│SELL 20 INITECH╎CANCEL 77 €│
             └────────────┴───────────────────────────┘
             recv 1: 12 bytes = message 1 \"BUY 100 ACME\"
             recv 2: 28 bytes = 2 messages glued: message 2 \"SELL 20 INITECH\" + message 3 \"CANCEL 77
                     €\"
             recv 3: 0 bytes = end of stream
"
    );
}

#[test]
fn children_are_their_program() {
    let (all, remarks) = seen(&["fork.client.strace", "fork.server.strace"]);
    assert_eq!((all.len(), remarks.len()), (2, 0), "{remarks:?}");
    for connection in &all {
        let stream = to_server(connection);
        let lens: Vec<usize> = stream.reads().iter().map(|read| read.len).collect();
        assert_eq!(lens, if lens[1] == 19 { [8, 19, 8, 4, 0] } else { [8, 12, 8, 41, 0] });
        assert!(stream.reads().iter().all(|read| read.unknown == 0), "both ends agree");
        // The parent's close of its copy is not the end.
        let last = connection.server.last().unwrap();
        assert_eq!(last.call, "close");
        let closes = connection.server.iter().filter(|event| event.call == "close");
        assert_eq!(closes.count(), 1);
    }
}

#[test]
fn threads_are_their_program() {
    let (all, remarks) = seen(&["java.client.strace", "java.server.strace"]);
    assert_eq!((all.len(), remarks.len()), (3, 0), "{remarks:?}");
    for connection in &all {
        let stream = connection.stream(Direction::ToClient).unwrap();
        let stream = stream.framed(&Framing::PrefixBigEndian);
        let words = stream.text(100);
        assert!(words.contains("recv 1 to 4: 1 byte each, the framing of message 1"), "{words}");
        assert!(!words.contains("these are bytes"), "{words}");
    }
}

#[test]
fn unix_sockets() {
    let (all, remarks) = seen(&["unix.client.strace", "unix.server.strace"]);
    assert_eq!((all.len(), remarks.len()), (2, 0), "{remarks:?}");
    for (connection, lens) in all.iter().zip([[7, 8, 0].as_slice(), &[9, 5]]) {
        let reads = to_server(connection).reads();
        assert_eq!(reads.iter().map(|read| read.len).collect::<Vec<_>>(), lens);
        assert!(reads.iter().all(|read| !read.glued() && !read.cut() && read.unknown == 0));
    }
}

#[test]
fn datagrams() {
    let (all, remarks) = seen(&["udp.client.strace", "udp.server.strace"]);
    let [only] = &all[..] else { panic!("{all:?}") };
    assert_eq!(remarks, Vec::<String>::new());
    assert_eq!(only.ends(), "127.0.0.1:32933 to 127.0.0.1:17013, datagrams");
    let reads = to_server(only).reads();
    let pieces: Vec<_> =
        reads.iter().map(|read| (read.offset, read.pieces[0].len, read.pieces[0].of)).collect();
    assert_eq!(pieces, [(0, 6, 6), (6, 512, 1579), (1585, 11, 11)]);

    // One that nobody received.
    let lines = "\
1 1700000000.000001 socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 3<UDP:[7]>
1 1700000000.000002 sendto(3<UDP:[7]>, \"a\", 1, 0, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 1
1 1700000000.000003 sendto(3<UDP:[0.0.0.0:8]>, \"lost\", 4, 0, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 4
1 1700000000.000004 sendto(3<UDP:[0.0.0.0:8]>, \"b\", 1, 0, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 1
1 1700000000.000005 recvfrom(4<UDP:[127.0.0.1:9]>, \"a\", 9, 0, {sa_family=AF_INET, sin_port=htons(8), sin_addr=inet_addr(\"127.0.0.1\")}, [16]) = 1
1 1700000000.000006 recvfrom(4<UDP:[127.0.0.1:9]>, \"b\", 9, 0, {sa_family=AF_INET, sin_port=htons(8), sin_addr=inet_addr(\"127.0.0.1\")}, [16]) = 1
";
    let all = connections(&read(lines).unwrap().events, &[]);
    let [only] = &all[..] else { panic!("{all:?}") };
    let words = to_server(only).text(100);
    assert!(words.contains("never received: message 2 \"lost\""), "{words}");
}

#[test]
fn what_was_not_seen_is_said() {
    let (all, remarks) = seen(&["sendfile.server.strace"]);
    assert_eq!(
        remarks,
        ["not known: the bytes that sendfile or splice moved, which strace can't see (6 times)"]
    );
    let words = all[0].stream(Direction::ToClient).unwrap().text(100);
    assert!(words.contains("│LEN 307200\\n│? (307200 bytes)│"), "{words}");

    // -s cut the write: the sender's recording has only its beginning, the receiver's has all of it.
    let sent = "\
1 1700000000.000001 connect(3<TCP:[7]>, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0
1 1700000000.000002 write(3<TCP:[127.0.0.1:8->127.0.0.1:9]>, \"he\"..., 5) = 5
";
    let received = "\
2 1700000000.000001 accept(3<TCP:[127.0.0.1:9]>, NULL, NULL) = 4<TCP:[127.0.0.1:9->127.0.0.1:8]>
2 1700000000.000003 read(4<TCP:[127.0.0.1:9->127.0.0.1:8]>, \"hello\", 99) = 5
";
    let (sent, received) = (read(sent).unwrap(), read(received).unwrap());
    assert_eq!(
        sent.remarks,
        ["not known: the last bytes of a call, which strace cut off (a larger -s shows more)"]
    );
    let alone = connections(&sent.events, &[]);
    assert!(to_server(&alone[0]).text(100).contains("│he╎? (3 bytes)│"));
    let both = connections(&[sent.events, received.events].concat(), &[]);
    let drawn = to_server(&both[0]).text(100);
    assert!(drawn.contains("client send  │he╎llo│") && drawn.contains("recv  │he╎llo│"), "{drawn}");
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let before =
        read("1 1700000000.000001 read(3<TCP:[127.0.0.1:8->127.0.0.1:9]>, \"x\", 1) = 1\n")
            .unwrap();
    assert_eq!(before.events, []);
    assert!(before.remarks[0].contains("already open when strace started"), "{:?}", before.remarks);

    let unnamed = read("1 1700000000.000001 read(3<socket:[7]>, \"x\", 1) = 1\n").unwrap();
    assert!(unnamed.remarks[0].contains("could not name"), "{:?}", unnamed.remarks);
    let unannotated =
        read("1 1700000000.000001 recvfrom(3, \"x\", 1, 0, NULL, NULL) = 1\n").unwrap();
    assert!(unannotated.remarks[0].contains("-yy"), "{:?}", unannotated.remarks);

    let error = read("1 10:00:00 read(3<TCP:[7]>, \"x\", 1) = 1\n").unwrap_err();
    assert!(error.contains("line 1") && error.contains("-ttt"), "{error}");
    let cut = read("1 1700000000.000001 close(3<TCP:[7]>) = 0\n1 1700000000.0000").unwrap();
    assert!(cut.remarks[0].starts_with("line 2 is cut off"), "{:?}", cut.remarks);
    let strange = read(
        "1 1700000000.000001 read(3<TCP:[7]>, \"x\" = 1\n1 1700000000.000002 +++ exited +++\n",
    )
    .unwrap();
    assert_eq!(strange.remarks, ["not drawn: a line that could not be read as a call"]);
}

/// If there is no connection, `timeline` names the address that was tried.
#[test]
fn a_connect_that_is_refused_has_its_address() {
    let refused = "1 1700000000.000001 connect(3<TCP:[7]>, {sa_family=AF_INET, sin_port=htons(9), \
                   sin_addr=inet_addr(\"127.0.0.1\")}, 16) = -1 ECONNREFUSED (Connection refused)\n";
    let events = read(refused).unwrap().events;
    assert_eq!(connections(&events, &[]).len(), 0);
    let [tried] = &events[..] else { panic!("{events:?}") };
    let says = "ECONNREFUSED (Connection refused)";
    assert_eq!((tried.peer.as_deref(), tried.error.as_deref()), (Some("127.0.0.1:9"), Some(says)));
}

#[test]
fn calls_that_move_nothing() {
    let trace = read(
        "\
1 1700000000.000001 connect(3<TCP:[7]>, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = -1 EINPROGRESS (Operation now in progress)
1 1700000000.000002 recvfrom(3<TCP:[127.0.0.1:8->127.0.0.1:9]>, 0x7ffe, 9, 0, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)
1 1700000000.000003 recvfrom(3<TCP:[127.0.0.1:8->127.0.0.1:9]>, \"hi\", 9, MSG_PEEK, NULL, NULL) = 2
1 1700000000.000004 recvfrom(3<TCP:[127.0.0.1:8->127.0.0.1:9]>,  <unfinished ...>
2 1700000000.000005 close(4<TCP:[127.0.0.1:8->127.0.0.1:9]>) = 0
1 1700000000.000006 <... recvfrom resumed>\"hi\", 9, 0, NULL, NULL) = 2
1 1700000000.000007 sendto(3<TCP:[127.0.0.1:8->127.0.0.1:9]>, \"x\", 1, 0, NULL, 0) = -1 EPIPE (Broken pipe)
1 1700000000.000008 shutdown(3<TCP:[127.0.0.1:8->127.0.0.1:9]>, SHUT_WR) = 0
1 1700000000.000009 shutdown(3<TCP:[127.0.0.1:8->127.0.0.1:9]>, SHUT_RD) = 0
1 1700000000.000010 shutdown(3<TCP:[127.0.0.1:8->127.0.0.1:9]>, SHUT_RDWR) = 0
1 1700000000.000011 close(3<TCP:[127.0.0.1:8->127.0.0.1:9]>) = 0
",
    )
    .unwrap();
    let calls: Vec<&str> = trace.events.iter().map(|event| event.call.as_str()).collect();
    let ends = ["shutdown", "shutdown", "shutdown", "close"];
    assert_eq!(calls, [&["connect", "recv", "recv", "send"][..], &ends].concat());
    let dirs: Vec<Option<&str>> =
        trace.events[4..].iter().map(|event| event.dir.as_deref()).collect();
    assert_eq!(dirs, [Some("out"), Some("in"), None, None], "which direction a shutdown ended");
    assert_eq!((trace.events[0].error.as_deref(), trace.events[0].pid), (None, 1));
    assert_eq!(
        trace.remarks,
        ["not drawn: a recv that only looked at the bytes and left them in the buffer (MSG_PEEK)"]
    );
    let all = connections(&trace.events, &[]);
    let words = all[0].stream(Direction::ToClient).unwrap().text(100);
    assert!(words.contains("1 recv found nothing to read yet (EAGAIN)"), "{words}");
    assert!(to_server(&all[0]).text(100).contains("send 1: failed: EPIPE (Broken pipe)"));
}

/// `REWRITE=1` rewrites them; then run sync-docs.
#[test]
fn the_chapter_shows_what_is_drawn() {
    let shown = [
        ("desk", None, &[Direction::ToServer, Direction::ToClient][..]),
        ("desk-lines", Some(Framing::Lines), &[Direction::ToServer]),
        ("echo-once", None, &[Direction::ToServer]),
        ("echo-loop", None, &[Direction::ToServer]),
    ];
    for (name, framing, directions) in shown {
        let trace = |end: &str| read_trace(&file(&format!("{name}.{end}"))).unwrap().events;
        let ends = [trace("client.strace"), trace("server.strace")].concat();
        let via = file(&format!("{name}.relay.trace"));
        let via = if via.exists() { trace("relay.trace") } else { Vec::new() };
        let all = connections(&ends, &via);
        let drawn = directions.iter().map(|direction| {
            let stream = all[0].stream(*direction).unwrap();
            match &framing {
                Some(framing) => stream.framed(framing).text(80),
                None => stream.text(80),
            }
        });
        let drawn = drawn.collect::<Vec<String>>().join("\n");
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.txt"));
        if std::env::var_os("REWRITE").is_some() {
            std::fs::write(&golden, &drawn).unwrap();
        }
        assert_eq!(drawn, std::fs::read_to_string(&golden).unwrap(), "{name}");
    }
}

/// The run of chapter 15: the desk opens when all three orders are waiting.
#[test]
fn a_program_of_today_is_drawn_like_its_recording() {
    let Some(python) = stage::python() else { return };
    if !stage::has_strace() {
        return stage::skip("UNSTUCK_REQUIRE_STRACE", "no strace, or it may not watch programs");
    }
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
    let scratch = Scratch::new().unwrap();
    let under_strace = |trace: &Path, program: &str, args: &[&str]| {
        let mut strace = Command::new("strace");
        strace.args(STRACE).arg("-o").arg(trace).arg(&python).arg(peers.join(program)).args(args);
        strace.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
    };
    for (program, option, framing) in
        [("desk.py", "--bare", Framing::None), ("desk_lines.py", "--lines", Framing::Lines)]
    {
        let [server_trace, client_trace] =
            ["server", "client"].map(|name| scratch.path().join(format!("{program}.{name}")));
        let mut server = under_strace(&server_trace, program, &["0"]);
        let mut said = BufReader::new(server.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().unwrap();
        let client = under_strace(&client_trace, "buyer.py", &[port, option]);
        let sent = || {
            let trace = std::fs::read_to_string(&client_trace).unwrap_or_default();
            trace.matches("SHUT_WR").count() == 1
        };
        let end = Instant::now() + Duration::from_secs(20);
        while !sent() {
            assert!(Instant::now() < end, "the orders were not sent");
            std::thread::yield_now();
        }
        server.stdin.take().unwrap().write_all(b"\n").unwrap();
        assert!(client.wait_with_output().unwrap().status.success());
        assert!(server.wait_with_output().unwrap().status.success());
        let traces = [client_trace, server_trace].map(|path| read_trace(&path).unwrap());
        assert_eq!([&traces[0].remarks, &traces[1].remarks], [&Vec::<String>::new(); 2]);
        let now = connections(&traces.map(|trace| trace.events).concat(), &[]);
        let name = program.trim_end_matches(".py").replace('_', "-");
        let (then, _) = seen(&[&format!("{name}.client.strace"), &format!("{name}.server.strace")]);
        assert!(to_server(&now[0]).text(80).contains("recv 1: 2"), "all of it in one recv");
        let drawn = |all: &[Connection]| to_server(&all[0]).framed(&framing).text(80);
        assert_eq!(drawn(&now), drawn(&then), "{program}");
    }
}

/// A direction that carried nothing is drawn if a call failed there.
#[test]
fn a_reset_before_an_answer_is_said() {
    let trace = read(
        "\
1 1700000000.000001 connect(3<TCP:[7]>, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0
1 1700000000.000002 sendto(3<TCP:[127.0.0.1:8->127.0.0.1:9]>, \"x\", 1, 0, NULL, 0) = 1
1 1700000000.000003 recvfrom(3<TCP:[127.0.0.1:8->127.0.0.1:9]>, 0x7ffe, 9, 0, NULL, NULL) = -1 ECONNRESET (Connection reset by peer)
",
    )
    .unwrap();
    let all = connections(&trace.events, &[]);
    let stream = all[0].stream(Direction::ToClient).unwrap();
    assert!(stream.is_empty() && stream.has_failures());
    let words = "server to client: no bytes\n        recv 1: failed: ECONNRESET (Connection reset by peer)\n";
    assert_eq!(stream.text(80), words);
}

/// Lines for a connection from port `from` to 9: of thread 1, a microsecond apart.
fn lines(calls: &[&str]) -> String {
    let line = |(call, at): (&&str, usize)| {
        let (thread, call) = call.split_once(' ').unwrap();
        format!("{thread} 1700000000.{at:06} {call}\n")
    };
    calls.iter().zip(1..).map(line).collect()
}

const CONNECT: &str = "1 connect(4<TCP:[7]>, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0";

fn sent(trace: &Trace) -> Vec<String> {
    let text = |connection: &Connection| {
        let sends = connection.client.iter().filter(|event| event.call == "send");
        let bytes = sends.flat_map(|event| event.data.clone().unwrap_or_default());
        String::from_utf8(bytes.collect()).unwrap()
    };
    connections(&trace.events, &[]).iter().map(text).collect()
}

#[test]
fn descriptors_are_reused_and_shared() {
    // A child keeps the first connection; the parent closes it, and its next one gets the same descriptor.
    let forked = lines(&[
        CONNECT,
        "1 close(4<TCP:[127.0.0.1:8->127.0.0.1:9]>) = 0",
        "1 socket(AF_INET, SOCK_STREAM, 0) = 4<TCP:[70]>",
        &CONNECT.replace("[7]", "[70]"),
        "2 write(4<TCP:[127.0.0.1:8->127.0.0.1:9]>, \"a\", 1) = 1",
        "1 write(4<TCP:[127.0.0.1:80->127.0.0.1:9]>, \"b\", 1) = 1",
        "2 write(4<TCP:[127.0.0.1:8->127.0.0.1:9]>, \"a\", 1) = 1",
    ]);
    let trace = read(&forked).unwrap();
    assert_eq!((sent(&trace), trace.remarks), (vec!["aa".into(), "b".into()], Vec::new()));
    // Another descriptor of the socket, which nobody has used before.
    let duplicated = lines(&[CONNECT, "1 write(3<TCP:[127.0.0.1:8->127.0.0.1:9]>, \"a\", 1) = 1"]);
    let trace = read(&duplicated).unwrap();
    assert_eq!((sent(&trace), trace.remarks), (vec!["a".into()], Vec::new()));
    // A connect and a send in one.
    let fast = lines(&[
        "1 sendto(4<TCP:[7]>, \"a\", 1, MSG_FASTOPEN, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 1",
        "1 close(4<TCP:[127.0.0.1:8->127.0.0.1:9]>) = 0",
    ]);
    assert_eq!(sent(&read(&fast).unwrap()), ["a"]);
    // The same two addresses again, without having seen the end of the first connection.
    let again = lines(&[
        CONNECT,
        "1 write(4<TCP:[127.0.0.1:8->127.0.0.1:9]>, \"a\", 1) = 1",
        "2 socket(AF_INET, SOCK_STREAM, 0) = 4<TCP:[70]>",
        &CONNECT.replace("[7]", "[70]").replace("1 conn", "2 conn"),
        "2 write(4<TCP:[127.0.0.1:8->127.0.0.1:9]>, \"b\", 1) = 1",
    ]);
    assert_eq!(sent(&read(&again).unwrap()), ["a", "b"]);
}

#[test]
fn what_nobody_can_know_is_said() {
    let both = lines(&[
        CONNECT,
        "1 write(4<TCP:[127.0.0.1:8->127.0.0.1:9]>, \"a\", 1 <unfinished ...>",
        "2 write(4<TCP:[127.0.0.1:8->127.0.0.1:9]>, \"b\", 1 <unfinished ...>",
        "1 <... write resumed>) = 1",
        "2 <... write resumed>) = 1",
    ]);
    let remarks = read(&both).unwrap().remarks;
    assert!(remarks[0].starts_with("order unknown: two threads"), "{remarks:?}");
    let thrown = lines(&[
        CONNECT,
        "1 recvfrom(4<TCP:[127.0.0.1:8->127.0.0.1:9]>, \"old\", 3, MSG_TRUNC, NULL, NULL) = 3",
    ]);
    let trace = read(&thrown).unwrap();
    assert_eq!(trace.events[1].data.as_deref(), Some(b"".as_slice()));
    assert!(trace.remarks[0].contains("the last bytes of a call"), "{:?}", trace.remarks);
    let packets = lines(&["1 write(4<UNIX-SEQPACKET:[7->8]>, \"a\", 1) = 1"]);
    let remarks = read(&packets).unwrap().remarks;
    assert!(remarks[0].contains("SEQPACKET"), "{remarks:?}");
}

/// Two recordings without -f have no process numbers, but still count as two processes.
#[test]
fn recordings_without_process_numbers() {
    let client = lines(&[CONNECT, "1 write(4<TCP:[127.0.0.1:8->127.0.0.1:9]>, \"a\", 1) = 1"]);
    let server = lines(&[
        "1 accept(3<TCP:[127.0.0.1:9]>, NULL, NULL) = 4<TCP:[127.0.0.1:9->127.0.0.1:8]>",
        "1 read(4<TCP:[127.0.0.1:9->127.0.0.1:8]>, \"a\", 9) = 1",
    ]);
    let without = |lines: &str| read(&lines.replace("1 17", "17")).unwrap().events;
    let all = connections(&[without(&client), without(&server)].concat(), &[]);
    assert_eq!(all.len(), 1);
    assert!(all[0].stream(Direction::ToClient).unwrap().is_empty());
    assert_eq!(to_server(&all[0]).reads()[0].pieces.len(), 1);
}

#[test]
fn datagrams_that_are_like_others() {
    let address = |port: u16| {
        format!("{{sa_family=AF_INET, sin_port=htons({port}), sin_addr=inet_addr(\"127.0.0.1\")}}")
    };
    let send = |data: &str, len: usize| {
        format!("1 sendto(3<UDP:[127.0.0.1:8]>, \"{data}\", {len}, 0, {}, 16) = {len}", address(9))
    };
    let take = |data: &str, len: usize| {
        format!("2 recvfrom(4<UDP:[127.0.0.1:9]>, \"{data}\", 99, 0, {}, [16]) = {len}", address(8))
    };
    let drawn = |calls: &[String]| {
        let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
        let all = connections(&read(&lines(&calls)).unwrap().events, &[]);
        assert_eq!(all.len(), 1, "{all:?}");
        to_server(&all[0]).text(100)
    };
    let words = drawn(&[send("item 10", 7), send("item 1", 6), take("item 1", 6)]);
    assert!(words.contains("recv 1: 6 bytes = message 2 \"item 1\""), "{words}");
    assert!(words.contains("never received: message 1 \"item 10\""), "{words}");
    let words = drawn(&[send("a", 1), send("b", 1), take("b", 1), take("a", 1)]);
    assert!(words.contains("recv 1: 1 byte = message 1 \"a\""), "{words}");
    assert!(words.contains("some datagrams arrived out of order"), "{words}");
    let calls = [send("a", 1), send("", 0), send("b", 1), take("a", 1), take("", 0), take("b", 1)];
    let words = drawn(&calls);
    assert!(words.contains("recv 2: 0 bytes = an empty datagram"), "{words}");
    assert!(words.contains("recv 3: 1 byte = message 3 \"b\""), "it's the third: {words}");
}

#[test]
fn a_framing_says_why_it_stops() {
    let drawn = |calls: &[&str], framing: &Framing| {
        let all = connections(&read(&lines(calls)).unwrap().events, &[]);
        to_server(&all[0]).framed(framing).text(100)
    };
    let write = |data: &str, len: usize| {
        format!("1 write(4<TCP:[127.0.0.1:8->127.0.0.1:9]>, {data}, {len}) = {len}")
    };
    let check = |data: &str, len, framing: Framing, says: &str| {
        let words = drawn(&[CONNECT, &write(data, len)], &framing);
        assert!(words.contains(says), "{words}");
    };
    check(
        "\"hi\\nho\"",
        5,
        Framing::Lines,
        "a message begins at offset 3, but the rest of it never came",
    );
    check(
        "\"hi\\nho\"...",
        9,
        Framing::Lines,
        "begins at offset 3, but the rest of it was not recorded",
    );
    check("\"hi\\n\"...", 9, Framing::Lines, "from offset 3 on, the bytes were not recorded");
    check("\"\\0\\0\\0\\5hi\"", 6, Framing::PrefixBigEndian, "3 bytes of message 1 never came");
    check("\"\\5\\0\\0\\0hi\"...", 8, Framing::Prefix, "3 bytes of message 1 were not recorded");
}

/// Recordings with bytes, words and lines changed, moved or left out. `FUZZ_SECONDS=600` tries for longer.
#[test]
fn nothing_in_a_file_makes_it_panic() {
    let names =
        ["glued.client", "fork.server", "java.client", "unix.server", "udp.server", "splice"];
    let texts = names.map(|name| std::fs::read(file(&format!("{name}.strace"))).unwrap());
    let words: [&[u8]; 14] = [
        b"<unfinished ...>",
        b"<... recvmsg resumed>",
        b"\"",
        b"...",
        b"{",
        b"]",
        b"<TCP:[",
        b"->",
        b" = ",
        b"-1 ",
        b"18446744073709551615",
        b"sendmmsg(",
        b"\\x",
        b"=> ",
    ];
    let change =
        (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..words.len(), 0..6_u8);
    let changes = prop::collection::vec(change, 1..12);
    let strategy = (0..texts.len(), changes);
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(3));
    let seed: [u8; 32] = std::array::from_fn(|at| (std::process::id() >> (at % 4 * 8)) as u8);
    println!("seed {seed:?}");
    let config = Config { cases: u32::MAX, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let mut cases = 0_u64;
    while Instant::now() < end {
        let tree = strategy.new_tree(&mut runner).unwrap();
        let (which, changes) = tree.current();
        let mut text = texts[which].clone();
        for (from, to, word, kind) in changes {
            let (from, to) = (from.index(text.len()), to.index(text.len()));
            let (from, to) = (from.min(to), from.max(to));
            match kind {
                0 => drop(text.splice(from..from, words[word].iter().copied())),
                1 => drop(text.drain(from..(from + word).min(text.len()))),
                2 => text[from] ^= 1 << (word % 8),
                3 => text.swap(from, to),
                4 => text.truncate(to.max(1)),
                _ => {
                    let lines: Vec<u8> = text[from..to.min(from + 400)].to_vec();
                    drop(text.splice(to..to, lines));
                }
            }
            if text.is_empty() {
                text.push(b'1');
            }
        }
        draw_all(&text);
        cases += 1;
    }
    println!("{cases} files");
}

/// Reads the recording and draws what is in it.
fn draw_all(text: &[u8]) {
    let Ok(trace) = read(&String::from_utf8_lossy(text)) else { return };
    for connection in connections(&trace.events, &[]).iter().take(4) {
        let both = [Direction::ToServer, Direction::ToClient];
        let streams: Vec<_> = both.iter().filter_map(|way| connection.stream(*way).ok()).collect();
        for stream in &streams {
            let _ = stream.text(80);
            let _ = stream.clone().framed(&Framing::Prefix).text(80);
            let _ = stream.svg("fuzzed");
        }
        let _ = page("fuzzed", &streams, &connection.parties());
    }
}
