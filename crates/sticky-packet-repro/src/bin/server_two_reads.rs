//! Two reads: what did the client send, and what does each recv bring?

use std::io::{self, Write};

use observe::{Backoff, Socket};

/// Takes one client and prints what each recv brings, then ends.
///
/// `hello` and `hi` come out as `hellohi` when the buffer has room for both, and as `he` and `llohi`
/// when the first recv asks for 2 bytes and the second for 5. Where one send ended, nobody knows.
pub fn serve(listener: &Socket, reads: &[usize]) -> io::Result<()> {
    let mut backoff = Backoff::default();
    let conn = loop {
        match listener.accept() {
            Ok((conn, _)) => break conn,
            Err(error) => std::thread::sleep(backoff.after(&error).ok_or(error)?),
        }
    };
    for (i, &size) in reads.iter().enumerate() {
        let mut buffer = vec![0; size];
        // WRONG: takes what one recv brings for one message.
        let n = conn.recv(&mut buffer)?;
        let mut out = io::stdout().lock();
        write!(out, "info_{}: ", i + 1)?;
        out.write_all(&buffer[..n])?;
        writeln!(out)?;
    }
    Ok(())
}
