//! Wrong: it runs whatever comes, and asks neither what it is nor who sent it.
//!
//! "Only 127.0.0.1" keeps other machines out, not the browser on this one: `<img src="http://127.0.0.1:8888/;date;x">`
//! in any web page makes it send `GET /;date;x HTTP/1.1`, and the shell runs what is between the semicolons. So can
//! every other user of the machine. The fix is to look first: nothing that a browser can send is a command, and the
//! kernel knows whose connection it is. The course's servers do both.
//!
//! ```text
//! $ cargo run -q --bin zoo-no-screening -- --listen 127.0.0.1:8888
//! $ cargo run -q --bin sticky-packet-repro-client shell -c 'echo hi'
//! ```

use std::env;
use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, ExitCode, Stdio};

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let address = match &words[..] {
        [option, address] if option == "--listen" => address.parse::<SocketAddr>().ok(),
        _ => None,
    };
    // Letting the network run commands would be worse than the mistake that this program shows.
    let Some(address) = address.filter(|address| address.ip().is_loopback()) else {
        let _ = writeln!(io::stderr(), "usage: zoo-no-screening --listen ADDR (loopback only)");
        return ExitCode::from(2);
    };
    let Err(error) = serve(address);
    let _ = writeln!(io::stderr(), "zoo-no-screening: cannot listen on {address}: {error}");
    ExitCode::from(3)
}

fn serve(address: SocketAddr) -> io::Result<std::convert::Infallible> {
    let listener = TcpListener::bind(address)?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    loop {
        let (conn, peer) = listener.accept()?;
        if let Err(error) = client(conn) {
            let _ = writeln!(io::stderr(), "zoo-no-screening: {peer}: {error}");
        }
    }
}

fn client(mut conn: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        let got = conn.read(&mut buffer)?;
        if got == 0 {
            return Ok(());
        }
        let command = OsStr::from_bytes(&buffer[..got]); // here: into the shell, unseen
        let run = Command::new("sh").arg("-c").arg(command).stdin(Stdio::null()).output()?;
        conn.write_all(&[run.stdout, run.stderr].concat())?;
    }
}
