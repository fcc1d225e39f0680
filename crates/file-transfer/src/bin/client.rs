//! A client that sends files: first what the receiver must know of one, then the bytes that it hasn't got yet.
//!
//! ```text
//! 1$ cargo run -q --bin file-transfer-server
//! listening on 127.0.0.1:8888
//!
//! 2$ cargo run -q --bin file-transfer-client photo.jpg
//! photo.jpg: sent 1000000 of 1000000 bytes; the server has it, and the checksum fits
//! ```
//!
//! If it's cut off, say the same again: only the rest is sent.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::net::{Shutdown, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use file_transfer::{Offer, Progress, Reply, decode, encode, header_len, look_at, refused};
use observe::{Failure, Socket, report};
use socket2::{Domain, Type};

fn main() -> ExitCode {
    let args = Args::parse();
    observe::exit_when_interrupted();
    report(run(&args))
}

fn connect(args: &Args) -> io::Result<Socket> {
    let conn = Socket::new(Domain::for_address(args.connect), Type::STREAM, None)?;
    conn.set_read_timeout(Some(args.timeout))?;
    conn.set_write_timeout(Some(args.timeout))?; // connect waits no longer, either (Linux)
    conn.connect(&args.connect.into())?;
    Ok(conn)
}

fn run(args: &Args) -> Result<(), Failure> {
    args.log.start()?;
    // Before connect: a checksum takes a while, and the server doesn't wait for ever.
    let offers = args.files.iter().map(|path| look_at(path).map_err(cannot_read(path)));
    let offers = offers.collect::<Result<Vec<_>, _>>()?;
    let conn = connect(args).map_err(Failure::cannot_connect(args.connect))?;
    for (path, offer) in args.files.iter().zip(&offers) {
        let mut file = File::open(path).map_err(cannot_read(path))?;
        let sent =
            send_file(&conn, &mut file, offer).map_err(Failure::asking(args.connect, "sending"))?;
        let name = columns::visible(&offer.name);
        let size = offer.size;
        writeln!(
            io::stdout(),
            "{name}: sent {sent} of {size} bytes; the server has it, and the checksum fits"
        )
        .map_err(Failure::Stdout)?;
    }
    end(&conn).map_err(Failure::asking(args.connect, "after the last answer"))
}

fn cannot_read(path: &Path) -> impl Fn(io::Error) -> Failure {
    move |error| Failure::Usage(format!("{}: {error}", path.display()))
}

// ANCHOR: send
/// Sends a file, or the rest of it, and returns how many bytes that were.
fn send_file(mut conn: &Socket, file: &mut File, offer: &Offer) -> io::Result<u64> {
    conn.write_all(&encode(offer)?)?;
    let offset = receive_reply(conn)?.offset.filter(|offset| *offset <= offer.size);
    let offset = offset.ok_or_else(|| refused("expected an offset within the file"))?;

    file.seek(SeekFrom::Start(offset))?;
    let mut progress = Progress::new(&format!("sending {}", offer.name), offer.size);
    let mut rest = file.take(offer.size - offset);
    let (mut buffer, mut sent) = (vec![0; 64 << 10], 0);
    loop {
        let n = rest.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        // write_all is Python's sendall. If the server has closed, it may have said why.
        conn.write_all(&buffer[..n]).map_err(|error| why(conn, error))?;
        sent += n as u64;
        progress.show(offset + sent);
    }
    if offset + sent < offer.size {
        return Err(io::Error::other("the file has become shorter while it was sent"));
    }
    match receive_reply(conn)?.done {
        Some(true) => Ok(sent),
        _ => Err(refused("expected the news that the file is done")),
    }
}
// ANCHOR_END: send

/// An answer of the server. One that says why it doesn't take the file is an error.
fn receive_reply(mut conn: &Socket) -> io::Result<Reply> {
    let mut prefix = [0; 4];
    conn.read_exact(&mut prefix).map_err(closed)?;
    let mut header = vec![0; header_len(prefix)?];
    conn.read_exact(&mut header).map_err(closed)?;
    let reply: Reply = decode(&header)?;
    match reply.error {
        Some(why) => Err(refused(format!("the server says: {why}"))),
        None => Ok(reply),
    }
}

/// After a failed write: what the server has said, if it has said why. That's here already, or never comes.
fn why(conn: &Socket, error: io::Error) -> io::Error {
    match conn.set_nonblocking(true).and_then(|()| receive_reply(conn)) {
        Err(said) if said.kind() == ErrorKind::InvalidData => said,
        _ => error,
    }
}

/// After the last answer comes the end of the stream, and nothing else.
fn end(conn: &Socket) -> io::Result<()> {
    conn.shutdown(Shutdown::Write)?;
    let mut more = [0; 64];
    match conn.recv(&mut more)? {
        0 => Ok(()),
        n => Err(refused(format!("expected nothing, got \"{}\"", more[..n].escape_ascii()))),
    }
}

/// read_exact says "failed to fill whole buffer". What it means is this:
fn closed(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => io::Error::new(
            error.kind(),
            "the server closed before it had the file; say the same again, and only the rest is sent",
        ),
        _ => error,
    }
}

/// Sends files to file-transfer-server. What the server has of one already isn't sent again.
///
/// The lesson: name, size and checksum travel in front, in a header with its length; then the bytes. The server's answer
/// says from where on.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("client.rs")))]
struct Args {
    /// The files, one after the other on one connection
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Where the server listens
    #[arg(long, value_name = "ADDR", default_value = proto::agreed::ADDRESS, value_parser = observe::parse_address)]
    connect: SocketAddr,
    /// How long the server may be silent, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = observe::parse_seconds)]
    timeout: Duration,
    #[command(flatten)]
    log: observe::LogArgs,
}
