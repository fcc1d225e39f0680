//! A line between two networks on this machine, with the delay and the faults of a real one.
//!
//! ```text
//! terminal 1                            terminal 2
//! $ cargo run -q --bin relay-link -- --delay 25
//! linked 10.77.0.1 4711 10.77.0.2 4713
//! left:  nsenter --target 4711 …        $ nsenter --target 4711 … -- ping 10.77.0.2
//! ```

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use link::Conditions;
use observe::{Failure, report};

/// Joins two networks on this machine by a line with a delay, with loss, and with packets that arrive twice or too early.
///
/// The lesson: what a network does to a protocol. A relay ends each connection, so TCP itself sees no delay there; here
/// its packets really travel. Watch what an extra round trip costs, what Nagle's algorithm and the delayed ACK do to a
/// message in two writes, and that a stream arrives whole although every tenth packet is lost.
///
/// The ends are 10.77.0.1 (left) and 10.77.0.2 (right). It prints how to run a command at each, and carries packets until
/// Ctrl-C, another signal that ends programs, or, if its standard input is a pipe, the end of that. Linux only; it doesn't
/// need root if the system allows user namespaces and everybody may open /dev/net/tun.
#[derive(Parser)]
#[command(
    name = "relay-link",
    version,
    after_help = "\
Three terminals (the servers ask for a token beyond loopback: printf 'sixteen bytes at least' > token; chmod 600 token):
  1$ relay-link --delay 25
  2$ nsenter … -- fix-struct-prefix-server --listen 10.77.0.1:8888 --allow-remote --token-file token
  3$ nsenter … -- fix-struct-prefix-client --connect 10.77.0.1:8888 --token-file token"
)]
struct Args {
    #[command(flatten)]
    conditions: Conditions,
    /// Write the packets, as they leave their sender, as a pcapng file, which Wireshark opens
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    report(run(&args))
}

#[cfg(not(target_os = "linux"))]
fn run(_: &Args) -> Result<(), Failure> {
    Err(no_link(link::LinkError::Network(segments::CaptureError::NotLinux)))
}

fn no_link(why: link::LinkError) -> Failure {
    let error = std::io::Error::other(why.to_string());
    Failure::Endpoint { doing: "make", address: "a link".into(), error }
}

#[cfg(target_os = "linux")]
use linux::run;

#[cfg(target_os = "linux")]
mod linux {
    use super::*;
    use link::{Carrier, End, LinkError, Network, nsenter_options};
    use segments::Recording;
    use std::fs::File;
    use std::io::{self, BufWriter, Write};
    use std::os::fd::{AsFd, BorrowedFd};
    use std::os::unix::fs::FileTypeExt;
    use std::os::unix::process::parent_id;

    pub fn run(args: &Args) -> Result<(), Failure> {
        // Outside, this starts the program again inside and does not return.
        segments::enter().map_err(|why| no_link(LinkError::Network(why)))?;
        let file = args.write.as_deref().map(observe::replace_private).transpose();
        let file = file.map_err(|error| Failure::Usage(format!("--write: {error}")))?;
        let told = ending::told()
            .map_err(|error| no_link(LinkError::System { doing: "signals", error }))?;
        let (left, left_tun) = Network::start(End::Left).map_err(no_link)?;
        let (right, right_tun) = Network::start(End::Right).map_err(no_link)?;
        let recording = file.as_ref().map(|_| Recording::new());
        let mut carrier = Carrier::new([left_tun, right_tun], &args.conditions, recording);
        announce(&left, &right).map_err(Failure::Stdout)?;

        let stdin = io::stdin();
        let mut until: Vec<BorrowedFd<'_>> = vec![told.as_fd()];
        if is_pipe(stdin.as_fd()) {
            until.push(stdin.as_fd());
        }
        carrier
            .carry_until(&until)
            .map_err(|error| no_link(LinkError::System { doing: "carrying packets", error }))?;
        if let (Some(file), Some(recording)) = (file, carrier.recording()) {
            let written = recording.write_pcapng(&mut BufWriter::new(file));
            written.map_err(|error| Failure::Usage(format!("--write: {error}")))?;
        }
        let [there, back] = carrier.counts();
        writeln!(io::stdout(), "from left: {there}\nfrom right: {back}").map_err(Failure::Stdout)
    }

    /// The first line is for programs, the others are for people.
    fn announce(left: &Network, right: &Network) -> io::Result<()> {
        let (at_left, at_right) = (End::Left.address(), End::Right.address());
        let (left, right) = (left.pid(), right.pid());
        let enter = |pid| nsenter_options(pid, parent_id()).join(" ");
        let (to_left, to_right) = (enter(left), enter(right));
        write!(
            io::stdout(),
            "linked {at_left} {left} {at_right} {right}\n\
             left:  nsenter {to_left} -- COMMAND\n\
             right: nsenter {to_right} -- COMMAND\n"
        )
    }

    /// A terminal ends us with Ctrl-C; /dev/null, which a shell gives its background jobs, means nothing.
    fn is_pipe(stdin: BorrowedFd<'_>) -> bool {
        let kind = stdin.try_clone_to_owned().and_then(|fd| File::from(fd).metadata());
        kind.is_ok_and(|data| data.file_type().is_fifo())
    }
}
