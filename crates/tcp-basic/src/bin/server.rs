//! A TCP server: every socket call it takes, in order.
//!
//! ```text
//! 1$ cargo run -q --bin tcp-basic-server
//! listening on 127.0.0.1:8888
//! hello
//!
//! 2$ cargo run -q --bin tcp-basic-client
//! hi
//! ```
//!
//! `-v` shows each call as it happens.

use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use observe::{Failure, Socket, report, show};
use socket2::{Domain, Type};

fn main() -> ExitCode {
    let args = Args::parse();
    observe::exit_when_told();
    report(run(&args))
}

fn listen(args: &Args) -> io::Result<Socket> {
    let listener = Socket::new(Domain::for_address(args.listen), Type::STREAM, None)?;
    // After a server closes a connection first, its port stays in TIME_WAIT for a minute, and bind
    // fails with "address in use". If both servers set this option, bind works. Two servers at a time are still impossible.
    listener.set_reuse_address(!args.no_reuse_address)?;
    listener.bind(&args.listen.into())?;
    // Up to about 10 completed connections wait here for accept. It isn't a limit on how many are open.
    listener.listen(10)?;
    Ok(listener)
}

fn run(args: &Args) -> Result<(), Failure> {
    args.log.start()?;
    // map_err: if listen fails, make a Failure that names the address.
    let listener = listen(args).map_err(Failure::cannot_listen(args.listen))?;
    observe::say_listening(&listener)?;
    let mut backoff = observe::Backoff::default();
    loop {
        // accept gives a second socket, for this one client; the listener goes on listening.
        let Some((conn, peer)) = backoff.check(listener.accept())? else { continue };
        let said = talk(&conn).map_err(Failure::talking(show(&peer), "the conversation"));
        if !args.forever {
            return said.and_then(|message| print(&message));
        }
        // One client's error must not stop the server. Neither must a closed stdout.
        report(said.map(|message| observe::say_bytes(&message)));
        // conn is closed here, where it goes out of scope.
    }
}

/// One conversation: read something, answer `hi`, read to the end of the stream.
fn talk(conn: &Socket) -> io::Result<Vec<u8>> {
    // A client that says nothing keeps the others waiting: this server serves one at a time.
    let mut buffer = [0; 1024];
    // recv returns what has arrived. For 5 bytes that is nearly always everything, but TCP does not promise it.
    let mut message = match conn.recv(&mut buffer)? {
        0 => return Err(io::Error::new(ErrorKind::UnexpectedEof, "the client said nothing")),
        n => buffer[..n].to_vec(),
    };

    // send may take only a part. It takes all of `hi`, because the send buffer is empty; a longer answer needs a loop:
    // see tcp-basic-sendall.
    conn.send(b"hi")?;
    // Half-close: the client reads `hi` and then the end of the stream. An error here means that the client has reset the
    // connection; recv will fail too, and say why.
    let _ = conn.shutdown(Shutdown::Write);

    // Now read until the client closes too. The rest of `hello` may arrive here; and if we closed with bytes unread, TCP
    // would reset the connection, and the client could lose our answer.
    conn.set_read_timeout(Some(Duration::from_secs(30)))?;
    while message.len() <= MAX_MESSAGE {
        match conn.recv(&mut buffer)? {
            0 => return Ok(message),
            n => message.extend_from_slice(&buffer[..n]),
        }
    }
    Err(io::Error::new(
        ErrorKind::InvalidData,
        format!("more than {MAX_MESSAGE} bytes arrived, and no end of stream"),
    ))
}

/// The most bytes that a client may send: one that never stops must not use up our memory.
const MAX_MESSAGE: usize = 64 * 1024;

/// A line on stdout, flushed at once: a program that started this server may be waiting for it.
fn print(line: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(&[line, b"\n"].concat()).and_then(|()| out.flush()).map_err(Failure::Stdout)
}

/// A TCP server: it answers `hi` to whatever the first client says, prints it, and ends.
///
/// The lesson: socket, bind, listen, accept, recv, send, shutdown, close, and what each is for.
/// `-v` shows them as they happen.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("server.rs")))]
struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = proto::agreed::ADDRESS, value_parser = observe::parse_address)]
    listen: SocketAddr,
    /// Serve one client after another instead of one
    #[arg(long)]
    forever: bool,
    /// Leave SO_REUSEADDR off: a restart soon after a client was served is then refused
    #[arg(long)]
    no_reuse_address: bool,
    #[command(flatten)]
    log: observe::LogArgs,
}
