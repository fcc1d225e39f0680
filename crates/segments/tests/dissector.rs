//! The Wireshark dissector, on captures of real connections. Skipped, with a message, without tshark or a network namespace.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use stage::{Program, Scratch, binary, python, skip, tshark};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const TIME: Duration = Duration::from_secs(60);

const DISSECTOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/wireshark/unstuck.lua");

/// For each SIZE, a connection to PORT in which each side sends its bytes, given in hex, in pieces of that size: first the
/// client, then the server. A piece is sent once the one before has been read, so each is a segment of its own.
const PIECES: &str = "\
import socket, sys
port, sizes, *streams = int(sys.argv[1]), sys.argv[2].split(','), *map(bytes.fromhex, sys.argv[3:])
listener = socket.socket(); listener.bind(('127.0.0.1', port)); listener.listen()
for size in map(int, sizes):
    client = socket.socket(); client.connect(('127.0.0.1', port)); server, _ = listener.accept()
    for (sender, reader), stream in zip(((client, server), (server, client)), streams):
        sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(stream), size):
            piece = stream[at:at + size]
            sender.sendall(piece); reader.recv(len(piece), socket.MSG_WAITALL)
    client.close(); server.close()
";

/// Starts the server, waits until it listens, runs the client, ends the server.
const PAIR: &str = r#"
mkfifo "$1/said"; exec 3<>"$1/said"
"$2" >&3 & server=$!
read -r listening <&3
shift 2; "$@"; code=$?
kill $server; wait $server; exit $code"#;

struct Stage {
    scratch: Scratch,
    tshark: PathBuf,
}

impl Stage {
    fn set() -> Option<Stage> {
        let tshark = tshark()?;
        let stage = Stage { scratch: Scratch::new().unwrap(), tshark };
        let said = stage.capture(Command::new("true"));
        if !said.is_empty() {
            skip("UNSTUCK_REQUIRE_NETNS", said.trim_end());
        }
        said.is_empty().then_some(stage)
    }

    fn file(&self) -> PathBuf {
        self.scratch.path().join("run.pcapng")
    }

    /// Runs a command in a network of its own, records it, and returns its stderr.
    fn capture(&self, command: Command) -> String {
        let mut segments = Command::new(binary("segments").unwrap());
        segments.arg("--write").arg(self.file()).arg("--");
        segments.arg(command.get_program()).args(command.get_args()).env("RUST_LOG", "error");
        let finished = Program::start("segments", &mut segments).unwrap().wait(TIME).unwrap();
        let said = String::from_utf8(finished.stderr).unwrap();
        assert_eq!(finished.code, Some(0), "{said}");
        said
    }

    /// Records what two programs of the workspace say to each other.
    fn programs(&self, server: &str, client: &str, commands: &[&str]) {
        let folder = Scratch::new().unwrap();
        let mut pair = Command::new("sh");
        pair.args(["-c", PAIR, "sh"]).arg(folder.path());
        pair.arg(binary(server).unwrap()).arg(binary(client).unwrap());
        commands.iter().for_each(|command| {
            pair.args(["-c", command]);
        });
        self.capture(pair);
    }

    /// Records two streams on a port, once for each size of the pieces that they are cut into.
    fn pieces(&self, python: &Path, port: u16, sizes: &[usize], streams: [&[u8]; 2]) {
        let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
        let mut talk = Command::new(python);
        talk.args(["-c", PIECES, &port.to_string(), &sizes.join(",")]).args(streams.map(hex));
        self.capture(talk);
    }

    /// Removes packets from the recording: those for which `missing`, given their number (from 0) and their bytes, is true.
    fn leave_out(&self, missing: impl Fn(usize, &[u8]) -> bool) {
        const PACKET: [u8; 4] = 6_u32.to_le_bytes();
        let file = fs::read(self.file()).unwrap();
        let (mut rest, mut kept, mut number) = (&file[..], Vec::new(), 0);
        while let Some(len) = rest.get(4..8) {
            let len = u32::from_le_bytes(len.try_into().unwrap()) as usize;
            let (block, after) = rest.split_at(len);
            let is_packet = block.starts_with(&PACKET);
            if !(is_packet && missing(number, block)) {
                kept.extend(block);
            }
            number += usize::from(is_packet);
            rest = after;
        }
        fs::write(self.file(), kept).unwrap();
    }

