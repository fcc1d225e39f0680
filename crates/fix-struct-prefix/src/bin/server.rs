//! Fix 2, the server: four bytes before each answer say how long it is.
//!
//! ```text
//! terminal 1                                      terminal 2
//! $ cargo run -q --bin fix-struct-prefix-server   $ cargo run -q --bin fix-struct-prefix-client
//! listening on 127.0.0.1:8888                     >>: echo hi
//! from 127.0.0.1:51412                            hi
//! ```

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use observe::{Backoff, Failure, LogArgs, Socket, report, say, show};
use proto::request::{RequestForm, RequestFraming};
use proto::{Decoder, MAX_FRAME, Outgoing, ReadError, agreed, prefix};
use shell::{Caller, Gate, Output, Refusal, ServerArgs, Stop, Visitor, Wake};
use socket2::{Domain, SockAddr, Type};

/// How long a client may take for the rest of a frame it has begun, or leave its answer unread.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the commands that a client sends, and answers each with its length and its output.
///
/// The lesson: a message that says how long it is can be read whole, however the network cuts the
/// stream. Answers are a 4-byte length (little-endian) and then that many bytes.
#[derive(Parser)]
#[command(
    version,
    after_help = "Two terminals:\n  1$ fix-struct-prefix-server\n  2$ fix-struct-prefix-client -c 'echo hi' -c 'seq 1 1000'"
)]
struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = agreed::ADDRESS, value_parser = observe::parse_address)]
    listen: SocketAddr,
    /// How requests come: framed like the answers, or raw like the tutorial's
    #[arg(long, value_name = "FORM", default_value_t)]
    requests: RequestForm,
    /// The longest request that is accepted, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = MAX_FRAME)]
    max_frame: usize,
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
    let gate = args.server.gate(args.listen, args.requests)?;
    let listener = listen(args.listen).map_err(Failure::listen(args.listen))?;
    let stop = Stop::on_signals().map_err(Failure::listen(args.listen))?;
    let address = listener.local_addr().map_err(Failure::listen(args.listen))?;
    writeln!(io::stdout(), "listening on {}", show(&address)).map_err(Failure::Stdout)?;
    serve(&listener, args, &gate, &stop).map_err(Failure::listen(args.listen))
}

fn listen(address: SocketAddr) -> io::Result<Socket> {
    let listener = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&SockAddr::from(address))?;
    listener.listen(128)?;
    Ok(listener)
}

/// One client after another, until the server is told to stop.
fn serve(listener: &Socket, args: &Args, gate: &Gate, stop: &Stop) -> io::Result<()> {
    let mut backoff = Backoff::default();
    while let Wake::Ready = stop.wait_readable(listener, None)? {
        match listener.accept() {
            Ok((conn, peer)) => {
                backoff.reset();
                say(format_args!("from {}", show(&peer)));
                // A refused peer gets its answer from another thread: the next client doesn't wait for that.
                let Some((conn, mut visitor)) = gate.admit(conn, frame) else { continue };
                // What goes wrong with one client is that client's end, not the server's.
                let served = client(&conn, args, &mut visitor, stop);
                report(served.map_err(Failure::talking(show(&peer), "serving")));
                let _ = goodbye(&conn); // it fails where nobody is left to hear it
            }
            Err(error) => stop.pause(backoff.after(&error).ok_or(error)?)?,
        }
    }
    Ok(())
}

/// One client's commands, one after the other, until it ends or breaks the protocol.
fn client(conn: &Socket, args: &Args, visitor: &mut Visitor, stop: &Stop) -> Result<(), ReadError> {
    let caller = Caller::of(conn);
    let mut requests = Decoder::new(RequestFraming::new(args.requests, args.max_frame));
    while let Some(command) = request(conn, &mut requests, visitor.deadline(), stop)? {
        let Ok(reply) = visitor.answer(&command, &caller) else { break };
        answer(conn, reply.output)?;
        if reply.last {
            break;
        }
    }
    Ok(())
}

/// The read loop: the next request, or `None` at the end of the stream and when told to stop.
fn request(
    conn: &Socket,
    requests: &mut Decoder<RequestFraming>,
    mut deadline: Option<Instant>,
    stop: &Stop,
) -> Result<Option<Vec<u8>>, ReadError> {
    // An idle client may think as long as it likes; one inside a frame has so long for the rest.
    loop {
        if let Some(frame) = requests.decode()? {
            return Ok(Some(frame.body.to_vec()));
        }
        // A command that long can't run on any system, so the rest of it isn't read.
        if let Err(refusal) = Refusal::check_length(requests.unread().len()) {
            return Ok(answer(conn, refusal.into()).map(|()| None)?);
        }
        if !requests.unread().is_empty() {
            deadline.get_or_insert(Instant::now() + PATIENCE);
        }
        let patience = deadline.map(|end| end.saturating_duration_since(Instant::now()));
        if stop.wait_readable(conn, patience)? == Wake::Stopping {
            return Ok(None);
        }
        match conn.recv(requests.space())? {
            0 => return Ok(requests.finish().map(|()| None)?),
            n => requests.filled(n),
        }
    }
}

/// Length, stdout and stderr leave in one write: in two, the second would wait 40 ms for an ACK.
fn answer(mut conn: &Socket, output: Output) -> io::Result<()> {
    let mut answer = Outgoing::new(frame(output)?);
    shell::patiently(conn, PATIENCE, || answer.write_to(&mut conn))
}

fn frame(output: Output) -> io::Result<[Vec<u8>; 3]> {
    let output = output.with_remark();
    let prefix = prefix::encode_head(output.total()).map_err(io::Error::other)?;
    Ok([prefix.to_vec(), output.stdout, output.stderr])
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
