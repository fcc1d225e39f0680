//! Fix 1, the client: read how long the answer is, say `OK`, read that many bytes.
//!
//! ```text
//! 1$ cargo run -q --bin fix-ack-handshake-server
//! listening on 127.0.0.1:8888
//! from 127.0.0.1:51412
//!
//! 2$ cargo run -q --bin fix-ack-handshake-client
//! >>: echo hi
//! hi
//! ```

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use observe::{Failure, Socket, report};
use proto::ack::{self, KnownLength};
use proto::{Decoder, FrameError, ReadError};
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
fn ask(mut conn: &Socket, args: &Args) -> Result<(), Failure> {
    let mut body = Decoder::new(KnownLength::new(0));
    for command in args.prompt.commands(conn)? {
        let command = command?;
        // Something may have arrived while the user was typing: it would be mistaken for the answer.
        if conn.unread() > 0 {
            let error = unasked(conn, &mut body);
            return Err(Failure::asking(args.connect, "before the command")(error));
        }
        // As in the tutorial, the request has no frame: the bytes of the command and nothing else.
        conn.write_all(&command).map_err(Failure::asking(args.connect, "sending the command"))?;
        let length = handshake(conn, args.max_frame)
            .map_err(Failure::asking(args.connect, "waiting for the answer"))?;
        body = Decoder::new(KnownLength::new(length));
        let answer = receive(conn, &mut body)
            .map_err(|error| Failure::receiving(args.connect, error, body.progress()))?;
        command.print(answer)?;
        body.expect_nothing_more(conn.unread())
            .map_err(Failure::asking(args.connect, "after the answer"))?;
    }
    Ok(())
}

/// The handshake: receive the length, send `OK`.
fn handshake(mut conn: &Socket, max_frame: usize) -> Result<usize, ReadError> {
    // Whatever one recv returns is treated as the length: this protocol gives us no way to know better. If 327
    // is cut into `3` and `27` on its way, it is read as 3. That is the weakness of fix 1.
    let mut text = [0; ack::MAX_DIGITS + 1];
    let length = match conn.recv(&mut text)? {
        0 => return Err(FrameError::NoAnswer.into()),
        n => ack::decode_length(&text[..n], max_frame)?,
    };
    conn.write_all(ack::OK)?;
    Ok(length)
}

/// The read loop: now that the length is known, as many recvs as it takes.
fn receive(conn: &Socket, body: &mut Decoder<KnownLength>) -> Result<Vec<u8>, ReadError> {
    loop {
        match body.decode()? {
            Some(frame) => return Ok(frame.body.to_vec()),
            None => match conn.recv(body.space())? {
                0 => return Err(body.unexpected_end().into()), // before all of it arrived
                n => body.filled(n),
            },
        }
    }
}

/// What arrived unasked: perhaps a whole message in which the server refuses this client.
fn unasked(conn: &Socket, body: &mut Decoder<KnownLength>) -> ReadError {
    match conn.recv(body.space()) {
        Ok(n) => body.filled(n),
        Err(error) => return error.into(),
    }
    body.unasked(conn.unread()).into()
}

/// Sends commands to the server and prints their output.
///
/// The lesson: once you know the length, you can read the whole answer, in as many recvs as it takes. But
/// nothing marks the end of the length itself: one recv must return all of it, and a handshake can't promise that.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("client.rs")))]
struct Args {
    /// Where the server listens
    #[arg(long, value_name = "ADDR", default_value = proto::agreed::ADDRESS, value_parser = observe::parse_address)]
    connect: SocketAddr,
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
