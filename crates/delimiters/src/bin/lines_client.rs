//! A line feed ends each message, the client: it sends all its messages in one write, and reads as many lines.
//!
//! ```text
//! 1$ cargo run -q --bin lines-server
//! listening on 127.0.0.1:8888
//! message 1: hello
//! message 2: hi
//!
//! 2$ cargo run -q --bin lines-client -- hello hi
//! HELLO
//! HI
//! ```

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use observe::{Failure, Socket, report};
use proto::lines::{self, LinesFraming};
use proto::{Decoder, ReadError};
use socket2::{Domain, Type};

fn main() -> ExitCode {
    let args = Args::parse();
    observe::exit_when_interrupted();
    report(run(&args))
}

fn connect(args: &Args) -> io::Result<Socket> {
    let conn = Socket::new(Domain::for_address(args.connect), Type::STREAM, None)?;
    conn.set_read_timeout(Some(args.timeout))?;
    conn.set_write_timeout(Some(args.timeout))?;
    conn.connect(&args.connect.into())?;
    Ok(conn)
}

fn run(args: &Args) -> Result<(), Failure> {
    args.log.start()?;
    let conn = connect(args).map_err(Failure::cannot_connect(args.connect))?;
    send(&conn, args).map_err(Failure::asking(args.connect, "sending"))?;
    let mut answers = Decoder::new(LinesFraming::new(args.max_line));
    for _ in &args.messages {
        let answer = receive(&conn, &mut answers)
            .map_err(|error| Failure::receiving(args.connect, error, answers.progress()))?;
        print(&answer).map_err(Failure::Stdout)?;
    }
    end(&conn, &mut answers).map_err(Failure::asking(args.connect, "after the last answer"))
}

/// All messages in one write, a line each: glued as closely as can be, and a server must not care.
fn send(mut conn: &Socket, args: &Args) -> io::Result<()> {
    let mut stream = Vec::new();
    for message in &args.messages {
        let mut line = lines::encode(message.as_bytes());
        if args.crlf {
            line.insert(line.len() - 1, b'\r');
        }
        stream.extend(line);
    }
    conn.write_all(&stream)?;
    // Nothing more follows: the server reads the end of the stream after the last line.
    conn.shutdown(Shutdown::Write)
}

/// The read loop: ask the decoder; while no whole line is there, recv more.
fn receive(conn: &Socket, answers: &mut Decoder<LinesFraming>) -> Result<Vec<u8>, ReadError> {
    loop {
        match answers.decode()? {
            Some(line) => return Ok(lines::decode(line.body)?),
            None => match conn.recv(answers.space())? {
                0 => return Err(answers.unexpected_end().into()), // an answer was due
                n => answers.filled(n),
            },
        }
    }
}

/// After the last answer comes the end of the stream, and nothing else.
fn end(conn: &Socket, answers: &mut Decoder<LinesFraming>) -> Result<(), ReadError> {
    answers.expect_nothing_more(0)?;
    let n = conn.recv(answers.space())?;
    answers.filled(n);
    Ok(answers.expect_nothing_more(conn.unread())?)
}

fn print(answer: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(&[answer, b"\n"].concat())?;
    out.flush()
}

/// Sends messages, a line each, and prints the server's answers.
///
/// The lesson: a delimiter. All messages leave in one write, and each still has its end: the line feed.
/// One inside a message is escaped; try $'two\nlines'.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("lines_client.rs")))]
struct Args {
    /// What to send; each is a message
    #[arg(value_name = "MESSAGE", default_values = ["hello", "hi"])]
    messages: Vec<String>,
    /// Where the server listens
    #[arg(long, value_name = "ADDR", default_value = proto::agreed::ADDRESS, value_parser = observe::parse_address)]
    connect: SocketAddr,
    /// End lines with carriage return and line feed, as SMTP and HTTP do
    #[arg(long)]
    crlf: bool,
    /// The longest answer that is accepted, in bytes before the line feed
    #[arg(long, value_name = "BYTES", default_value_t = lines::MAX_LINE)]
    max_line: usize,
    /// How long the server may be silent, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = observe::parse_seconds)]
    timeout: Duration,
    #[command(flatten)]
    log: observe::LogArgs,
}
