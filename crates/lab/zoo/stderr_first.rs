//! Wrong: it reads a child's stderr to its end, and then its stdout.
//!
//! A pipe holds 65,536 bytes on Linux. A child that writes more to stdout waits until somebody reads; we read stderr,
//! whose end comes when the child ends. Each waits for the other, forever. The fix is to read both as they come: with a
//! thread for one of them, or with poll, or with `Command::output`.
//!
//! ```text
//! $ cargo run -q --bin zoo-stderr-first -- -c 'head -c 65536 /dev/zero'
//! $ cargo run -q --bin zoo-stderr-first -- -c 'head -c 65537 /dev/zero'
//! ```

use std::env;
use std::io::{self, Read, Write};
use std::process::{Command, ExitCode, Stdio};

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let [option, command] = &words[..] else { return usage() };
    if option != "-c" {
        return usage();
    }
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "zoo-stderr-first: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    let _ = writeln!(io::stderr(), "usage: zoo-stderr-first -c CMD");
    ExitCode::from(2)
}

fn run(command: &str) -> io::Result<()> {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = shell.spawn()?;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    if let Some(mut pipe) = child.stderr.take() {
        pipe.read_to_end(&mut stderr)?; // here: nobody reads stdout meanwhile
    }
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_end(&mut stdout)?;
    }
    child.wait()?;
    let (out, err) = (stdout.len(), stderr.len());
    writeln!(io::stdout(), "the command wrote {out} bytes to stdout, {err} to stderr")
}
