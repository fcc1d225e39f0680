//! Two reads: what did the client send, and what does each recv return?
//!
//! ```text
//! 1$ cargo run -q --bin sticky-packet-repro-server two-reads \
//!      --hold --reads 2,5
//! listening on 127.0.0.1:8888
//! holding: press Enter to accept   (when the second has ended)
//! info_1: he
//! info_2: llohi
//!
//! 2$ cargo run -q --bin sticky-packet-repro-client two-sends
//! ```

use std::io::{self, Write};

use observe::{Backoff, Failure, Socket, show};

/// Takes one client, prints what each recv returns, and ends.
///
/// `hello` and `hi` arrive as `hellohi` when the buffer has room for both, and as `he` and `llohi`
/// when the first recv asks for 2 bytes and the second for 5. Nothing says where one send ended.
pub fn serve(listener: &Socket, reads: &[usize]) -> Result<(), Failure> {
    let mut backoff = Backoff::default();
    let (conn, peer) = loop {
        // If accept fails for a reason that passes (a client that has left, too many open files), try again.
        if let Some(accepted) = backoff.check(listener.accept())? {
            break accepted;
        }
    };
    for (i, &size) in reads.iter().enumerate() {
        let mut buffer = vec![0; size];
        // WRONG: treats what one recv returns as one message.
        let n = conn.recv(&mut buffer).map_err(Failure::talking(show(&peer), "reading"))?;
        print(i + 1, &buffer[..n]).map_err(Failure::Stdout)?;
    }
    Ok(())
}

fn print(number: usize, message: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    write!(stdout, "info_{number}: ")?;
    stdout.write_all(message)?;
    writeln!(stdout)
}
