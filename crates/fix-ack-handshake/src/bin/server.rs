//! Fix 1, the server: it announces how long the answer is, waits for `OK`, and sends it.
//!
//! ```text
//! terminal 1                                      terminal 2
//! $ cargo run -q --bin fix-ack-handshake-server   $ cargo run -q --bin fix-ack-handshake-client
//! listening on 127.0.0.1:8888                     >>: echo hi
//! from 127.0.0.1:51412                            hi
//! ```

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use observe::{Backoff, Failure, LogArgs, Socket, report, say, show};
use proto::request::{RequestForm, RequestFraming};
use proto::{Decoder, MAX_FRAME, Outgoing, ReadError, ack, agreed};
use shell::{Caller, Gate, Output, ServerArgs, Stop, Visitor, Wake};
use socket2::{Domain, SockAddr, Type};

/// How long a client may take for its `OK`, or leave its answer unread.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the commands that a client sends; answers with a length, waits for OK, sends the output.
///
/// The lesson: to announce a length helps, but the announcement `327` has no end of its own. The
/// handshake costs one more round trip a command, and slows the stream down so that it seems right.
#[derive(Parser)]
#[command(
    version,
    after_help = "Two terminals:\n  1$ fix-ack-handshake-server\n  2$ fix-ack-handshake-client -c 'echo hi' -c 'seq 1 1000'"
)]
struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = agreed::ADDRESS, value_parser = observe::parse_address)]
    listen: SocketAddr,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    log: LogArgs,
}

fn main() -> ExitCode {
    let args = Args::parse();
    report(args.log.start().and_then(|()| run(&args)))
}

fn run(args: &Args) -> Result<(), Failure> {
    let gate = args.server.gate(args.listen, RequestForm::Raw)?;
    let listener = listen(args.listen).map_err(Failure::listen(args.listen))?;
    let stop = Stop::on_signals().map_err(Failure::listen(args.listen))?;
    let address = listener.local_addr().map_err(Failure::listen(args.listen))?;
    writeln!(io::stdout(), "listening on {}", show(&address)).map_err(Failure::Stdout)?;
    serve(&listener, &gate, &stop).map_err(Failure::listen(args.listen))
}

fn listen(address: SocketAddr) -> io::Result<Socket> {
    let listener = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&SockAddr::from(address))?;
    listener.listen(128)?;
    Ok(listener)
}

/// One client after another, until the server is told to stop.
fn serve(listener: &Socket, gate: &Gate, stop: &Stop) -> io::Result<()> {
    let mut backoff = Backoff::default();
    while let Wake::Ready = stop.wait_readable(listener, None)? {
        match listener.accept() {
            Ok((conn, peer)) => {
                backoff.reset();
                say(format_args!("from {}", show(&peer)));
                // A refused peer gets its answer from another thread: the next client doesn't wait for that.
                let admitted = gate.admit_in_turns(conn, frame);
                let Some((conn, mut visitor)) = admitted else { continue };
                // What goes wrong with one client is that client's end, not the server's.
                let served = client(&conn, &mut visitor, stop);
                report(served.map_err(Failure::talking(show(&peer), "serving")));
                let _ = goodbye(&conn); // it fails where nobody is left to hear it
            }
            Err(error) => stop.pause(backoff.after(&error).ok_or(error)?)?,
        }
    }
    Ok(())
}

/// One client's commands, one after the other, until it ends or breaks the protocol.
fn client(conn: &Socket, visitor: &mut Visitor, stop: &Stop) -> Result<(), ReadError> {
    conn.set_read_timeout(Some(PATIENCE))?;
    conn.set_write_timeout(Some(PATIENCE))?;
    let caller = Caller::of(conn);
    let mut requests = Decoder::new(RequestFraming::new(RequestForm::Raw, MAX_FRAME));
    while let Some(command) = request(conn, &mut requests, visitor.deadline(), stop)? {
        let Ok(reply) = visitor.answer(&command, &caller) else { break };
        answer(conn, reply.output)?;
        if reply.last {
            break;
        }
    }
    Ok(())
}

/// The next request, or `None` at the end of the stream and when the server is to stop.
fn request(
    conn: &Socket,
    requests: &mut Decoder<RequestFraming>,
    deadline: Option<Instant>,
    stop: &Stop,
) -> Result<Option<Vec<u8>>, ReadError> {
    loop {
        // As in the tutorial: what one recv brings is one request, though nothing promises it.
        if let Some(frame) = requests.decode()? {
            return Ok(Some(frame.body.to_vec()));
        }
        let patience = deadline.map(|end| end.saturating_duration_since(Instant::now()));
        if stop.wait_readable(conn, patience)? == Wake::Stopping {
            return Ok(None);
        }
        match conn.recv(requests.space())? {
            0 => return Ok(None),
            n => requests.filled(n),
        }
    }
}

/// The handshake: how long, `OK`, the bytes.
fn answer(mut conn: &Socket, output: Output) -> Result<(), ReadError> {
    let [length, body] = frame(output)?;
    conn.write_all(&length)?;

    // Two bytes and no more: behind an `OK` for an empty answer the next command may follow at once.
    let mut ok = [0; ack::OK.len()];
    conn.read_exact(&mut ok)?;
    ack::decode_ok(ok)?;

    let mut body = Outgoing::new([body]);
    Ok(shell::patiently(conn, PATIENCE, || body.write_to(&mut conn))?)
}

/// What goes before the peer's `OK`, and what goes after it.
fn frame(output: Output) -> io::Result<[Vec<u8>; 2]> {
    let output = output.with_remark();
    let length = ack::encode_head(output.total()).map_err(io::Error::other)?;
    Ok([length.into_bytes(), [output.stdout, output.stderr].concat()])
}

/// Closing while input is unread would reset the connection, and the reset can overtake the answer.
/// So: say that we are done, read for a moment what still comes, then close.
fn goodbye(conn: &Socket) -> io::Result<()> {
    conn.shutdown(Shutdown::Write)?;
    conn.set_read_timeout(Some(Duration::from_secs(1)))?;
    let end = Instant::now() + Duration::from_secs(1);
    while Instant::now() < end && conn.recv(&mut [0; 1024])? > 0 {}
    Ok(())
}
