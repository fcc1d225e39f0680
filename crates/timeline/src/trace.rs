//! The events of a run: what a program wrote with `--trace FILE`, or what strace saw of it.

use crate::strace;
use columns::visible;
use event::Event;
use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// What programs recorded, and what is missing from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The calls, in their order.
    pub events: Vec<Event>,
    /// What was not recorded, a sentence each; nothing for a trace that is whole.
    pub remarks: Vec<String>,
}

/// Reads a trace: what one of our programs wrote with `--trace`, one JSON object a line, or what strace wrote of any
/// program.
///
/// If the last line is cut off, because the program was killed while writing it, it is left out with a remark.
///
/// A trace may come from somebody else, and so may each text in it. So anything that a terminal would obey is escaped
/// here, on the way in: nothing that is drawn or said later can contain it.
///
/// # Errors
/// [`TraceError`] when the file cannot be read, or with the number of the first line that is not an event.
pub fn read_trace(path: &Path) -> Result<Trace, TraceError> {
    let text =
        fs::read(path).map_err(|source| TraceError::Read { path: path.to_owned(), source })?;
    parse_trace(path, &text)
}

/// The same for a file that has already been read; `path` is for the errors.
///
/// # Errors
/// [`TraceError::Line`] with the number of the first line that is not an event.
pub fn parse_trace(path: &Path, text: &[u8]) -> Result<Trace, TraceError> {
    let line = |(number, why)| TraceError::Line { path: path.to_owned(), number, why };
    if strace::is_strace(text) {
        let seen = strace::read(&String::from_utf8_lossy(text)).map_err(line)?;
        let events = seen.events.into_iter().map(escaped).collect();
        let remarks = seen.remarks.into_iter().chain(seen.cut_off.map(cut_off));
        return Ok(Trace { events, remarks: remarks.collect() });
    }
    let mut events = Vec::new();
    for (text, number) in text.split_inclusive(|byte| *byte == b'\n').zip(1..) {
        match serde_json::from_slice(text) {
            Ok(event) => events.push(escaped(event)),
            // Each event is written with its line break: only the last line can lack it.
            Err(error) if error.is_eof() && !text.ends_with(b"\n") => {
                return Ok(Trace { events, remarks: vec![cut_off(number)] });
            }
            Err(error) => return Err(line((number, error.to_string()))),
        }
    }
    Ok(Trace { events, remarks: Vec::new() })
}

/// The remark about a file whose last line has no end.
fn cut_off(number: usize) -> String {
    format!(
        "line {number} is cut off, because the program was killed or is still running; only the lines before it were read"
    )
}

/// Every text of an event, escaped. The bytes stay as they are: [`bytes`](crate::bytes) escapes them when they are shown.
fn escaped(event: Event) -> Event {
    let Event {
        t_us,
        began_us,
        pid,
        call,
        conn,
        dir,
        asked,
        got,
        offset,
        data,
        local,
        peer,
        error,
        text: said,
    } = event;
    let text = |text: Option<String>| text.map(|text| visible(&text));
    let (call, dir, local) = (visible(&call), text(dir), text(local));
    let (peer, error, text) = (text(peer), text(error), text(said));
    Event {
        t_us,
        began_us,
        pid,
        call,
        conn,
        dir,
        asked,
        got,
        offset,
        data,
        local,
        peer,
        error,
        text,
    }
}

/// A file that is not a trace.
#[derive(Debug)]
pub enum TraceError {
    /// It cannot be read.
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A line of it is not an event.
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
}

impl Display for TraceError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // The file's name may come from somebody else too, and the parser quotes what it found.
        f.write_str(&visible(&match self {
            Self::Read { path, source } => {
                format!("could not read the trace {}: {source}", path.display())
            }
            Self::Line { path, number, why } => {
                format!("{}, line {number}, is not an event: {why}", path.display())
            }
        }))
    }
}

impl std::error::Error for TraceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source, .. } => Some(source),
            Self::Line { .. } => None,
        }
    }
}
