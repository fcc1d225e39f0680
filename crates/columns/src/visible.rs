//! Other people's text and bytes, made safe to show in a terminal.

/// A text with every character escaped that a terminal would obey instead of showing it: ESC and the other control
/// characters, line ends too, and characters without a column of their own, such as the one that reverses the
/// direction of the line.
///
/// For file names, and for text from a peer, another program or a trace. A backslash isn't escaped, so escaping a
/// text twice changes nothing.
///
/// ```
/// assert_eq!(columns::visible("café \u{1b}[31m\n\u{202e}"), r"café \u{1b}[31m\n\u{202e}");
/// ```
pub fn visible(text: &str) -> String {
    let mut shown = String::new();
    for char in text.chars() {
        // What Rust would escape in a Debug string, apart from quotes and backslashes.
        let hidden =
            if char.is_ascii() { char.is_control() } else { char.escape_debug().len() > 1 };
        match hidden {
            true => shown.extend(char.escape_default()),
            false => shown.push(char),
        }
    }
    shown
}

/// The same for bytes: text where they are UTF-8, and `\xNN` for every other byte.
///
/// ```
/// assert_eq!(columns::visible_bytes(b"caf\xc3\xa9 caf\xe9\r\n"), r"café caf\xe9\r\n");
/// ```
pub fn visible_bytes(bytes: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in bytes.utf8_chunks() {
        shown.push_str(&visible(chunk.valid()));
        shown.extend(chunk.invalid().escape_ascii().map(char::from));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_the_rest_stays() {
        let plain = "a \\ \"b\" 'c' 你好 café …";
        assert_eq!(visible(plain), plain);
        let hostile =
            "\0\u{7}\u{1b}\u{7f}\u{80}\u{9b}\n\r\t\u{200b}\u{202e}\u{2028}\u{feff}\u{ffff}\u{301}";
        let shown = visible(hostile);
        assert!(shown.is_ascii() && !shown.chars().any(char::is_control), "{shown:?}");
        assert_eq!(shown.matches('\\').count(), hostile.chars().count(), "{shown}");
        assert_eq!(visible(&shown), shown);
    }

    #[test]
    fn bytes_are_text_as_far_as_they_can() {
        assert_eq!(visible_bytes("你好".as_bytes()), "你好");
        assert_eq!(visible_bytes(&"你好".as_bytes()[..4]), "你\\xe5");
        assert_eq!(visible_bytes(b"\x1b[31m\x80"), "\\u{1b}[31m\\x80");
        for byte in 0..=u8::MAX {
            let shown = visible_bytes(&[byte]);
            assert!(!shown.is_empty() && !shown.contains(char::is_control), "{byte:#x}");
        }
    }
}
