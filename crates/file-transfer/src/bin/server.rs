//! A server that receives files: name, size, checksum; and after a cut, the rest.
//!
//! ```text
//! 1$ cargo run -q --bin file-transfer-server
//! listening on 127.0.0.1:8888
//! from 127.0.0.1:51412
//! photo.jpg: 1000000 bytes, whole
//!
//! 2$ cargo run -q --bin file-transfer-client photo.jpg
//! photo.jpg: sent 1000000 of 1000000 bytes; the server has it, and the checksum fits
//! ```
//!
//! The files go into the folder `received`.

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use file_transfer::{
    Folder, FolderArgs, Incoming, Reply, decode, encode, ended, header_len, may_listen, may_send,
};
use observe::{Backoff, Failure, Socket, report, say, show};
use socket2::{Domain, Type};

fn main() -> ExitCode {
    let args = Args::parse();
    observe::exit_when_told();
    report(run(&args))
}

fn listen(args: &Args) -> io::Result<Socket> {
    let listener = Socket::new(Domain::for_address(args.listen), Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&args.listen.into())?;
    listener.listen(128)?;
    Ok(listener)
}

fn run(args: &Args) -> Result<(), Failure> {
    args.log.start()?;
    may_listen(args.listen, args.allow_remote)?;
    let folder = args.folder.open()?;
    let listener = listen(args).map_err(Failure::cannot_listen(args.listen))?;
    observe::say_listening(&listener)?;
    let mut backoff = Backoff::default();
    loop {
        let Some((conn, peer)) = backoff.check(listener.accept())? else { continue };
        say(format_args!("from {}", show(&peer)));
        let served = client(&conn, &folder, args.timeout);
        report(served.map_err(Failure::talking(show(&peer), "receiving")));
    }
}

/// One client. It's told what is wrong; but a stranger, who was not even asked anything, isn't waited for.
fn client(conn: &Socket, folder: &Folder, timeout: Duration) -> io::Result<()> {
    conn.set_read_timeout(Some(timeout))?;
    conn.set_write_timeout(Some(timeout))?;
    let tell = |why: &io::Error| _ = send(conn, &Reply::error(why));
    may_send(conn).inspect_err(tell)?;
    serve(conn, folder).inspect_err(tell).inspect_err(|_| drain(conn))
}

// ANCHOR: serve
/// File after file, until the client ends the stream.
fn serve(conn: &Socket, folder: &Folder) -> io::Result<()> {
    while let Some(header) = receive_header(conn)? {
        let mut incoming = folder.begin(decode(&header)?)?;
        send(conn, &Reply::offset(incoming.offset))?;
        receive_file(conn, &mut incoming)?;
        let offer = incoming.finish()?; // the checksum fits, and the file has its name
        send(conn, &Reply::done())?;
        say(format_args!("{}: {} bytes, whole", columns::visible(&offer.name), offer.size));
    }
    Ok(())
}

/// A header: its length, then that many bytes. `None` if the stream ended before it.
fn receive_header(conn: &Socket) -> io::Result<Option<Vec<u8>>> {
    let mut prefix = [0; 4];
    match exactly(conn, &mut prefix)? {
        0 => return Ok(None),
        4 => {}
        n => return Err(ended(format!("{n} of 4 bytes of a header's length came"))),
    }
    let mut header = vec![0; header_len(prefix)?];
    match exactly(conn, &mut header)? {
        n if n == header.len() => Ok(Some(header)),
        n => Err(ended(format!("{n} of {} bytes of a header came", header.len()))),
    }
}

/// Fills the buffer. Only at the end of the stream it's fewer bytes.
fn exactly(conn: &Socket, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match conn.recv(&mut buffer[got..])? {
            0 => break,
            n => got += n,
        }
    }
    Ok(got)
}

/// What is missing of the file, and not a byte more: after it comes the next header.
fn receive_file(conn: &Socket, incoming: &mut Incoming) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    while incoming.missing() > 0 {
        let room = buffer.len().min(usize::try_from(incoming.missing()).unwrap_or(usize::MAX));
        match conn.recv(&mut buffer[..room])? {
            0 => return Err(ended(incoming.so_far())),
            // Straight to the disk: memory must not depend on the size of the file.
            n => incoming.write(&buffer[..n])?,
        }
    }
    Ok(())
}
// ANCHOR_END: serve

fn send(mut conn: &Socket, reply: &Reply) -> io::Result<()> {
    conn.write_all(&encode(reply)?)
}

/// To close with bytes unread would reset the connection, and could destroy the answer. So the server reads on, but for
/// one second in all: the others are waiting.
fn drain(conn: &Socket) {
    let _ = conn.shutdown(Shutdown::Write);
    let deadline = Instant::now() + Duration::from_secs(1);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // A timeout that rounds to 0 microseconds would mean to wait for ever.
        let may_wait = left.as_micros() > 0 && conn.set_read_timeout(Some(left)).is_ok();
        if !may_wait || !matches!(conn.recv(&mut buffer), Ok(1..)) {
            return;
        }
    }
}

/// Receives files into a folder, and goes on with those that were cut off.
///
/// The lesson: a header says everything that the receiver must know before the first byte: the name, how many bytes, and
/// by what to recognize them. Then a cut costs only what hadn't come yet.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("server.rs")))]
struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = proto::agreed::ADDRESS, value_parser = observe::parse_address)]
    listen: SocketAddr,
    /// Listen where other machines can connect. Nothing is encrypted, and nobody is asked for a password
    #[arg(long)]
    allow_remote: bool,
    #[command(flatten)]
    folder: FolderArgs,
    /// How long a client may be silent, in seconds: the others wait for it
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = observe::parse_seconds)]
    timeout: Duration,
    #[command(flatten)]
    log: observe::LogArgs,
}
