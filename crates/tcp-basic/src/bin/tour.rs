//! Every socket method of Python's socket module, its Rust counterpart, and what it returned.
//!
//! ```text
//! $ cargo run -q --bin tcp-basic-tour
//! ```
//!
//! One process plays both ends. That works because the kernel completes a connection before the program accepts it.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsRawFd;
use std::process::ExitCode;
use std::str::from_utf8;
use std::time::Duration;

use clap::Parser;
use observe::{Failure, LogArgs, Socket, exit_when_interrupted, report};
use socket2::{Domain, Type};

/// Port 0: the kernel picks a free one.
const ANY_PORT: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);

fn main() -> ExitCode {
    let args = Args::parse();
    exit_when_interrupted();
    report(args.log.start().and_then(|()| run()))
}

fn run() -> Result<(), Failure> {
    let mut table = Vec::new();
    tour(&mut table).map_err(Failure::cannot_listen(Ipv4Addr::LOCALHOST))?;
    io::stdout().lock().write_all(&table).map_err(Failure::Stdout)
}

/// Makes a call and writes a row of the table from it: the text of the call, and what it returned.
/// So the table cannot show a call that was not made.
macro_rules! call {
    ($table:ident, $python:literal, $rust:expr) => {
        call!($table, $python, $rust, |returned| returned)
    };
    // If Debug would take ten lines, `$short` picks what matters.
    ($table:ident, $python:literal, $rust:expr, |$value:ident| $short:expr) => {{
        let returned = $rust;
        let $value = &returned;
        row($table, [$python, stringify!($rust), &format!("{:?}", $short)])?;
        returned
    }};
}

fn tour(table: &mut Vec<u8>) -> io::Result<()> {
    row(table, ["Python", "Rust", "It returned"])?;
    let listener = a_servers(table)?;
    let (client, conn) = a_clients(table, &listener)?;
    both_ends(table, &client, &conn)?;
    blocking(table, &client)?;
    datagrams(table)?;
    files(table, client, &conn)
}

fn a_servers(table: &mut Vec<u8>) -> io::Result<Socket> {
    writeln!(table, "\nThe server's calls")?;
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    call!(table, "setsockopt(.., SO_REUSEADDR, 1)", listener.set_reuse_address(true)?);
    call!(table, "getsockopt(.., SO_REUSEADDR)", listener.reuse_address()?);
    call!(table, "bind((\"127.0.0.1\", 0))", listener.bind(&ANY_PORT.into())?);
    call!(table, "listen(10)", listener.listen(10)?);
    Ok(listener)
}

fn a_clients(table: &mut Vec<u8>, listener: &Socket) -> io::Result<(Socket, Socket)> {
    writeln!(table, "\nThe client's calls, and the accept at the other end")?;
    // Bound, so that no other program takes this port, but not listening: the kernel refuses connections to it.
    let deaf = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    deaf.bind(&ANY_PORT.into())?;
    let (closed, open) = (deaf.local_addr()?, listener.local_addr()?);

    // Python's connect raises an exception; its connect_ex returns the number. In Rust an error is always a value.
    let client = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let _ = call!(table, "connect_ex(closed)", client.connect(&closed), |r| errno(r));
    // POSIX leaves the state of a socket open after connect has failed: make a new one.
    let client = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    call!(table, "connect(open)", client.connect(&open)?);
    let (conn, _) = call!(table, "accept()", listener.accept()?, |r| r.1.as_socket());
    Ok((client, conn))
}

fn both_ends(table: &mut Vec<u8>, client: &Socket, mut conn: &Socket) -> io::Result<()> {
    writeln!(table, "\nCalls of both ends")?;
    let mut buffer = [0; 1024];
    call!(table, "getsockname()", client.local_addr()?.as_socket());
    call!(table, "getpeername()", client.peer_addr()?.as_socket());
    call!(table, "send(b\"hello\")", client.send(b"hello")?);
    let n = call!(table, "recv(1024)", conn.recv(&mut buffer)?);
    // recv fills our buffer and says how far. What the bytes mean is the next step.
    let _ = call!(table, ".decode()", from_utf8(&buffer[..n]));
    call!(table, "sendall(b\"hi\")", conn.write_all(b"hi")?);
    call!(table, "recv(1024)", client.recv(&mut buffer)?);
    Ok(())
}

fn blocking(table: &mut Vec<u8>, client: &Socket) -> io::Result<()> {
    writeln!(table, "\nTo wait, or not (there is nothing to read)")?;
    let mut buffer = [0; 1024];
    let moment = Some(Duration::from_millis(100));
    call!(table, "setblocking(False)", client.set_nonblocking(true)?);
    let _ = call!(table, "recv(1024)", client.recv(&mut buffer), |r| errno(r));
    call!(table, "setblocking(True)", client.set_nonblocking(false)?);
    call!(table, "settimeout(0.1)", client.set_read_timeout(moment)?);
    call!(table, "gettimeout()", client.read_timeout()?);
    let _ = call!(table, "recv(1024), 0.1 s later", client.recv(&mut buffer), |r| errno(r));
    Ok(())
}

fn datagrams(table: &mut Vec<u8>) -> io::Result<()> {
    writeln!(table, "\nDatagrams (UDP)")?;
    let udp = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    udp.bind(&ANY_PORT.into())?;
    // It sends to itself: without a connection, no other end has to be there.
    let own = udp.local_addr()?;
    call!(table, "sendto(b\"hey\", own)", udp.send_to(b"hey", &own)?);
    call!(table, "recvfrom(1024)", udp.recv_from(&mut [0; 1024])?, |r| (r.len, r.from.as_socket()));
    Ok(())
}

fn files(table: &mut Vec<u8>, client: Socket, conn: &Socket) -> io::Result<()> {
    writeln!(table, "\nFiles, and the end")?;
    let mut line = String::new();
    call!(table, "fileno()", client.as_raw_fd());
    client.send(b"one line\n")?;
    let mut file = call!(table, "makefile()", BufReader::new(conn), |r| r.buffer());
    call!(table, ".readline()", file.read_line(&mut line)?, |n| (n, &line));
    // There is no close method: dropping the socket closes it, and using it afterwards would not compile.
    call!(table, "close()", drop(client));
    call!(table, "recv(1024), the peer has closed", conn.recv(&mut [0; 1024])?);
    Ok(())
}

/// If the terminal is too narrow for a row, the end of the row goes below.
fn row(table: &mut Vec<u8>, [python, rust, returned]: [&str; 3]) -> io::Result<()> {
    let cells = [(python, 33), (rust, 35), (returned, 0)];
    writeln!(table, "{}", columns::row(&cells, columns::of(io::stdout())))
}

fn errno<T>(result: &io::Result<T>) -> Option<(i32, io::ErrorKind)> {
    let error = result.as_ref().err()?;
    Some((error.raw_os_error()?, error.kind()))
}

/// Calls every socket method once, and prints a table: Python's call, Rust's, what it returned.
///
/// The lesson: the names differ, the calls are the same ones. `-v` shows what reaches the kernel.
#[derive(Parser)]
#[command(version, after_help = "One terminal is enough:\n  1$ tcp-basic-tour")]
struct Args {
    #[command(flatten)]
    log: LogArgs,
}
