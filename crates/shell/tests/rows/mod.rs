//! The remote-command pairs, and how to talk to each.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use proto::json::JsonFraming;
use proto::prefix::PrefixFraming;
use proto::{Decoder, Framing};
use stage::{Line, Program};

/// A test that passes never waits this long.
pub const LONG: Duration = Duration::from_secs(20);

/// One server as it is started, its client, and what they speak.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub server: &'static str,
    args: &'static [&'static str],
    pub wire: Wire,
    /// Whether a request is whatever one read returns. Otherwise its length comes first.
    pub raw: bool,
}

/// What an answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// The output, and nothing else.
    Bare,
    /// The length as text; after the peer's `OK`, the output.
    Ack,
    /// The length in four bytes, and the output.
    Prefix,
    /// A JSON header with its length in front, and the output.
    Json,
}

pub const ROWS: [Row; 11] = [
    Row { server: "sticky-packet-repro-server", args: &["shell"], wire: Wire::Bare, raw: true },
    Row { server: "fix-ack-handshake-server", args: &[], wire: Wire::Ack, raw: true },
    Row { server: "fix-struct-prefix-server", args: &[], wire: Wire::Prefix, raw: false },
    Row { server: "fix-struct-prefix-server", args: &[], wire: Wire::Prefix, raw: true },
    Row { server: "fix-json-header-server", args: &[], wire: Wire::Json, raw: false },
    Row { server: "fix-json-header-server", args: &[], wire: Wire::Json, raw: true },
    model(&["--model", "serial"]),
    model(&["--model", "threads"]),
    model(&["--model", "pool"]),
    model(&["--model", "processes"]),
    model(&["--model", "events"]),
];

const fn model(args: &'static [&'static str]) -> Row {
    Row { server: "threaded-server", args, wire: Wire::Json, raw: false }
}

/// All servers that take raw requests: the models too, though their own rows frame them.
pub fn raw_rows() -> impl Iterator<Item = Row> {
    let raw = |row: &Row| row.raw || row.is_model();
    ROWS.into_iter().filter(raw).map(|row| Row { raw: true, ..row })
}

/// Each server, with each form of requests that it takes.
pub fn every_form() -> impl Iterator<Item = Row> {
    ROWS.into_iter().filter(|row| !row.raw).chain(raw_rows())
}

/// Each client, with each form of requests that it sends. To the client of the models they are all the same.
pub fn client_rows() -> impl Iterator<Item = Row> {
    every_form().filter(|row| !row.is_model() || row.args.contains(&"threads"))
}

impl Row {
    pub fn name(&self) -> String {
        [&[self.server], self.args, self.form()].concat().join(" ")
    }

