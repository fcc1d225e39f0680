//! What programs say and folders are called, escaped so that it can be shown.

use std::ffi::OsStr;
use std::fmt::Write;

/// A name or a path as it can be shown: bytes that are not UTF-8 stand there as `\xNN`, and so does a backslash. So no two
/// names are shown alike, and a folder's name is what its student chose, not what a decoder made of it.
///
/// It may still hold control characters: [`escape`] escapes those.
pub fn shown_name(name: impl AsRef<OsStr>) -> String {
    let mut shown = String::new();
    for chunk in name.as_ref().as_encoded_bytes().utf8_chunks() {
        shown.push_str(&chunk.valid().replace('\\', "\\x5c"));
        // To write into a string cannot fail.
        chunk.invalid().iter().for_each(|byte| _ = write!(shown, "\\x{byte:02x}"));
    }
    shown
}

/// The text on one line, with control characters escaped: it must not paint over a terminal, nor end a line of the report.
pub fn escape(text: &str) -> String {
    text.chars().flat_map(escaped).collect()
}

/// As [`escape`], but for the ends of lines.
pub(crate) fn escape_lines(text: &str) -> String {
    text.split('\n').map(escape).collect::<Vec<_>>().join("\n")
}

/// Besides control characters these reorder a line as it is shown, or are no characters at all, and XML and YAML do not
/// take the latter.
fn escaped(char: char) -> impl Iterator<Item = char> {
    let unsafe_to_show = char.is_control()
        || matches!(char, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        || u32::from(char) & 0xfffe == 0xfffe;
    let escape = unsafe_to_show.then(|| char.escape_default());
    let plain = (!unsafe_to_show).then_some(char);
    escape.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_are_shown_differently() {
        use std::os::unix::ffi::OsStrExt;
        for (name, shown) in [
            (&b"alice/echo"[..], "alice/echo"),
            (b"caf\xc3\xa9", "café"),
            (b"caf\xe9", "caf\\xe9"),
            (b"caf\xe8", "caf\\xe8"),
            (b"caf\\xe9", "caf\\x5cxe9"),
            (b"\xff\xfea\xe2\x82", "\\xff\\xfea\\xe2\\x82"),
            ("\u{fffd}".as_bytes(), "\u{fffd}"),
            (b"a\nb c", "a\nb c"),
        ] {
            assert_eq!(shown_name(OsStr::from_bytes(name)), shown);
        }
    }

    #[test]
    fn nothing_that_is_shown_can_paint() {
        assert_eq!(
            escape("\u{1b}[2J a\r\n\u{202e}b\u{9b}\u{ffff}ß\u{1f600}"),
            "\\u{1b}[2J a\\r\\n\\u{202e}b\\u{9b}\\u{ffff}ß\u{1f600}"
        );
    }
}
