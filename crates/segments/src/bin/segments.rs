//! Runs a command in a network of its own and shows the TCP segments of its connections.
//!
//! ```text
//! $ cargo run -q --bin segments -- sh -c 'tcp-basic-server & sleep 1; tcp-basic-client'
//! ```

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use clap::Parser;
use observe::{Event, Failure, create_private, replace_private, report};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, getpgrp, kill_process, kill_process_group, waitid,
};
use rustix::termios::tcgetpgrp;
use segments::{Capture, Traffic};

/// Runs a command in a network of its own, and shows the TCP segments of its connections.
///
/// The lesson: a send is not a segment, and a segment is not a recv. Watch what the kernel really puts on the wire: the
/// handshake, which bytes travel together, the bare ACKs, the FIN of each side.
///
/// The command finds its own loopback (127.0.0.1 and ::1) there and nothing else: no other program, no Internet. Server
/// and client must therefore be in the same command. Linux only; root is not needed where the system allows user
/// namespaces. Where nothing can be seen, the reason is said on stderr and the command runs all the same.
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

The exit code is the command's, 128 + n when signal n ended it. What tells segments to end is passed on to the
command. After kill -9 the command ends too, but not in the foreground of a terminal: end it there with Ctrl-C."
)]
struct Args {
    /// Write the packets as a pcapng file, which Wireshark opens
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Append each segment that carries bytes to FILE, in the form of the programs' own --trace
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
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
    // Outside, this starts the program anew inside and does not return.
    let capture = segments::enter().and_then(|()| Capture::start());
    if let Err(why) = &capture {
        let _ = writeln!(io::stderr(), "segments not seen: {why}");
    }
    let status = match run(&args.command) {
        Ok(status) => status,
        Err(failure) => return report(Err(failure)),
    };
    if let Ok(capture) = capture
        && let Err(failure) = show(&args, capture)
    {
        return report(Err(failure));
    }
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// Runs the command to its end.
///
/// In the foreground of a terminal it stays in our process group: only there may it read the
/// terminal, and Ctrl-C and Ctrl-\ reach it as well as us, so we pass on the rest. Anywhere else it
/// gets a group of its own, the whole of which hears what we are told, and ends when we are killed.
fn run(command: &[OsString]) -> Result<ExitStatus, Failure> {
    let failed = |error| Failure::Usage(format!("cannot run {}: {error}", command[0].display()));
    let shared = is_foreground();
    let told = ending::told_which().map_err(failed)?; // before the command can know us
    let mut process = Command::new(&command[0]);
    process.args(&command[1..]);
    if !shared {
        process.process_group(0);
    }
    let mut child = process.spawn().map_err(failed)?;
    let pid = Pid::from_child(&child);
    let tied = if shared { None } else { ending::tie_group(pid).ok() };
    let was_told = Arc::new(AtomicBool::new(false));
    for (signal, mut told) in told {
        let was_told = Arc::clone(&was_told);
        let pass_on = move || {
            while told.read_exact(&mut [0]).is_ok() {
                was_told.store(true, Ordering::SeqCst);
                let _ = match shared {
                    true if signal == Signal::INT || signal == Signal::QUIT => Ok(()),
                    true => kill_process(pid, signal),
                    false => kill_process_group(pid, signal),
                };
            }
        };
        thread::Builder::new().spawn(pass_on).map_err(failed)?;
    }
    // Until the command is reaped its number is its own. What it left in its group was told to end too.
    let ended = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
    if ended.is_ok() && !shared && was_told.load(Ordering::SeqCst) {
        let _ = kill_process_group(pid, Signal::KILL);
    }
    drop(tied);
    child.wait().map_err(failed)
}

/// Whether we are what the terminal's keys are for.
fn is_foreground() -> bool {
    let terminal = File::open("/dev/tty");
    terminal.is_ok_and(|terminal| tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp()))
}

fn show(args: &Args, capture: Capture) -> Result<(), Failure> {
    let recording = capture.stop();
    let traffic = Traffic::of(&recording);
    write!(io::stdout(), "{traffic}").map_err(Failure::Stdout)?;
    if let Some(path) = &args.write {
        let written = replace_private(path)
            .and_then(|file| recording.write_pcapng(&mut BufWriter::new(file)));
        written.map_err(to_file("--write", path))?;
    }
    if let Some(path) = &args.trace {
        append(path, &traffic.events()).map_err(to_file("--trace", path))?;
    }
    Ok(())
}

/// One write a line, as the programs do: the file may be theirs too.
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
