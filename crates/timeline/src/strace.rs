//! What a program did, read from strace: the same events that our programs record themselves, of any program in any
//! language.
//!
//! ```text
//! strace -f -ttt -yy -xx -s 1000000 -e trace=network,read,write,readv,writev,close,sendfile,splice -o run.strace python3 server.py
//! ```
//!
//! With `-yy` strace says of each descriptor which socket it is. So it doesn't matter which thread or child made a call, or
//! under which number: all calls on a socket are its own, and the threads and children of a program are that program.
//!
//! Nothing is guessed. If strace didn't show the bytes of a call, they stay unknown; anything else that can't be known is
//! mentioned in a remark.

mod calls;
mod line;
mod moved;
mod socket;
mod sockets;
mod value;

use calls::Calls;
pub(crate) use calls::Seen;
use line::What;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Whether a file looks like strace's, and not like a trace of ours: it begins with a number.
pub(crate) fn is_strace(text: &[u8]) -> bool {
    text.trim_ascii_start().first().is_some_and(u8::is_ascii_digit)
}

/// Reads what strace wrote.
///
/// # Errors
/// What is wrong with the first line that isn't one of strace's with a time, and its number.
pub(crate) fn read(all: &str) -> Result<Seen, (usize, String)> {
    let mut calls = Calls::default();
    // For each thread, the call that it has begun and not ended: when, and the beginning of its line.
    let mut begun: HashMap<u32, (u64, &str)> = HashMap::new();
    let mut lines = all.lines().enumerate().peekable();
    let is_whole = all.ends_with('\n');
    while let Some((index, text)) = lines.next() {
        if text.trim().is_empty() {
            continue;
        }
        let is_last = index > 0 && lines.peek().is_none();
        // strace writes a buffer at a time: while the program runs, only half of the last line may be there.
        let line = line::line(text).filter(|_| is_whole || !is_last);
        let Some(line) = line else {
            if is_last {
                calls.cut_off = Some(index + 1);
                break;
            }
            return Err((index + 1, what_is_needed(text)));
        };
        match line.what {
            What::Other => {}
            What::Call(text) => take(&mut calls, line.thread, line.t_us, None, text),
            What::Unfinished(text) => {
                begun.insert(line.thread, (line.t_us, text));
            }
            What::Resumed(rest) => {
                // strace may have been attached while the call was already under way; then its beginning is missing.
                if let Some((began, text)) = begun.remove(&line.thread) {
                    let text = format!("{text}{rest}");
                    take(&mut calls, line.thread, began, Some(line.t_us), &text);
                }
            }
        }
    }
    for (_, text) in begun.into_values() {
        if calls::direction(line::name(text)).is_some() {
            calls.unsee("not drawn: a call that had not returned when strace ended");
        }
    }
    // Without -f no line names the process, but two such recordings must still count as two processes.
    let mut hasher = DefaultHasher::new();
    all.hash(&mut hasher);
    Ok(calls.into_seen(hasher.finish() as u32 | 1 << 31))
}

/// A line says when a call began. It says when it ended only if another thread's call came in between, or with `-T`.
fn take(calls: &mut Calls, thread: u32, began: u64, ended: Option<u64>, text: &str) {
    match line::call(text) {
        Some(call) => {
            let took = call.took.unwrap_or(0);
            let ended = ended.unwrap_or(began.saturating_add(took));
            calls.take(thread, [began, ended], &call);
        }
        None if calls::direction(line::name(text)).is_some() => {
            calls.unsee("not drawn: a line that could not be read as a call");
        }
        None => {}
    }
}

fn what_is_needed(text: &str) -> String {
    let text = columns::cut(&columns::visible(text), 40);
    format!("expected a time such as 1795789691.714294 (strace -ttt), got {text}")
}
