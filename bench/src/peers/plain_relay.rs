//! A relay as short as possible: two threads for each connection, which read and write.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

pub fn serve(listener: &TcpListener, to: SocketAddr) -> io::Result<()> {
    loop {
        let (client, _) = listener.accept()?;
        let server = TcpStream::connect(to)?;
        let (client_again, server_again) = (client.try_clone()?, server.try_clone()?);
        thread::spawn(move || pass(&client, &server));
        thread::spawn(move || pass(&server_again, &client_again));
    }
}

fn pass(mut from: &TcpStream, mut to: &TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match from.read(&mut buffer)? {
            0 => return to.shutdown(Shutdown::Write),
            n => to.write_all(&buffer[..n])?,
        }
    }
}
