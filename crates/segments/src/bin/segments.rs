//! Runs a command in a network of its own and shows the TCP segments of its connections.
//!
//! ```text
//! $ cargo run -q --bin segments -- sh -c 'tcp-basic-server & sleep 1; tcp-basic-client'
//! ```

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use observe::{Event, Failure, create_private, replace_private, report};
use segments::{Capture, Traffic};

/// How long a connection may stay open after the command has ended: longer than our servers take to close one.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs a command in a network of its own, and shows the TCP segments of its connections.
///
/// The lesson: a send is not a segment, and a segment is not a recv. Watch what the kernel really puts on the wire: the
/// handshake, which bytes travel together, the bare ACKs, the FIN of each side.
///
/// In that network there is a loopback (127.0.0.1 and ::1) and nothing else: no other programs, no Internet. So put server
/// and client into the same command. Linux only; root is not needed where the system allows user namespaces. Where
/// nothing can be seen, the command still runs, and stderr says why.
#[derive(Parser)]
#[command(
    version,
    after_help = "\
Try:
  segments -- sh -c 'fix-struct-prefix-server & sleep 1; fix-struct-prefix-client -c \"echo hi\"; kill $!'
  segments --write run.pcapng -- sh -c '…'      then open run.pcapng in Wireshark

By hand, in a shell, with Wireshark's tshark or tcpdump instead:
  unshare --user --map-root-user --net
  ip link set lo up

The exit code is the command's, or 128 + n if signal n ended it. A signal that tells segments to end is passed on to the
command. After kill -9 the command ends too. segments goes on recording until both sides of each connection have closed, for up
to five seconds after the command ends."
)]
struct Args {
    /// Write the packets as a pcapng file, which Wireshark opens
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Append each segment that carries bytes to FILE, in the form of the programs' own --trace
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Append every segment to FILE, even those that carry no bytes, with times like strace's: for timeline --ladder
    #[arg(long, value_name = "FILE")]
    every: Option<PathBuf>,
    /// The command and its arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "COMMAND"
    )]
    command: Vec<OsString>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    // Outside, this restarts the program inside and does not return.
    let capture = segments::enter().and_then(|()| Capture::start());
    if let Err(why) = &capture {
        let _ = writeln!(io::stderr(), "segments not seen: {why}");
    }
    let name = args.command[0].display();
    let status = match segments::run(&args.command) {
        Ok(status) => status,
        Err(error) => return report(Err(Failure::Usage(format!("cannot run {name}: {error}")))),
    };
    if let Ok(capture) = capture
        && let Err(failure) = show(&args, capture)
    {
        return report(Err(failure));
    }
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

fn show(args: &Args, capture: Capture) -> Result<(), Failure> {
    let recording = capture.stop_when_closed(PATIENCE);
    let traffic = Traffic::of(&recording);
    let listing = traffic.listing(columns::of(io::stdout()));
    io::stdout().write_all(listing.as_bytes()).map_err(Failure::Stdout)?;
    if let Some(path) = &args.write {
        let written = replace_private(path)
            .and_then(|file| recording.write_pcapng(&mut BufWriter::new(file)));
        written.map_err(to_file("--write", path))?;
    }
    if let Some(path) = &args.trace {
        append(path, &traffic.events()).map_err(to_file("--trace", path))?;
    }
    if let Some(path) = &args.every {
        let mut events = traffic.every();
        events.iter_mut().for_each(|event| event.t_us += recording.epoch_us);
        append(path, &events).map_err(to_file("--every", path))?;
    }
    Ok(())
}

/// One write for each line, as in the programs: they may be writing to the same file.
fn append(path: &Path, events: &[Event]) -> io::Result<()> {
    let mut file = create_private(path)?;
    for event in events {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        file.write_all(&line)?;
    }
    Ok(())
}

fn to_file(option: &str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
    move |error| Failure::Usage(format!("{option} {}: {error}", path.display()))
}
