//! Bytes as text for a terminal: every byte visible, and the columns known.

use unicode_width::UnicodeWidthChar;

/// Bytes as text. Characters that a terminal would not show in one or two columns are escaped: `\n`, `\x00`, `\x1b`,
/// `\u{202e}`. A byte that is not part of a whole UTF-8 character becomes `\xe4`.
pub fn text(bytes: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '\n' | '\r' | '\t' | '\\' => shown.extend(char.escape_default()),
                _ if char.is_ascii_control() => {
                    shown.push_str(&format!("\\x{:02x}", u32::from(char)))
                }
                // XML cannot hold these two.
                '\u{fffe}' | '\u{ffff}' => shown.extend(char.escape_unicode()),
                // No column of its own: it would change its neighbours, or even the direction of the line.
                _ if char.width().unwrap_or(0) == 0 => shown.extend(char.escape_unicode()),
                _ => shown.push(char),
            }
        }
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
    shown
}

/// Framing bytes: in hex, `05 00 00 00`, unless they are text themselves, such as a JSON header.
pub fn framing(bytes: &[u8]) -> String {
    match bytes.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        true => text(bytes),
        false => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "),
    }
}

/// Payload bytes: as text, but in hex where most of them would be escapes. A few bytes of a cut character stay text.
pub fn payload(bytes: &[u8]) -> String {
    if is_text(bytes) { text(bytes) } else { framing(bytes) }
}

fn is_text(bytes: &[u8]) -> bool {
    let control = |char: &char| char.is_control() && !matches!(char, '\n' | '\r' | '\t');
    let escapes = bytes
        .utf8_chunks()
        .map(|chunk| chunk.valid().chars().filter(control).count() + chunk.invalid().len());
    bytes.len() < FEW || escapes.sum::<usize>() * 2 <= bytes.len()
}

/// Fewer bytes than this always count as text: they may be part of a cut character, which has up to four.
const FEW: usize = 4;

/// The beginning of a payload: what a message is called in the picture.
pub fn preview(bytes: &[u8]) -> String {
    columns::cut(&text(bytes), PREVIEW)
}

const PREVIEW: usize = 24;

/// The beginning of what a call moved, for a list: text in quotes, or hex without quotes.
pub fn listed(bytes: &[u8]) -> String {
    // No more than this is ever shown, even if each character takes four bytes.
    let bytes = &bytes[..bytes.len().min(4 * PREVIEW)];
    match is_text(bytes) {
        true => format!("\"{}\"", preview(bytes)),
        false => columns::cut(&framing(bytes), PREVIEW),
    }
}

/// `1 byte`, `2 bytes`.
pub fn count(count: usize) -> String {
    match count {
        1 => "1 byte".to_owned(),
        _ => format!("{count} bytes"),
    }
}

/// A text in at most `columns`: all of it, or its beginning and the length in bytes of the whole.
pub fn shorten(shown: String, columns: usize, bytes: usize) -> String {
    if columns::width(&shown) <= columns {
        return shown;
    }
    let count = format!("…({bytes} bytes)");
    columns::head(&shown, columns.saturating_sub(columns::width(&count))).to_owned() + &count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_visible() {
        let check = |bytes: &[u8], expected: &str| assert_eq!(text(bytes), expected);
        check(b"hello", "hello");
        check(b"a\nb\r\t\0\\\x1b[31m\x7f", "a\\nb\\r\\t\\x00\\\\\\x1b[31m\\x7f");
        check("你好".as_bytes(), "你好");
        check(&"你好".as_bytes()[..4], "你\\xe5");
        check(&"你好".as_bytes()[4..], "\\xa5\\xbd");
        check("a\u{202e}b\u{301}".as_bytes(), "a\\u{202e}b\\u{301}");
        assert_eq!(framing(&[5, 0, 0, 0]), "05 00 00 00");
        assert_eq!(framing(b"327"), "327");
        check(b"$\x01\0\x001\n2", "$\\x01\\x00\\x001\\n2");
        assert_eq!(payload(b"$\x01\0\0"), "24 01 00 00");
        assert_eq!(payload(b"\n\n\n\n"), "\\n\\n\\n\\n");
        assert_eq!(payload(&"你".as_bytes()[1..]), "\\xbd\\xa0");
        assert_eq!(listed(b"echo two"), "\"echo two\"");
        assert_eq!(listed(&[0; 1000]), "00 00 00 00 00 00 00 00…");
    }

    #[test]
    fn all_256_bytes_show_as_printable_text() {
        for byte in 0..=u8::MAX {
            let shown = text(&[byte]);
            assert!(!shown.is_empty() && shown.chars().all(|char| !char.is_control()), "{byte:#x}");
        }
    }

    #[test]
    fn columns_are_counted_and_kept() {
        assert_eq!(shorten("hello".into(), 5, 5), "hello");
        assert_eq!(shorten("你好你好你好你好你好".into(), 16, 30), "你好…(30 bytes)");
        assert_eq!(preview(b"line 01 of answer one\n"), "line 01 of answer one\\n");
        assert_eq!(preview(b"line 01 of answer three\n"), "line 01 of answer three…");
    }
}