    /// The values of some fields, in the order of the messages: one line for each frame that has any.
    fn fields(&self, fields: &[&str], options: &[&str]) -> Vec<String> {
        let mut tshark = Command::new(&self.tshark);
        tshark.arg("-X").arg(format!("lua_script:{DISSECTOR}")).arg("-r").arg(self.file());
        tshark.args(["-Y", "unstuck", "-T", "fields", "-E", "separator=|", "-E", "aggregator=,"]);
        tshark.args(fields.iter().flat_map(|field| ["-e", field]));
        tshark.args(options.iter().flat_map(|option| ["-o", option]));
        let finished = Program::start("tshark", &mut tshark).unwrap().wait(TIME).unwrap();
        let said = String::from_utf8_lossy(&finished.stderr);
        assert!(finished.code == Some(0) && !said.contains("Lua"), "{said}");
        let text = String::from_utf8(finished.stdout).unwrap();
        text.lines().map(|line| line.trim_matches('|').to_owned()).collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A length and what follows it.
fn framed(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_le_bytes(), body].concat()
}

fn json(header: &str, body: &[u8]) -> Vec<u8> {
    [&framed(header.as_bytes()), body].concat()
}

#[test]
fn the_real_programs_messages_are_found() {
    let Some(stage) = Stage::set() else { return };
    let commands = ["echo hi", "true", "seq 1 9"];
    let shown = ["unstuck.command", "unstuck.length", "unstuck.data_len", "unstuck.body"];
    let (hi, nine) = (hex(b"hi\n"), hex(b"1\n2\n3\n4\n5\n6\n7\n8\n9\n"));

    stage.programs("fix-struct-prefix-server", "fix-struct-prefix-client", &commands);
    let answers =
        ["echo hi|7", &format!("3||{hi}"), "true|4", "0", "seq 1 9|7", &format!("18||{nine}")];
    assert_eq!(stage.fields(&shown, &[]), answers);

    stage.programs("threaded-server", "threaded-client", &commands);
    let rows = stage.fields(&["unstuck.command", "unstuck.data_len", "unstuck.body"], &[]);
    let answers = ["echo hi", &format!("3|{hi}"), "true", "0", "seq 1 9", &format!("18|{nine}")];
    assert_eq!(rows, answers);
    let headers = stage.fields(&["unstuck.header"], &[]);
    assert!(headers[1].starts_with(r#"{"data_len":3,"status":0,"#), "{headers:?}");

    // The other protocol on the tutorial's port: a preference decides.
    stage.programs("fix-json-header-server", "fix-json-header-client", &commands);
    let rows = stage.fields(
        &["unstuck.command", "unstuck.data_len", "unstuck.body"],
        &["unstuck.json_ports:8888,9999"],
    );
    assert_eq!(rows, answers);
}

#[test]
fn every_message_is_found_however_the_stream_is_cut() {
    let (Some(stage), Some(python)) = (Stage::set(), python()) else { return };
    let requests = [framed(b"echo hi"), framed(b""), framed("echo 你好".as_bytes())].concat();
    let answers = [framed(b"hi\n"), framed(b""), framed(&[0xff; 9])].concat();
    let sizes = [1, 3, 13, 1000];
    stage.pieces(&python, 8888, &sizes, [&requests, &answers]);
    let rows =
        stage.fields(&["tcp.stream", "unstuck.length", "unstuck.command", "unstuck.body"], &[]);
    for (stream, size) in sizes.iter().enumerate() {
        // Messages that end in the same segment share a line.
        let all = |at: usize| -> String {
            let rows = rows.iter().map(|row| row.split('|').collect::<Vec<_>>());
            let rows = rows.filter(|row| row[0] == stream.to_string());
            let values = rows.filter_map(|row| row.get(at).map(|value| value.to_string()));
            let values: Vec<String> = values.filter(|value| !value.is_empty()).collect();
            values.join(",").replace(",,", ",")
        };
        assert_eq!(all(1), "7,0,11,3,0,9", "{size}: {rows:?}");
        assert_eq!(all(2), "echo hi,echo 你好", "{size}: {rows:?}");
        assert_eq!(all(3), "68690a,ffffffffffffffffff", "{size}: {rows:?}");
    }

    let answers = [
        json(r#"{"data_len": 3, "status": 0}"#, b"hi\n"),
        json(r#"{"data_len":0}"#, b""),
        json(r#"{"new":{},"data_len":2}"#, b"ab"),
    ];
    stage.pieces(&python, 9999, &[1, 1000], [b"", &answers.concat()]);
    let rows = stage.fields(&["unstuck.data_len", "unstuck.body"], &[]);
    assert_eq!(rows, ["3|68690a", "0", "2|6162", "3,0,2|68690a,6162"]);
}

#[test]
fn what_breaks_the_protocol_is_marked_and_the_rest_of_the_stream_too() {
    let (Some(stage), Some(python)) = (Stage::set(), python()) else { return };
    let said = |port: u16, to_client: &[u8], options: &[&str]| {
        stage.pieces(&python, port, &[100], [b"", to_client]);
        stage.fields(&["unstuck.lost", "unstuck.length", "_ws.expert.message"], options).join("\n")
    };
    // The second segment would make a frame by itself.
    let negative = [&(-5_i32).to_le_bytes()[..], &[b'x'; 96], &framed(b"hi")].concat();
    let negative = said(8888, &negative, &[]);
    assert!(negative.starts_with("fbffffff"), "{negative}");
    assert!(negative.contains("|-5|the length is -5"), "{negative}");
    assert!(negative.contains("\n020000006869||An earlier length was wrong"), "{negative}");

    let limit = said(8888, &framed(&[b'x'; 50]), &["unstuck.max_frame:49"]);
    assert!(limit.contains("the length is 50, the limit 49"), "{limit}");
    let header = said(9999, &json(r#"{"data_len":1,"data_len":2}"#, b""), &[]);
    assert!(header.contains("the header is {"), "{header}");
    let body = said(9999, &json(r#"{"data_len":99999999999}"#, b""), &[]);
    assert!(body.contains("data_len is 99999999999, the limit 16777216"), "{body}");
}

#[test]
fn raw_requests_are_shown_as_they_came() {
    let (Some(stage), Some(python)) = (Stage::set(), python()) else { return };
    stage.pieces(&python, 8888, &[7], [b"echo a\necho b\n", &framed(b"a")]);
    let rows = stage.fields(&["unstuck.command", "unstuck.body"], &["unstuck.raw_requests:TRUE"]);
    assert_eq!(rows, ["echo a\\n", "echo b\\n", "61"]);
}

/// Cut into pieces of 13 bytes: the first message takes two pieces, the next two take one each.
fn long_then_short() -> Vec<u8> {
    [framed(b"a long one, in 2 parts"), framed(b"ls -l /ab"), framed(b"ls -l /cd")].concat()
}

const BEGAN_INSIDE: &str = "the capture began in the middle of the stream";
const NOT_CAPTURED: &str = "a part of the stream was not captured";

#[test]
fn a_capture_that_began_inside_a_stream_says_so_and_reads_on_where_messages_fit() {
    let (Some(stage), Some(python)) = (Stage::set(), python()) else { return };
    let shown = ["unstuck.command", "unstuck.body", "unstuck.lost", "_ws.expert.message"];
    let answers = [framed(b"012345678"), framed(b"9")].concat();
    stage.pieces(&python, 8888, &[13], [&long_then_short(), &answers]);
    // The handshake and the first part.
    stage.leave_out(|number, _| number < 4);
    let part = hex(&long_then_short()[13..26]);
    let assumed =
        |from: u32| format!("{BEGAN_INSIDE}; read as messages from captured byte {from} on");
    assert_eq!(
        stage.fields(&shown, &[]),
        [
            format!("{part}|{BEGAN_INSIDE}: where the next message begins is not known"),
            format!("ls -l /ab|||{}", assumed(13)),
            format!("ls -l /cd|||{}", assumed(13)),
            // This direction may have begun before the capture.
            format!("{}||{}", hex(b"012345678"), assumed(0)),
            format!("{}||{}", hex(b"9"), assumed(0)),
        ]
    );
}

#[test]
fn a_part_that_is_missing_is_no_fault_of_the_sender() {
    let (Some(stage), Some(python)) = (Stage::set(), python()) else { return };
    let shown = ["unstuck.command", "unstuck.lost", "_ws.expert.message"];
    let requests = [framed(b"echo hola"), long_then_short()].concat();
    stage.pieces(&python, 8888, &[13], [&requests, b""]);
    stage.leave_out(|_, bytes| bytes.windows(6).any(|bytes| bytes == b"a long"));
    let rows = stage.fields(&shown, &[]);
    assert_eq!(rows.len(), 4, "{rows:?}");
    assert_eq!(rows[0], "echo hola");
    let unknown = format!("{NOT_CAPTURED}: where the next message begins is not known");
    assert!(rows[1].starts_with(&hex(b"e, in 2 parts")) && rows[1].ends_with(&unknown), "{rows:?}");
    let assumed = format!("{NOT_CAPTURED}; read as messages from captured byte 39 on");
    assert_eq!(rows[2..], [format!("ls -l /ab||{assumed}"), format!("ls -l /cd||{assumed}")]);

    // Missing inside a message whose length is known: where the next one begins is certain.
    for size in [20, 15] {
        let requests = [framed(b"two parts, of which one is missing !"), framed(b"next")].concat();
        stage.pieces(&python, 8888, &[size], [&requests, b""]);
        stage.leave_out(|_, bytes| bytes.windows(6).any(|bytes| bytes == b"one is"));
        let rows = stage.fields(&shown, &[]);
        assert!(rows.len() == 1 && rows[0].starts_with("next"), "{rows:?}");
        assert!(!rows[0].contains(NOT_CAPTURED), "{rows:?}");
    }

    // Missing inside a length: where its message ends is not known, and the bytes after it must not be read as a length.
    stage.pieces(&python, 8888, &[1], [&framed(b"echo hi"), b""]);
    stage.leave_out(|number, _| number == 5);
    let rows = stage.fields(&["unstuck.lost", "_ws.expert.message"], &[]);
    assert_eq!(rows.len(), 7, "{rows:?}");
    assert!(rows.iter().all(|row| row.ends_with(&unknown)), "{rows:?}");
}

#[test]
fn an_assumption_that_was_wrong_is_given_up_and_no_violation() {
    let (Some(stage), Some(python)) = (Stage::set(), python()) else { return };
    // Part of a body looks like a message, and the next part does not.
    let body = [&[b'x'; 9][..], &framed(b"ls -l /no"), b"wwwwwwwwwwwww"].concat();
    let requests = [framed(&body), framed(b"ls -l /ab")].concat();
    stage.pieces(&python, 8888, &[13], [&requests, b""]);
    stage.leave_out(|number, _| number < 4);
    let shown = ["unstuck.command", "unstuck.lost", "_ws.expert.message", "_ws.expert.group"];
    let rows = stage.fields(&shown, &[]).join("\n");
    let wrong =
        "read as messages from captured byte 0 on, perhaps wrongly: the length is 2004318071";
    assert!(rows.contains(wrong), "{rows}");
    let again = format!("ls -l /ab||{BEGAN_INSIDE}; read as messages from captured byte 26 on");
    assert!(rows.contains(&again), "{rows}");
    const PROTOCOL: &str = "150994944"; // the group's number, PI_PROTOCOL of epan/proto.h
    assert!(!rows.contains(PROTOCOL), "{rows}");
}
