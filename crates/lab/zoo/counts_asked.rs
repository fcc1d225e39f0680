//! Wrong: it counts the bytes it asked for, not those that came.
//!
//! `recv(1024)` returns up to 1024 bytes. Where the network cuts the stream elsewhere, it returns fewer, the count runs
//! ahead of the data, and the loop ends early: the tail of the answer is missing, and the next answer begins with it.
//! The fix is `received += got`.
//!
//! ```text
//! $ cargo run -q --bin fix-struct-prefix-server -- --requests raw
//! $ cargo run -q --bin zoo-counts-asked -- --connect 127.0.0.1:8888 -c 'seq 1 1000' -c 'echo next'
//! ```

use std::env;
use std::error::Error;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

const BUFSIZE: usize = 1024;
const MAX_FRAME: i32 = 16 << 20;

fn main() -> ExitCode {
    let mut words = env::args().skip(1);
    let (mut server, mut commands) = (None, Vec::new());
    while let Some(option) = words.next() {
        match (option.as_str(), words.next()) {
            ("--connect", Some(address)) => server = Some(address),
            ("-c", Some(command)) => commands.push(command),
            _ => server = None,
        }
    }
    let Some(server) = server else {
        let _ = writeln!(io::stderr(), "usage: zoo-counts-asked --connect ADDR -c CMD...");
        return ExitCode::from(2);
    };
    match ask(&server, &commands) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "zoo-counts-asked: {error}");
            ExitCode::from(5)
        }
    }
}

fn ask(server: &str, commands: &[String]) -> Result<(), Box<dyn Error>> {
    let mut conn = TcpStream::connect(server)?;
    for command in commands {
        conn.write_all(command.as_bytes())?;
        let answer = receive(&mut conn)?;
        io::stdout().write_all(&answer)?;
        io::stdout().flush()?;
    }
    Ok(())
}

fn receive(conn: &mut TcpStream) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut prefix = [0; 4];
    conn.read_exact(&mut prefix)?;
    let length = i32::from_le_bytes(prefix);
    if !(0..=MAX_FRAME).contains(&length) {
        return Err(
            format!("expected a length, got \"{}\": {length}", prefix.escape_ascii()).into()
        );
    }
    let length = length.unsigned_abs() as usize;
    let (mut answer, mut received) = (Vec::new(), 0);
    while received < length {
        let mut buffer = [0; BUFSIZE];
        let got = conn.read(&mut buffer)?;
        if got == 0 {
            return Err(format!("expected {length} bytes, and the stream ended").into());
        }
        answer.extend(&buffer[..got]);
        received += BUFSIZE; // here: it should be `received += got`
        writeln!(
            io::stderr(),
            "a recv({BUFSIZE}) returned {got}, counted: {received} of {length}"
        )?;
    }
    Ok(answer)
}
