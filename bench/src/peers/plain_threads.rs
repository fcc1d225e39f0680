//! A thread for each connection, with nothing but the standard library.

use std::io::{self, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::answer;

pub fn serve(listener: &TcpListener) -> io::Result<()> {
    loop {
        let (conn, _) = listener.accept()?;
        thread::spawn(move || client(&conn));
    }
}

/// The end of the stream is like any other error here: it ends this thread.
fn client(mut conn: &TcpStream) -> io::Result<()> {
    let mut requests = BufReader::new(conn);
    loop {
        let mut prefix = [0; 4];
        requests.read_exact(&mut prefix)?;
        let mut body = vec![0; u32::from_le_bytes(prefix) as usize];
        requests.read_exact(&mut body)?;
        conn.write_all(&answer(&body))?;
    }
}
