//! datagrams: a UDP server that carries out each numbered request once, however often it comes.
//!
//! Check it:  scripts/lab.sh check DIR
//! The address comes as the last argument, for example 127.0.0.1:9000.
//!
//! A request, and its answer:  number (4 bytes, network byte order) | operation (1 byte) | payload
//!   E  echo: the answer's payload is the request's.
//!   A  add: the payload is a number of 4 bytes, to be added to the total; the answer's payload is the new total.

use std::env;
use std::io::{self, Write};
use std::net::UdpSocket;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(address) = env::args().nth(1) else {
        let _ = writeln!(io::stderr(), "usage: datagrams ADDRESS");
        return ExitCode::from(2);
    };
    match serve(&address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "datagrams: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(address: &str) -> io::Result<()> {
    let socket = UdpSocket::bind(address)?;
    writeln!(io::stdout(), "listening on {}", socket.local_addr()?)?;

    // This sends back what came, once. What should go back, to whom, and how often may a request come?
    let mut buffer = [0; 1024];
    let (length, peer) = socket.recv_from(&mut buffer)?;
    socket.send_to(&buffer[..length.min(4)], peer)?;
    Ok(())
}
