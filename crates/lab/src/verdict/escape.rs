//! What programs print and what folders are called, escaped so that it is safe to show.

use std::ffi::OsStr;
use std::fmt::Write;

/// A name or a path in a form that can be shown: a byte that isn't UTF-8 appears as `\xNN`, and so does a backslash. So
/// no two names look alike, and a folder's name is what its student chose, not what a decoder made of it.
///
/// It may still contain control characters: [`escape`] escapes those.
pub fn shown_name(name: impl AsRef<OsStr>) -> String {
    let mut shown = String::new();
    for chunk in name.as_ref().as_encoded_bytes().utf8_chunks() {
        shown.push_str(&chunk.valid().replace('\\', "\\x5c"));
        // Writing into a String cannot fail.
        chunk.invalid().iter().for_each(|byte| _ = write!(shown, "\\x{byte:02x}"));
    }
    shown
}

/// The text on one line, with control characters escaped, so that it can neither garble a terminal nor end a line of
/// the report.
pub fn escape(text: &str) -> String {
    text.chars().flat_map(escaped).collect()
}

/// Like [`escape`], but keeps line ends.
pub(crate) fn escape_lines(text: &str) -> String {
    text.split('\n').map(escape).collect::<Vec<_>>().join("\n")
}

/// Besides control characters, this escapes those that reorder a line on the screen, and code points that are not
/// characters, which XML and YAML don't accept.
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
