//! Every message has the same length, the client: it sends all its messages in one write, and reads as many records.
//!
//! ```text
//! 1$ cargo run -q --bin fixed-server
//! listening on 127.0.0.1:8888
//! message 1: hello
//! message 2: hi
//!
//! 2$ cargo run -q --bin fixed-client -- hello hi
//! HELLO
//! HI
//! ```

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::builder::{RangedU64ValueParser, TypedValueParser as _};
use observe::{Failure, Socket, report};
use proto::fixed::{self, FixedFraming, NoRecord};
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
    // Not every message has a record: it is better to know before anything is sent.
    let stream = encode(args)
        .map_err(|error| Failure::Usage(format!("{error}; try --size on both sides")))?;
    let conn = connect(args).map_err(Failure::cannot_connect(args.connect))?;
    send(&conn, &stream).map_err(Failure::asking(args.connect, "sending"))?;
    let mut answers = Decoder::new(FixedFraming { size: args.size });
    for _ in &args.messages {
        let answer = receive(&conn, &mut answers)
            .map_err(|error| Failure::receiving(args.connect, error, answers.progress()))?;
        print(&answer).map_err(Failure::Stdout)?;
    }
    end(&conn, &mut answers).map_err(Failure::asking(args.connect, "after the last answer"))
}

fn encode(args: &Args) -> Result<Vec<u8>, NoRecord> {
    let records = args.messages.iter().map(|message| fixed::encode(message.as_bytes(), args.size));
    Ok(records.collect::<Result<Vec<_>, _>>()?.concat())
}

/// All records in one write: glued as closely as can be, and a server must not care.
fn send(mut conn: &Socket, stream: &[u8]) -> io::Result<()> {
    conn.write_all(stream)?;
    // Nothing more follows: the server reads the end of the stream after the last record.
    conn.shutdown(Shutdown::Write)
}

/// The read loop: ask the decoder; while no whole record is there, recv more.
fn receive(conn: &Socket, answers: &mut Decoder<FixedFraming>) -> Result<Vec<u8>, ReadError> {
    loop {
        match answers.decode()? {
            Some(record) => return Ok(fixed::decode(record.body).to_vec()),
            None => match conn.recv(answers.space())? {
                0 => return Err(answers.unexpected_end().into()), // an answer was due
                n => answers.filled(n),
            },
        }
    }
}

/// After the last answer comes the end of the stream, and nothing else.
fn end(conn: &Socket, answers: &mut Decoder<FixedFraming>) -> Result<(), ReadError> {
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

/// Sends messages, a record each, and prints the server's answers.
///
/// The lesson: fixed length. All messages leave in one write, and each still has its end: after so many
/// bytes. What is shorter is filled up with zero bytes; what is longer can't be sent.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("fixed_client.rs")))]
struct Args {
    /// What to send; each is a message
    #[arg(value_name = "MESSAGE", default_values = ["hello", "hi"])]
    messages: Vec<String>,
    /// Where the server listens
    #[arg(long, value_name = "ADDR", default_value = proto::agreed::ADDRESS, value_parser = observe::parse_address)]
    connect: SocketAddr,
    /// The size of a record, the same on both sides; at most 65536
    #[arg(long, value_name = "BYTES", default_value = "8", value_parser = RangedU64ValueParser::<usize>::new()
        .range(1..=65536).try_map(NonZeroUsize::try_from))]
    size: NonZeroUsize,
    /// How long the server may be silent, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = observe::parse_seconds)]
    timeout: Duration,
    #[command(flatten)]
    log: observe::LogArgs,
}