    /// If both forms of a request are possible, the one that isn't the default needs an option.
    fn form(&self) -> &'static [&'static str] {
        let has_both = matches!(self.wire, Wire::Prefix | Wire::Json);
        if self.raw && has_both { &["--requests", "raw"] } else { &[] }
    }

    /// Whether it is a model of the threaded server, which can limit its connections.
    pub fn is_model(&self) -> bool {
        self.server == "threaded-server"
    }

    /// Whether it serves several clients at once.
    pub fn is_concurrent(&self) -> bool {
        self.is_model() && !self.args.contains(&"serial")
    }

    /// Whether each connection has a process of its own.
    pub fn is_of_processes(&self) -> bool {
        self.args.contains(&"processes")
    }

    /// Whether its answers say how a command ended.
    pub fn has_status(&self) -> bool {
        self.wire == Wire::Json
    }

    /// The package that the server belongs to.
    pub fn package(&self) -> &'static str {
        match self.server {
            "threaded-server" => self.server,
            server => server.trim_end_matches("-server"),
        }
    }

    pub fn program(&self) -> PathBuf {
        stage::binary(self.server).unwrap()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.program());
        command.args(self.args).args(self.form()).args(args);
        command
    }

    pub fn start(&self, args: &[&str]) -> Program {
        self.start_as(&mut self.command(args))
    }

    pub fn start_as(&self, command: &mut Command) -> Program {
        self.start_at("127.0.0.1:0", command)
    }

    pub fn start_at(&self, listen: &str, command: &mut Command) -> Program {
        Program::start(&self.name(), command.args(["--listen", listen])).unwrap()
    }

    pub fn client_name(&self) -> String {
        self.server.replace("-server", "-client")
    }

    pub fn client_program(&self) -> PathBuf {
        stage::binary(&self.client_name()).unwrap()
    }

    /// What the client has to be told to speak with this server.
    pub fn client_args(&self, address: &str) -> Vec<String> {
        let part: &[&str] = match self.wire {
            // One recv should return a whole refusal.
            Wire::Bare => &["shell", "--bufsize", "4096"],
            _ => &[],
        };
        let args = [part, self.form(), &["--connect", address]].concat();
        args.into_iter().map(str::to_owned).collect()
    }

    pub fn client(&self, address: &str) -> Command {
        let mut command = Command::new(self.client_program());
        command.args(self.client_args(address));
        command
    }

    /// The bytes of a request.
    pub fn request(&self, command: &str) -> Vec<u8> {
        let length = i32::try_from(command.len()).unwrap().to_le_bytes();
        [if self.raw { &[][..] } else { &length }, command.as_bytes()].concat()
    }

    /// What comes before an answer of this many bytes.
    pub fn head(&self, length: usize) -> Vec<u8> {
        let prefix = |length: usize| i32::try_from(length).unwrap().to_le_bytes();
        match self.wire {
            Wire::Bare => Vec::new(),
            Wire::Ack => length.to_string().into_bytes(),
            Wire::Prefix => prefix(length).to_vec(),
            Wire::Json => {
                let header = format!("{{\"data_len\":{length}}}");
                [&prefix(header.len()), header.as_bytes()].concat()
            }
        }
    }

    pub fn ask(&self, conn: &mut TcpStream, command: &str) -> String {
        conn.write_all(&self.request(command)).unwrap();
        self.hear(conn)
    }

    /// An answer. If nothing says how long it is, it is one line.
    pub fn hear(&self, conn: &mut TcpStream) -> String {
        let bytes = match self.wire {
            Wire::Bare => {
                let mut line = Vec::new();
                let mut byte = [0];
                while line.last() != Some(&b'\n') && read(conn, &mut byte) > 0 {
                    line.push(byte[0]);
                }
                line
            }
            Wire::Ack => {
                let mut body = vec![0; self.say_ok(conn)];
                conn.read_exact(&mut body).unwrap();
                body
            }
            Wire::Prefix => body(conn, PrefixFraming::default()),
            Wire::Json => body(conn, JsonFraming::default()),
        };
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Reads how long the answer is and sends the `OK`, if the server waits for one.
    pub fn say_ok(&self, conn: &mut TcpStream) -> usize {
        if self.wire != Wire::Ack {
            return 0;
        }
        let mut length = [0; 16];
        let n = read(conn, &mut length);
        conn.write_all(b"OK").unwrap();
        std::str::from_utf8(&length[..n]).unwrap().parse().unwrap()
    }

    /// Another client, served from its connection to its answer.
    pub fn echo(&self, address: &str) -> String {
        self.ask(&mut connect(address), "echo hi")
    }
}

/// The body of the next answer.
fn body<F: Framing>(conn: &mut TcpStream, framing: F) -> Vec<u8> {
    let mut answers = Decoder::new(framing);
    loop {
        if let Some(answer) = answers.decode().unwrap() {
            return answer.body.to_vec();
        }
        let n = read(conn, answers.space());
        assert_ne!(n, 0, "the stream ended before the answer");
        answers.filled(n);
    }
}

/// What one read returns.
pub fn read(conn: &mut TcpStream, buffer: &mut [u8]) -> usize {
    observe::uninterrupted(|| conn.read(buffer)).unwrap()
}

/// Plays all rows side by side: most of their time is waiting.
pub fn for_each_row(rows: impl IntoIterator<Item = Row>, play: impl Fn(Row) + Sync) {
    thread::scope(|scope| {
        let play = &play;
        for row in rows {
            thread::Builder::new().name(row.name()).spawn_scoped(scope, move || play(row)).unwrap();
        }
    });
}

pub fn connect(address: &str) -> TcpStream {
    let conn = TcpStream::connect(address).unwrap();
    conn.set_read_timeout(Some(LONG)).unwrap();
    conn
}

/// Waits until a server says that it has been told to stop. It does so with `-v`.
pub fn wait_until_told(server: &Program) {
    let stopping = |line: &Line| String::from_utf8_lossy(&line.text).contains("stopping");
    server
        .wait_until("log: stopping", LONG, |lines| lines.iter().any(stopping).then_some(()))
        .unwrap();
}

/// Ends our side. Everything that arrives up to the end of the stream, or up to a reset.
pub fn rest(conn: &mut TcpStream) -> String {
    let _ = conn.shutdown(Shutdown::Write);
    let mut came = Vec::new();
    let _ = conn.read_to_end(&mut came);
    String::from_utf8_lossy(&came).into_owned()
}

/// Ends our side. Everything that arrives up to the end of the stream; a reset is an error.
pub fn rest_in_order(mut conn: TcpStream) -> Vec<u8> {
    // It may have ended already.
    let _ = conn.shutdown(Shutdown::Write);
    let mut came = Vec::new();
    conn.read_to_end(&mut came).unwrap();
    came
}
