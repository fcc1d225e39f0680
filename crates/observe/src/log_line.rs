//! How an event looks in the log: one line, as wide as the terminal allows.
//!
//! ```text
//! 07:28:31.788123Z recv conn=2 asked=1024 got=7 offset=0 data="hellohi"
//! 07:28:33.104822Z WARN accept failed: nobody new is served until some connection ends error=Too many open files
//! ```
//!
//! A line that is too long for a terminal is broken between words. In a pipe it isn't, so that a program finds each event
//! on a line of its own. Only the bytes of a call are shortened.

use std::fmt::{self, Debug, Write};
use std::io;
use std::time::SystemTime;

use anstyle::{AnsiColor, Style};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// On a narrower terminal the bytes matter more than the time.
const WIDE_ENOUGH_FOR_TIME: usize = 80;
/// A preview of bytes has at least this many columns, `data=""` included; if need be, it goes on the next line.
const DATA: usize = 20;
/// More bytes than the widest line shows: a call may move megabytes.
const SHOWN: usize = 128;
/// How far the second line of an event is indented.
const INDENT: usize = 2;

const FAINT: Style = Style::new().dimmed();

pub(crate) struct LogLine {
    pub is_terminal: bool,
}

impl<S, N> FormatEvent<S, N> for LogLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut to: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let columns = columns::of(io::stderr());
        let mut styled = |style: Style, text: &str| match to.has_ansi_escapes() {
            true => write!(to, "{style}{text}{style:#} "),
            false => write!(to, "{text} "),
        };
        let mut used = 0;
        if !self.is_terminal || columns >= WIDE_ENOUGH_FOR_TIME {
            let time = time_of_day(SystemTime::now());
            styled(FAINT, &time)?;
            used += time.len() + 1;
        }
        // For a socket call, the name of the call is enough.
        if event.metadata().target() != "sock" {
            let level = *event.metadata().level();
            styled(style(level), level.as_str())?;
            used += level.as_str().len() + 1;
        }
        let lines = fields.lines(used, columns, self.is_terminal);
        writeln!(to, "{}", lines.join(&format!("\n{:INDENT$}", "")))
    }
}

fn style(level: Level) -> Style {
    match level {
        Level::ERROR => AnsiColor::Red.on_default(),
        Level::WARN => AnsiColor::Yellow.on_default(),
        _ => AnsiColor::Cyan.on_default(),
    }
}

/// What an event says, in the order in which it is shown.
#[derive(Default)]
struct Fields {
    /// The message, or the name of a call.
    what: String,
    /// ` name=value`, for each field.
    others: String,
    /// How many bytes the call moved, and the first of them.
    got: Option<u64>,
    data: Option<Vec<u8>>,
}

impl Fields {
    /// The first line has `used` columns less.
    fn lines(&self, used: usize, columns: usize, is_terminal: bool) -> Vec<String> {
        let text = columns::visible(&format!("{}{}", self.what, self.others));
        let data = self.data.as_ref().map(|data| {
            let left = columns.saturating_sub(used + columns::width(&text) + 1);
            let room = if left >= DATA || !is_terminal { left.max(DATA) } else { columns - INDENT };
            let whole = self.got.is_none_or(|got| got <= data.len() as u64);
            format!("data=\"{}\"", preview(data, whole, room - "data=\"\"".len()))
        });
        let words = text.split(' ').chain(data.as_deref());
        match is_terminal {
            true => columns::fill(words, columns.saturating_sub(used), columns - INDENT),
            false => vec![words.collect::<Vec<_>>().join(" ")],
        }
    }
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "got" {
            self.got = Some(value);
        }
        self.record_debug(field, &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "call" => self.what = value.to_owned(),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_bytes(&mut self, _: &Field, value: &[u8]) {
        self.data = Some(value[..value.len().min(SHOWN)].to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // A String takes whatever is written to it.
        let _ = match field.name() {
            "message" => write!(self.what, "{value:?}"),
            name => write!(self.others, " {name}={value:?}"),
        };
    }
}

/// In UTC, because only the system knows our time zone.
fn time_of_day(now: SystemTime) -> String {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (seconds, micros) = (since.as_secs(), since.subsec_micros());
    let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{micros:06}Z", seconds % 60)
}

/// Bytes as text in at most this many columns, escaped as in a Rust string; `whole`: no others follow.
fn preview(data: &[u8], whole: bool, columns: usize) -> String {
    let mut all = Vec::new();
    for chunk in data.utf8_chunks() {
        all.extend(chunk.valid().chars().map(|char| match u8::try_from(char) {
            Ok(byte) if byte.is_ascii() => byte.escape_ascii().to_string(),
            _ => columns::visible(char.encode_utf8(&mut [0; 4])),
        }));
        all.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    let wide = |shown: &[String]| shown.iter().map(|one| columns::width(one)).sum::<usize>();
    if whole && wide(&all) <= columns {
        return all.concat();
    }
    while wide(&all) >= columns {
        all.pop();
    }
    all.concat() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn bytes_are_escaped_once_and_shortened_between_characters() {
        let check = |data: &[u8], columns, expected: &str| {
            assert_eq!(preview(data, true, columns), expected);
        };
        check(b"hi\n\0", 10, "hi\\n\\x00");
        check(b"a \"b\" \\", 20, "a \\\"b\\\" \\\\");
        check("你好".as_bytes(), 4, "你好");
        check("你好".as_bytes(), 3, "你…");
        check(&"你好".as_bytes()[..4], 10, "你\\xe5");
        check("\u{202e}".as_bytes(), 10, "\\u{202e}");
        check(b"ab\x1bcd", 6, "ab…");
        check(b"0123456789", 10, "0123456789");
        check(b"0123456789a", 10, "012345678…");
        assert_eq!(preview(b"0123", false, 10), "0123…");
    }

    #[test]
    fn a_line_fits_the_terminal_and_is_one_line_in_a_pipe() {
        let data = Some([b'x'; 64].to_vec());
        let others = " conn=1 asked=64 got=64 offset=0".to_owned();
        let call = Fields { what: "send".to_owned(), others, got: Some(64), data };
        for (used, columns) in [(0, 60), (17, 80), (17, 120)] {
            let lines = call.lines(used, columns, true);
            assert_eq!(lines.len(), 1, "{lines:?}");
            assert_eq!(used + columns::width(&lines[0]), columns, "{lines:?}");
        }
        let others = " conn=1 peer=\"[2001:db8::89ab:cdef]:8888\"".to_owned();
        let call = Fields { others, ..call };
        let lines = call.lines(17, 80, true);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].starts_with("data=\"xxx") && lines[1].len() <= 80, "{lines:?}");
        assert_eq!(call.lines(17, 80, false).len(), 1);
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        let fields = Fields { what: "said \u{1b}[31m".to_owned(), ..Fields::default() };
        assert_eq!(fields.lines(0, 80, true), ["said \\u{1b}[31m"]);
    }

    #[test]
    fn the_time_of_day() {
        let noon = SystemTime::UNIX_EPOCH + Duration::from_micros(12 * 3_600_000_000 + 61_000_007);
        assert_eq!(time_of_day(noon), "12:01:01.000007Z");
    }
}
