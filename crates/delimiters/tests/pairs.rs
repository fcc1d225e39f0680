//! Each client with each server, ours and Python's, in lines and in records; and what is wrong with the naive server.
//!
//! | fault | test |
//! |---|---|
//! | any message: empty, with line feeds, carriage returns, backslashes, in Chinese | `each_client_with_each_server` |
//! | a line in two pieces, at every place | `a_line_in_two_pieces_is_one_message` |
//! | …and what a server makes of it that keeps nothing | `who_keeps_nothing_reads_two_messages` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::time::Duration;

use stage::{Finished, Line, Program};

/// Long enough for a loaded machine: a test that passes never waits so long.
const LONG: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Rust,
    Python,
}

#[test]
fn each_client_with_each_server() {
    let plain = ["hello", "hi", "", "你好", "8 bytes."];
    let wild = ["two\nlines", "\n", "\r\n", "a\\nb", "\\", "", "x\\\n\\\ry", "tab\t"];
    let python = stage::python().is_some();
    for (framing, messages) in [("lines", &plain[..]), ("fixed", &plain), ("lines", &wild)] {
        for (server_side, client_side) in [
            (Side::Rust, Side::Rust),
            (Side::Rust, Side::Python),
            (Side::Python, Side::Rust),
            (Side::Python, Side::Python),
        ] {
            if !python && (server_side, client_side) != (Side::Rust, Side::Rust) {
                continue;
            }
            let pair = format!("{framing}: {server_side:?} server, {client_side:?} client");
            let server = server(server_side, framing);
            let done = client(client_side, framing, &server.address().unwrap(), messages);
            let answers: String =
                messages.iter().map(|message| message.to_ascii_uppercase() + "\n").collect();
            assert_eq!((text(&done.stdout), text(&done.stderr)), (&*answers, ""), "{pair}");
            assert_eq!(done.code, Some(0), "{pair}");
            let served = server.wait(LONG).unwrap();
            assert_eq!((served.code, text(&served.stderr)), (Some(0), ""), "{pair}");
        }
    }
}

#[test]
fn the_server_says_which_messages_came() {
    let server = server(Side::Rust, "lines");
    client(Side::Rust, "lines", &server.address().unwrap(), &["hello", "two\nlines"]);
    let said = server.wait(LONG).unwrap().stdout;
    let (_, said) = text(&said).split_once('\n').unwrap();
    assert_eq!(said, "message 1: hello\nmessage 2: two\\nlines\n");
}

/// Both ends of lines, and our server and Python's: a cut between CR and LF is one of them.
#[test]
fn a_line_in_two_pieces_is_one_message() {
    for line in [&b"hello\n"[..], b"hello\r\n"] {
        for cut in 1..line.len() {
            let server = start(env!("CARGO_BIN_EXE_lines-server"), &["-v"]);
            let mut conn = connect(&server);
            conn.write_all(&line[..cut]).unwrap();
            // Only when the first piece was taken comes the second: two recvs, whatever the machine does.
            let took = |line: &&Line| {
                let line = String::from_utf8_lossy(&line.text);
                line.contains(" recv conn=") && line.contains(&format!("got={cut} "))
            };
            let taken = |lines: &[Line]| lines.iter().find(took).map(drop);
            server.wait_until("the first piece taken", LONG, taken).unwrap();
            conn.write_all(&line[cut..]).unwrap();
            conn.shutdown(Shutdown::Write).unwrap();
            let mut answer = String::new();
            conn.read_to_string(&mut answer).unwrap();
            assert_eq!(answer, "HELLO\n", "cut after {cut} of {}", line.escape_ascii());
            assert_eq!(server.wait(LONG).unwrap().code, Some(0));
        }
    }
}

/// The two Python servers that the page begins with.
#[test]
fn who_keeps_nothing_reads_two_messages() {
    if stage::python().is_none() {
        return;
    }
    for (peer, answers) in
        [("split_each_recv.py", &["HEL", "LO", "HI"][..]), ("keep_the_rest.py", &["HELLO", "HI"])]
    {
        let mut command = python(peer);
        let server = Program::start(peer, command.arg("0")).unwrap();
        let mut conn = connect(&server);
        let mut came = BufReader::new(conn.try_clone().unwrap()).lines();
        let mut first = None;
        conn.write_all(b"hel").unwrap();
        // The one answers at once: then it has taken the piece. Of the other nothing can be seen; however the pieces come, it
        // must answer the same.
        if answers.len() == 3 {
            first = came.next();
        }
        conn.write_all(b"lo\nhi\n").unwrap();
        conn.shutdown(Shutdown::Write).unwrap();
        let came: Vec<String> = first.into_iter().chain(came).map(Result::unwrap).collect();
        assert_eq!(came, answers, "{peer}");
        server.wait(LONG).unwrap();
    }
}

#[test]
fn the_steps_on_the_page_are_those_of_the_program() {
    if stage::python().is_none() {
        return;
    }
    for (framing, steps) in [
        ("lines", include_str!("golden/steps-lines.txt")),
        ("fixed", include_str!("golden/steps-fixed.txt")),
    ] {
        let program = Program::start("steps.py", python("steps.py").arg(framing)).unwrap();
        let done = program.wait(LONG).unwrap();
        assert_eq!((done.code, text(&done.stderr)), (Some(0), ""));
        assert_eq!(text(&done.stdout), steps);
    }
}

fn server(side: Side, framing: &str) -> Program {
    match side {
        Side::Rust => start(ours(framing, "server"), &[]),
        Side::Python => {
            let mut command = python("server.py");
            command.args(["--listen", "127.0.0.1:0", "--framing", framing]);
            Program::start("server.py", &mut command).unwrap()
        }
    }
}

fn client(side: Side, framing: &str, address: &str, messages: &[&str]) -> Finished {
    let mut command = match side {
        Side::Rust => {
            let mut command = Command::new(ours(framing, "client"));
            command.args(["--connect", address, "--"]);
            command
        }
        Side::Python => {
            let mut command = python("client.py");
            command.args(["--framing", framing, address]);
            command
        }
    };
    Program::start("client", command.args(messages)).unwrap().wait(LONG).unwrap()
}

fn ours(framing: &str, side: &str) -> &'static str {
    match (framing, side) {
        ("lines", "server") => env!("CARGO_BIN_EXE_lines-server"),
        ("lines", _) => env!("CARGO_BIN_EXE_lines-client"),
        (_, "server") => env!("CARGO_BIN_EXE_fixed-server"),
        _ => env!("CARGO_BIN_EXE_fixed-client"),
    }
}

fn start(program: &str, args: &[&str]) -> Program {
    let mut command = Command::new(program);
    command.args(["--listen", "127.0.0.1:0"]).args(args);
    Program::start(program, &mut command).unwrap()
}

fn python(peer: &str) -> Command {
    let mut command = Command::new(stage::python().unwrap());
    command.arg(format!("{}/tests/peers/{peer}", env!("CARGO_MANIFEST_DIR")));
    // It would write its modules' byte code beside them.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn connect(server: &Program) -> TcpStream {
    let conn = TcpStream::connect(server.address().unwrap()).unwrap();
    conn.set_read_timeout(Some(LONG)).unwrap();
    conn
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
