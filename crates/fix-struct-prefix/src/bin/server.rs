//! Fix 2, the server: four bytes before each answer say how long it is.
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
//!
//! It runs what its clients send. Who may connect is decided in `shell::Gate`.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use observe::{Failure, Socket, report};
use proto::{Decoder, Outgoing, prefix};
use shell::SessionEnd;
use socket2::{Domain, Type};

fn main() -> ExitCode {
    let args = Args::parse();
    report(serve(&args))
}

/// socket, bind, listen.
fn listen(address: SocketAddr) -> io::Result<Socket> {
    let listener = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&address.into())?;
    listener.listen(128)?;
    Ok(listener)
}

/// One client after another, until a signal ends the server.
fn serve(args: &Args) -> Result<(), Failure> {
    args.log.start()?;
    // On Ctrl-C, recv soon returns 0 on every open connection; then the process exits.
    let shutdown = shell::Shutdown::on_signals()?;
    let gate = args.server.gate(args.listen, args.requests, &shutdown)?;
    let listener = listen(args.listen).map_err(Failure::cannot_listen(args.listen))?;
    observe::say_listening(&listener)?;
    let mut backoff = observe::Backoff::default();
    loop {
        // If accept fails for a reason that passes (a client that has left, too many open files), try again.
        let Some((conn, peer)) = backoff.check(listener.accept())? else { continue };
        // It checks who the client is, calls client, and closes the connection. With frame it can send a refusal.
        gate.serve(conn, &peer, frame, |conn, session| client(conn, session, args));
    }
}

/// One client: read a request, run it, answer; and again, until the stream ends.
fn client(conn: &Socket, session: &mut shell::Session, args: &Args) -> Result<(), SessionEnd> {
    let framing = proto::request::RequestFraming::new(args.requests, args.max_frame);
    let mut requests = Decoder::new(framing);
    loop {
        // The read loop: ask the decoder; as long as no whole request is there, recv more.
        let command = loop {
            match requests.decode()? {
                Some(frame) => break frame.body,
                None => {
                    // Between requests a client may wait as long as it likes. Once a request has begun, the rest must
                    // come within 30 s.
                    session.await_rest(conn, requests.unread())?;
                    match conn.recv(requests.space())? {
                        0 => return Ok(requests.check_end()?), // between two frames the normal end
                        n => requests.filled(n),
                    }
                }
            }
        };
        let output = session.run(command, conn)?;
        // One write for all three pieces: a second write could wait 40 ms for an ACK (Nagle's algorithm).
        shell::write_with_timeout(conn, Outgoing::new(frame(output)?))?;
    }
}

/// The answer: how long it is, then the command's stdout and its stderr.
fn frame(output: shell::Output) -> Result<[Vec<u8>; 3], proto::EncodeError> {
    let output = output.with_remark();
    let length = prefix::encode_head(output.total())?; // Python: struct.pack('<i', total)
    Ok([length.to_vec(), output.stdout, output.stderr])
}

/// Runs the commands that a client sends, and answers each with its length and its output.
///
/// The lesson: a message that says how long it is can be read whole, however the network cuts the
/// stream. An answer is a 4-byte length (little-endian) and then that many bytes.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("server.rs")))]
struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = proto::agreed::ADDRESS, value_parser = observe::parse_address)]
    listen: SocketAddr,
    /// How requests come: framed like the answers, or raw like the tutorial's
    #[arg(long, value_name = "FORM", default_value_t)]
    requests: proto::request::RequestForm,
    /// The longest request that is accepted, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = proto::MAX_FRAME, value_parser = observe::parse_number::<usize>)]
    max_frame: usize,
    #[command(flatten)]
    server: shell::ServerArgs,
    #[command(flatten)]
    log: observe::LogArgs,
}
