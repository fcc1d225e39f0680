//! Fix 2, the client: read four bytes, then exactly as many as they say.
//!
//! ```text
//! 1$ cargo run -q --bin fix-struct-prefix-server
//! listening on 127.0.0.1:8888
//! from 127.0.0.1:51412
//!
//! 2$ cargo run -q --bin fix-struct-prefix-client
//! >>: echo hi
//! hi
//! ```

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use observe::{Failure, Socket, report};
use proto::prefix::PrefixFraming;
use proto::request::{self, RequestForm};
use proto::{Decoder, Outgoing, ReadError};
use socket2::{Domain, Type};

fn main() -> ExitCode {
    let args = Args::parse();
    observe::exit_when_interrupted();
    report(run(&args))
}

fn run(args: &Args) -> Result<(), Failure> {
    args.log.start()?;
    let conn = connect(args).map_err(Failure::cannot_connect(args.connect))?;
    ask(&conn, args)
}

fn connect(args: &Args) -> io::Result<Socket> {
    let conn = Socket::new(Domain::for_address(args.connect), Type::STREAM, None)?;
    conn.set_read_timeout(Some(args.timeout))?;
    conn.set_write_timeout(Some(args.timeout))?;
    conn.connect(&args.connect.into())?;
    Ok(conn)
}

/// One command after another: send it, receive its answer, print it.
fn ask(conn: &Socket, args: &Args) -> Result<(), Failure> {
    let mut answers = Decoder::new(PrefixFraming { max_frame: args.max_frame });
    for command in args.prompt.commands(conn)? {
        let command = command?;
        // Something may have arrived while the user was typing: it would be mistaken for the answer.
        if conn.unread() > 0 {
            let error = unasked(conn, &mut answers);
            return Err(Failure::asking(args.connect, "before the command")(error));
        }
        send(conn, &command, args.requests)
            .map_err(Failure::asking(args.connect, "sending the command"))?;
        let answer = receive(conn, &mut answers)
            .map_err(|error| Failure::receiving(args.connect, error, answers.progress()))?;
        command.print(answer)?;
        answers
            .expect_nothing_more(conn.unread())
            .map_err(Failure::asking(args.connect, "after the answer"))?;
    }
    Ok(())
}

/// Length and command leave in one write; a raw request is only the command.
fn send(mut conn: &Socket, command: &[u8], form: RequestForm) -> io::Result<()> {
    let head = request::encode_head(form, command.len()).map_err(io::Error::other)?;
    Outgoing::new([&head, command]).write_to(&mut conn)
}

/// The read loop: ask the decoder; as long as no whole answer is there, recv more.
fn receive(conn: &Socket, answers: &mut Decoder<PrefixFraming>) -> Result<Vec<u8>, ReadError> {
    loop {
        match answers.decode()? {
            Some(frame) => return Ok(frame.body.to_vec()),
            None => match conn.recv(answers.space())? {
                0 => return Err(answers.unexpected_end().into()), // an answer was due
                n => answers.filled(n),
            },
        }
    }
}

/// What arrived before we asked: perhaps a whole message with which the server refuses this client.
fn unasked(conn: &Socket, answers: &mut Decoder<PrefixFraming>) -> ReadError {
    match conn.recv(answers.space()) {
        Ok(n) => answers.filled(n),
        Err(error) => return error.into(),
    }
    answers.unasked(conn.unread()).into()
}

/// Sends commands to the server and prints their output.
///
/// The lesson: the read loop. recv returns part of an answer, or a whole one, or more than one; the
/// decoder says when one is whole. An answer is a 4-byte length (little-endian) and then that many bytes.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("client.rs")))]
struct Args {
    /// Where the server listens
    #[arg(long, value_name = "ADDR", default_value = proto::agreed::ADDRESS, value_parser = observe::parse_address)]
    connect: SocketAddr,
    /// How requests go: framed like the answers, or raw like the tutorial's
    #[arg(long, value_name = "FORM", default_value_t)]
    requests: RequestForm,
    /// The longest answer that is accepted, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = proto::MAX_FRAME, value_parser = observe::parse_number::<usize>)]
    max_frame: usize,
    /// How long the server may be silent, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = observe::parse_seconds)]
    timeout: Duration,
    #[command(flatten)]
    prompt: shell::PromptArgs,
    #[command(flatten)]
    log: observe::LogArgs,
}
