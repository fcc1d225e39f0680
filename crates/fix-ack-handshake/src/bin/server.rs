//! Fix 1, the server: it announces how long the answer is, waits for `OK`, and sends it.
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
//!
//! It runs what its clients send. Who may connect is decided in `shell::Gate`.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use observe::{Failure, Socket, report};
use proto::{Outgoing, ack};
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
    let gate = args.server.gate(args.listen, proto::request::RequestForm::Raw, &shutdown)?;
    let listener = listen(args.listen).map_err(Failure::cannot_listen(args.listen))?;
    observe::say_listening(&listener)?;
    let mut backoff = observe::Backoff::default();
    loop {
        // If accept fails for a reason that passes (a client that has left, too many open files), try again.
        let Some((conn, peer)) = backoff.check(listener.accept())? else { continue };
        // It checks who is there, calls client, and closes the connection. It needs frame to send a refusal.
        gate.serve_in_turns(conn, &peer, frame, client);
    }
}

/// One client: read a request, run it, answer; and again, until the stream ends.
fn client(conn: &Socket, session: &mut shell::Session) -> Result<(), SessionEnd> {
    let mut buffer = [0; shell::MAX_RAW_REQUEST + 1];
    loop {
        session.await_rest(conn, &[])?;
        // As in the tutorial: whatever one recv returns is treated as one request, though TCP does not promise that.
        let command = match conn.recv(&mut buffer)? {
            0 => return Ok(()),
            n => &buffer[..n],
        };
        let output = session.run(command, conn)?;
        answer(conn, frame(output)?)?;
    }
}

/// The handshake: send the length, wait for `OK`, send the output.
fn answer(conn: &Socket, [length, body]: [Vec<u8>; 2]) -> Result<(), SessionEnd> {
    shell::write_with_timeout(conn, Outgoing::new([length]))?;

    // Read exactly two bytes. If the answer is empty, the next command may follow right after `OK`, and must stay in the
    // socket.
    let mut ok = [0; ack::OK.len()];
    let mut got = 0;
    let deadline = shell::Deadline::after(shell::FRAME_TIMEOUT);
    while got < ok.len() {
        shell::wait_readable(conn, deadline).map_err(shell::still_missing(
            "`OK`",
            &ok[..got],
            conn,
        ))?;
        match conn.recv(&mut ok[got..])? {
            0 => break, // decode_ok says how much is missing
            n => got += n,
        }
    }
    ack::decode_ok(&ok[..got])?;

    shell::write_with_timeout(conn, Outgoing::new([body]))?;
    Ok(())
}

/// The answer in two parts: what is sent before `OK`, and what after it.
fn frame(output: shell::Output) -> Result<[Vec<u8>; 2], proto::EncodeError> {
    let output = output.with_remark();
    let length = ack::encode_head(output.total())?;
    Ok([length, [output.stdout, output.stderr].concat()])
}

/// Runs the commands that a client sends; answers with a length, waits for OK, sends the output.
///
/// The lesson: announcing the length helps, but nothing marks the end of the announcement `327` itself.
/// The handshake costs one more round trip per command, and only seems to work because it slows things down.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("server.rs")))]
struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = proto::agreed::ADDRESS, value_parser = observe::parse_address)]
    listen: SocketAddr,
    #[command(flatten)]
    server: shell::ServerArgs,
    #[command(flatten)]
    log: observe::LogArgs,
}
