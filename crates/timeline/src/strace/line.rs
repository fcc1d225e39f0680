//! A line of strace: which thread made which call, when, and what it returned.

use super::value::{Value, values};

/// A line of the recording.
#[derive(Debug, PartialEq)]
pub struct Line<'a> {
    /// The thread.
    pub thread: u32,
    /// Microseconds since 1970: when the call began.
    pub t_us: u64,
    pub what: What<'a>,
}

#[derive(Debug, PartialEq)]
pub enum What<'a> {
    /// A whole call: the text after the time.
    Call(&'a str),
    /// `recvfrom(4<…>, <unfinished ...>`: another thread's call came in between.
    Unfinished(&'a str),
    /// `<... recvfrom resumed>"\x68", …) = 1`: the rest of it.
    Resumed(&'a str),
    /// `--- SIGCHLD … ---`, `+++ exited with 0 +++`.
    Other,
}

/// A call, taken apart.
#[derive(Debug, PartialEq)]
pub struct Call<'a> {
    pub name: &'a str,
    pub args: Vec<Value<'a>>,
    pub result: Outcome<'a>,
    /// How long it took, in microseconds (`-T`).
    pub took: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome<'a> {
    /// What it returned: a number; if that is a descriptor, with what strace says about it.
    Returned(&'a str),
    /// The name of the error and its text: `EAGAIN (Resource temporarily unavailable)`.
    Failed(&'a str),
    /// It didn't return, or the kernel will restart it: `?`.
    Unknown,
}

impl Outcome<'_> {
    /// Whether it failed with this error.
    pub fn is(&self, name: &str) -> bool {
        matches!(self, Outcome::Failed(error) if error.split(' ').next() == Some(name))
    }

    /// What went wrong.
    pub fn error(&self) -> Option<String> {
        if let Outcome::Failed(error) = self { Some((*error).to_owned()) } else { None }
    }

    /// The number that it returned.
    pub fn number(&self) -> Option<u64> {
        match self {
            Outcome::Returned(word) => word.split('<').next()?.parse().ok(),
            Outcome::Failed(_) | Outcome::Unknown => None,
        }
    }
}

/// September 2001, in seconds since 1970: no recording is older.
const MILLENNIUM: u64 = 1_000_000_000;

/// Reads a line: `1234 1795789691.714294 sendto(…`. With a single process the number in front may be missing.
///
/// `None` if there is no time of this form, as without `-ttt`.
pub fn line(text: &str) -> Option<Line<'_>> {
    let (first, rest) = text.split_once(' ')?;
    let (thread, time, what) = match first.contains('.') {
        true => (0, first, rest.trim_start()),
        false => {
            let (time, what) = rest.trim_start().split_once(' ')?;
            (first.parse().ok()?, time, what.trim_start())
        }
    };
    let (seconds, micros) = time.split_once('.')?;
    if micros.len() != 6 {
        return None;
    }
    // A time of `-r`, which counts from the line before, would look the same.
    let seconds: u64 = seconds.parse().ok().filter(|seconds| *seconds >= MILLENNIUM)?;
    let t_us = seconds.checked_mul(1_000_000)?.checked_add(micros.parse().ok()?)?;
    let what = if let Some(rest) = what.strip_prefix("<... ") {
        What::Resumed(rest.split_once(" resumed>")?.1)
    } else if what.starts_with("--- ") || what.starts_with("+++ ") {
        What::Other
    } else if let Some(begun) = what.strip_suffix("<unfinished ...>") {
        What::Unfinished(begun)
    } else {
        What::Call(what)
    };
    Some(Line { thread, t_us, what })
}

/// The name in front of a call.
pub fn name(text: &str) -> &str {
    text.split('(').next().unwrap_or_default()
}

/// Takes a whole call apart: `send(…) = 5`, `recv(…) = -1 EAGAIN (…)`, `… = 5 <0.000021>`.
pub fn call(text: &str) -> Option<Call<'_>> {
    let (name, rest) = text.split_once('(')?;
    // The last one, because a text may contain others.
    let (args, result) = rest.rsplit_once(") = ").or_else(|| padded(rest))?;
    let (result, took) = match result.rsplit_once(" <").and_then(|(result, took)| {
        let took: f64 = took.strip_suffix('>')?.parse().ok()?;
        Some((result, took))
    }) {
        Some((result, took)) => (result, Some((took * 1e6) as u64)),
        None => (result, None),
    };
    let result = match result.split_once(' ').unwrap_or((result, "")) {
        ("?", _) => Outcome::Unknown,
        ("-1", error) => Outcome::Failed(error),
        (word, _) => Outcome::Returned(word),
    };
    Some(Call { name, args: values(args)?, result, took })
}

/// strace puts blanks after short calls to align the results: `close(3)        = 0`.
fn padded(rest: &str) -> Option<(&str, &str)> {
    let (args, result) = rest.rsplit_once(" = ")?;
    Some((args.trim_end().strip_suffix(')')?, result))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let read = line("12 1700000000.000002 close(3<TCP:[7]>)        = 0").unwrap();
        assert_eq!((read.thread, read.t_us), (12, 1_700_000_000_000_002));
        let What::Call(text) = read.what else { panic!("{read:?}") };
        let closed = call(text).unwrap();
        assert_eq!((closed.name, closed.result), ("close", Outcome::Returned("0")));
        assert_eq!(closed.args, [Value::Word("3<TCP:[7]>")]);
        assert_eq!(line("1700000000.000002 +++ exited with 0 +++").unwrap().what, What::Other);
        assert_eq!(line("12 10:00:00 close(3) = 0"), None);
        assert_eq!(line("12      0.000021 close(3) = 0"), None, "-r");
        assert_eq!(line("12 close(3) = 0"), None);
        assert_eq!(line(""), None);
    }

    #[test]
    fn results() {
        let result = |text| call(text).unwrap().result;
        let failed = Outcome::Failed("EAGAIN (Resource temporarily unavailable)");
        let text = "recvfrom(5, 0x7ff, 9, 0, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable) <0.000021>";
        assert_eq!(result(text), failed);
        assert_eq!(call(text).unwrap().took, Some(21));
        assert_eq!(result("accept4(3, NULL, NULL, 0) = 4<TCP:[a->b]>").number(), Some(4));
        assert_eq!(result("read(3, ) = ? ERESTARTSYS (To be restarted)"), Outcome::Unknown);
        assert_eq!(call(r#"write(1, ") = 5", 5) = 5"#).unwrap().args.len(), 3);
        assert_eq!(call("exit_group(0"), None);
    }
}
