//! Fix 3, the client: read the length of the header, the header, and as many bytes as it says.
//!
//! ```text
//! terminal 1                                    terminal 2
//! $ cargo run -q --bin fix-json-header-server   $ cargo run -q --bin fix-json-header-client
//! listening on 127.0.0.1:8888                   >>: echo hi
//! from 127.0.0.1:51412                          hi
//! ```

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use observe::{Failure, LogArgs, Socket, exit_when_interrupted, report};
use proto::json::{Header, JsonFraming, Status};
use proto::prefix::PREFIX_LEN;
use proto::request::{self, RequestForm};
use proto::{Decoder, FrameError, MAX_FRAME, Outgoing, Part, ReadError, agreed};
use shell::PromptArgs;
use socket2::{Domain, SockAddr, Type};

/// Sends commands to the server and prints their output.
///
/// The lesson: a header that describes the answer. The read loop is the one of fix 2; only what the
/// decoder looks for is another. A status other than 0 is said on stderr.
#[derive(Parser)]
#[command(
    version,
    after_help = "\
Two terminals:
  1$ fix-json-header-server
  2$ fix-json-header-client -c 'echo hi' -c 'seq 1 1000'"
)]
struct Args {
    /// Where the server listens
    #[arg(long, value_name = "ADDR", default_value = agreed::ADDRESS, value_parser = observe::parse_address)]
    connect: SocketAddr,
    /// How requests go: framed like the answers, or raw like the tutorial's
    #[arg(long, value_name = "FORM", default_value_t)]
    requests: RequestForm,
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
    let mut answers = Decoder::new(JsonFraming { max_frame: args.max_frame });
    let mut ask = |command: &[u8], out: &mut dyn Write| {
        send(&conn, command, args.requests)
            .map_err(Failure::talking(args.connect, "sending the command"))?;
        receive(&conn, &mut answers, out)
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

/// Length and command leave in one write; of a raw request there is only the command.
fn send(mut conn: &Socket, command: &[u8], form: RequestForm) -> io::Result<()> {
    let head = request::encode_head(form, command.len()).map_err(io::Error::other)?;
    Outgoing::new([&head, command]).write_to(&mut conn)
}

/// The read loop: ask the decoder; while it needs more, recv more. Prints the answer to `out`; the
/// inner error is `out`'s, the outer one the connection's.
fn receive(
    conn: &Socket,
    answers: &mut Decoder<JsonFraming>,
    out: &mut dyn Write,
) -> Result<io::Result<()>, ReadError> {
    loop {
        match answers.decode()? {
            Some(frame) => {
                let printed = out.write_all(frame.body).and_then(|()| out.flush());
                comment(&frame.head);
                return Ok(printed);
            }
            None => match conn.recv(answers.space())? {
                0 => {
                    // The end of the stream. Between two answers it is fine; but here one is due.
                    answers.finish()?;
                    let (part, got, want) = (Part::Length, 0, PREFIX_LEN);
                    return Err(FrameError::Truncated { part, got, want }.into());
                }
                n => answers.filled(n),
            },
        }
    }
}

/// What the header says beyond the length, where it is worth a word. An old server says nothing.
fn comment(header: &Header) {
    let status = match header.status {
        None | Some(Status::Exit(0)) => None,
        Some(Status::Exit(code)) => Some(format!("the command ended with exit code {code}")),
        Some(Status::Signal { signal }) => Some(format!("signal {signal} ended the command")),
    };
    let timed_out = header.timed_out == Some(true);
    let truncated = header.truncated == Some(true);
    let remarks = [
        timed_out.then(|| "its time was up".to_owned()),
        truncated.then(|| "it said more than the server keeps".to_owned()),
        status,
    ];
    for remark in remarks.into_iter().flatten() {
        let _ = writeln!(io::stderr(), "{remark}");
    }
}
