//! A stream of bytes and nothing else: the most that two sockets can do.

use std::hint::black_box;
use std::io::{self, Read, Write};
use std::net::TcpStream;

/// What one write offers: with less, we'd measure the calls.
const PIECE: usize = 64 * 1024;

/// Sends this many bytes.
pub fn send(to: &mut TcpStream, total: usize) -> io::Result<()> {
    let piece = vec![7; PIECE];
    let mut rest = total;
    while rest > 0 {
        rest -= to.write(&piece[..rest.min(PIECE)])?;
    }
    Ok(())
}

/// Receives this many bytes.
pub fn receive(from: &mut TcpStream, total: usize) -> io::Result<()> {
    let mut buffer = vec![0; 256 * 1024];
    let mut rest = total;
    while rest > 0 {
        match from.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => rest -= n,
        }
        black_box(&buffer);
    }
    Ok(())
}
