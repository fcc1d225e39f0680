//! Fix 1, the client: read how long the answer is, say `OK`, read as many bytes.
//!
//! ```text
//! terminal 1                                      terminal 2
//! $ cargo run -q --bin fix-ack-handshake-server   $ cargo run -q --bin fix-ack-handshake-client
//! listening on 127.0.0.1:8888                     >>: echo hi
//! from 127.0.0.1:51412                            hi
//! ```

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use observe::{Failure, LogArgs, Socket, exit_when_interrupted, report};
use proto::ack::{self, KnownLength, MAX_DIGITS};
use proto::{Decoder, FrameError, MAX_FRAME, Part, ReadError, agreed};
use shell::PromptArgs;
use socket2::{Domain, SockAddr, Type};

/// Sends commands to the server and prints their output.
///
/// The lesson: knowing the length, the answer is read whole, in as many recvs as it takes. But the
/// length itself comes without an end: one recv must bring it, and a handshake cannot promise that.
#[derive(Parser)]
#[command(
    version,
    after_help = "Two terminals:\n  1$ fix-ack-handshake-server\n  2$ fix-ack-handshake-client -c 'echo hi' -c 'seq 1 1000'"
)]
struct Args {
    /// Where the server listens
    #[arg(long, value_name = "ADDR", default_value = agreed::ADDRESS, value_parser = observe::parse_address)]
    connect: SocketAddr,
    /// The longest answer that is accepted, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = MAX_FRAME)]
    max_frame: usize,
    /// How long the server may be silent, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = observe::parse_seconds)]
    timeout: Duration,
    #[command(flatten)]
    prompt: PromptArgs,
    #[command(flatten)]
    log: LogArgs,
}

fn main() -> ExitCode {
    let args = Args::parse();
    exit_when_interrupted();
    report(args.log.start().and_then(|()| run(&args)))
}

fn run(args: &Args) -> Result<(), Failure> {
    let conn = connect(args).map_err(Failure::connect(args.connect))?;
    let ask = |command: &[u8], out: &mut dyn Write| {
        // As in the tutorial, the request has no frame: the bytes of the command and nothing else.
        (&conn)
            .write_all(command)
            .map_err(Failure::talking(args.connect, "sending the command"))?;
        receive(&conn, args.max_frame, out)
            .map_err(Failure::talking(args.connect, "waiting for the answer"))?
            .map_err(Failure::Stdout)
    };
    if let Some(token) = args.prompt.token()? {
        conn.mask(true); // a token belongs in no log and no trace
        ask(&token, &mut io::stderr())?;
        conn.mask(false);
    }
    for command in args.prompt.commands()? {
        ask(&command?, &mut io::stdout())?;
    }
    Ok(())
}

fn connect(args: &Args) -> io::Result<Socket> {
    let conn = Socket::new(Domain::for_address(args.connect), Type::STREAM, None)?;
    conn.set_read_timeout(Some(args.timeout))?;
    conn.set_write_timeout(Some(args.timeout))?;
    conn.connect(&SockAddr::from(args.connect))?;
    Ok(conn)
}

/// The handshake: how long, `OK`, the bytes. Prints the answer to `out`; the inner error is `out`'s,
/// the outer one the connection's.
fn receive(
    mut conn: &Socket,
    max_frame: usize,
    out: &mut dyn Write,
) -> Result<io::Result<()>, ReadError> {
    // What one recv brings is taken for the length: this protocol offers no way to know better. Cut
    // to `3` and `27` on its way, 327 is read as 3. That is the weakness of fix 1.
    let mut text = [0; MAX_DIGITS + 1];
    let n = conn.recv(&mut text)?;
    if n == 0 {
        return Err(FrameError::Truncated { part: Part::Length, got: 0, want: 1 }.into());
    }
    let length = ack::decode_length(&text[..n], max_frame)?;
    conn.write_all(ack::OK)?;

    let mut answer = Decoder::new(KnownLength::new(length));
    loop {
        match answer.decode()? {
            Some(frame) => {
                let printed = out.write_all(frame.body).and_then(|()| out.flush());
                // Asked once more, it says whether more came than was announced.
                answer.decode()?;
                return Ok(printed);
            }
            None => match conn.recv(answer.space())? {
                0 => return Ok(answer.finish().map(Ok)?),
                n => answer.filled(n),
            },
        }
    }
}
