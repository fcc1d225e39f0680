//! The log on stderr and the trace in a file.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use anstream::{AutoStream, ColorChoice};
use rustix::time::{ClockId, clock_gettime};
use tracing::{Level, debug};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

use crate::log_line::LogLine;
use crate::{Event, Failure, lines};

/// What every program can tell you about its socket calls.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Watching")]
pub struct LogArgs {
    /// Log every socket call to stderr (-vv: everything). RUST_LOG=sock=debug does the same
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,

    /// Append every socket call to FILE, one JSON object a line, with its bytes in base64
    #[arg(long, global = true, value_name = "FILE")]
    trace: Option<PathBuf>,
}

/// Where `--trace` goes. One for the process: a socket call may happen on any thread.
static TRACE: OnceLock<File> = OnceLock::new();

impl LogArgs {
    /// Sets up the log and the trace; called once, first thing in `main`.
    ///
    /// # Errors
    /// [`Failure::Usage`] when `RUST_LOG` makes no sense or the trace file cannot be opened.
    pub fn start(&self) -> Result<(), Failure> {
        let filter = match (self.verbose, env::var("RUST_LOG")) {
            (0, Ok(text)) if !text.is_empty() => text.parse::<Targets>().map_err(|error| {
                Failure::Usage(format!("RUST_LOG={text}: {error}; try RUST_LOG=sock=debug"))
            })?,
            (0, _) => Targets::new().with_default(Level::WARN),
            (1, _) => Targets::new().with_default(Level::INFO).with_target("sock", Level::DEBUG),
            (_, _) => Targets::new().with_default(Level::TRACE),
        };
        // As everywhere: colour only on a terminal, not on a dumb one, and not with NO_COLOR.
        let colour = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(lines::Log::default)
            .with_ansi(colour)
            .event_format(LogLine { is_terminal: io::stderr().is_terminal() })
            // It reports a broken stderr by writing to stderr, and panics.
            .log_internal_errors(false);
        // Only a second call could fail, and then the first one's log stays.
        let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();

        if let Some(path) = &self.trace {
            // Appended, because several processes of one run may share a file, a line at a time.
            let file = create_private(path)
                .map_err(|error| Failure::Usage(format!("--trace {}: {error}", path.display())))?;
            let _ = TRACE.set(file);
        }
        Ok(())
    }
}

/// Opens a file for appending. It will hold the bytes of connections, so if it is new, only its owner may
/// read it.
///
/// # Errors
/// What open(2) says.
pub fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// As [`create_private`], but the file is emptied first.
///
/// # Errors
/// What open(2) says.
pub fn replace_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)
}

/// Whether anyone sees the socket calls, in the log or in a trace. If so, don't move bytes past
/// [`Socket`](crate::Socket) to be faster.
pub fn is_recording() -> bool {
    TRACE.get().is_some() || tracing::enabled!(target: "sock", Level::DEBUG)
}

/// Hands one socket call to the log and to the trace; `fill` makes the event, with all its bytes
/// only if there is a trace.
pub(crate) fn record(fill: impl FnOnce(bool) -> Event) {
    if !is_recording() {
        return;
    }
    let trace = TRACE.get();
    let mut event = fill(trace.is_some());
    let now = clock_gettime(ClockId::Monotonic);
    event.t_us = now.tv_sec as u64 * 1_000_000 + now.tv_nsec as u64 / 1_000;
    event.pid = std::process::id();

    // The trace comes first: whoever waits for a line in the log can then find the call in the trace.
    if let Some(mut file) = trace
        && let Ok(mut line) = serde_json::to_vec(&event)
    {
        line.push(b'\n');
        // One write per line, so that lines of several threads don't mix. A full disk must not end
        // a lesson about sockets; we say once that the trace is incomplete.
        static SAID: AtomicBool = AtomicBool::new(false);
        if let Err(error) = file.write_all(&line)
            && !SAID.swap(true, Ordering::Relaxed)
        {
            lines::to_stderr(format_args!("the trace is incomplete from here on: {error}"));
        }
    }
    debug!(
        target: "sock",
        call = event.call,
        conn = event.conn,
        asked = event.asked,
        got = event.got,
        offset = event.offset,
        local = event.local,
        peer = event.peer,
        error = event.error,
        text = event.text,
        data = event.data.as_deref(),
    );
}
