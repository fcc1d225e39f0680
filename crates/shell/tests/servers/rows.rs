//! The servers, and how to talk to each.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use proto::json::JsonFraming;
use proto::prefix::PrefixFraming;
use proto::{Decoder, Framing};
use stage::Program;

/// What a test never waits for in vain.
pub const LONG: Duration = Duration::from_secs(20);

/// One server, as it is started, and what it speaks.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    program: &'static str,
    args: &'static [&'static str],
    wire: Wire,
    pub raw: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    Bare,
    Ack,
    Prefix,
    Json,
}

const RAW: &[&str] = &["--requests", "raw"];

pub const ROWS: [Row; 11] = [
    Row { program: "sticky-packet-repro-server", args: &["shell"], wire: Wire::Bare, raw: true },
    Row { program: "fix-ack-handshake-server", args: &[], wire: Wire::Ack, raw: true },
    Row { program: "fix-struct-prefix-server", args: &[], wire: Wire::Prefix, raw: false },
    Row { program: "fix-struct-prefix-server", args: RAW, wire: Wire::Prefix, raw: true },
    Row { program: "fix-json-header-server", args: &[], wire: Wire::Json, raw: false },
    Row { program: "fix-json-header-server", args: RAW, wire: Wire::Json, raw: true },
    model(&["--model", "serial"]),
    model(&["--model", "threads"]),
    model(&["--model", "pool"]),
    model(&["--model", "processes"]),
    model(&["--model", "events"]),
];

const fn model(args: &'static [&'static str]) -> Row {
    Row { program: "threaded-server", args, wire: Wire::Json, raw: false }
}

impl Row {
    pub fn name(&self) -> String {
        [&[self.program], self.args].concat().join(" ")
    }

    /// Whether it serves several clients at once.
    pub fn is_concurrent(&self) -> bool {
        self.program == "threaded-server" && !self.args.contains(&"serial")
    }

    /// Whether its answers say how a command ended.
    pub fn has_status(&self) -> bool {
        self.wire == Wire::Json
    }

    /// Whether it has `--max-connections`.
    pub fn has_seats(&self) -> bool {
        self.program == "threaded-server"
    }

    pub fn program(&self) -> PathBuf {
        stage::binary(self.program).unwrap()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.program());
        command.args(self.args).args(args);
        command
    }

    pub fn start(&self, args: &[&str]) -> Program {
        self.start_as(&mut self.command(args))
    }

    pub fn start_as(&self, command: &mut Command) -> Program {
        command.args(["--listen", "127.0.0.1:0"]);
        Program::start(&self.name(), command).unwrap()
    }

    /// The bytes of a request.
    pub fn request(&self, command: &str) -> Vec<u8> {
        let length = i32::try_from(command.len()).unwrap().to_le_bytes();
        [if self.raw { &[][..] } else { &length }, command.as_bytes()].concat()
    }

    pub fn ask(&self, conn: &mut TcpStream, command: &str) -> String {
        conn.write_all(&self.request(command)).unwrap();
        self.hear(conn)
    }

    /// An answer. Where nothing says how long it is, it is a line.
    pub fn hear(&self, conn: &mut TcpStream) -> String {
        let bytes = match self.wire {
            Wire::Bare => {
                let mut line = Vec::new();
                let mut byte = [0];
                while line.last() != Some(&b'\n') && conn.read(&mut byte).unwrap() > 0 {
                    line.push(byte[0]);
                }
                line
            }
            Wire::Ack => {
                let mut length = [0; 16];
                let n = conn.read(&mut length).unwrap();
                let length = std::str::from_utf8(&length[..n]).unwrap().parse().unwrap();
                conn.write_all(b"OK").unwrap();
                let mut body = vec![0; length];
                conn.read_exact(&mut body).unwrap();
                body
            }
            Wire::Prefix => body(conn, PrefixFraming::default()),
            Wire::Json => body(conn, JsonFraming::default()),
        };
        String::from_utf8_lossy(&bytes).into_owned()
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
        // A child of this test may end at any time, and SIGCHLD interrupts a read.
        let n = match conn.read(answers.space()) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read.unwrap(),
        };
        assert_ne!(n, 0, "the stream ended before the answer");
        answers.filled(n);
    }
}

/// Plays all rows side by side: most of their time is waiting.
pub fn for_each_row(rows: impl Iterator<Item = Row>, play: impl Fn(Row) + Sync) {
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

/// All that comes until the end of the stream, which a reset may be as well.
pub fn rest(conn: &mut TcpStream) -> String {
    let _ = conn.shutdown(Shutdown::Write);
    let mut came = Vec::new();
    let _ = conn.read_to_end(&mut came);
    String::from_utf8_lossy(&came).into_owned()
}

/// A FIFO: a command opens it, and its other end tells when the last process that holds it is gone.
pub struct Held {
    path: PathBuf,
    reader: File,
}

impl Held {
    pub fn new(folder: &std::path::Path, name: &str) -> Held {
        let path = folder.join(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        // Opened for both, so that nobody waits for the other; what is read is what a command wrote.
        let reader = File::options().read(true).write(true).open(&path).unwrap();
        Held { path, reader }
    }

    /// Says `begun` into the FIFO, holds it, and sleeps.
    pub fn command(&self) -> String {
        format!("exec 3>{}; echo begun >&3; sleep 600", self.path.display())
    }

    pub fn wait_until_begun(&mut self) {
        let mut begun = [0; 6];
        self.reader.read_exact(&mut begun).unwrap();
        assert_eq!(&begun, b"begun\n");
    }

    /// Returns once no process holds it any more.
    pub fn wait_until_gone(self) {
        let mut reader = File::open(&self.path).unwrap();
        drop(self.reader);
        let mut more = String::new();
        reader.read_to_string(&mut more).unwrap();
        assert_eq!(more, "");
        fs::remove_file(&self.path).unwrap();
    }
}
