//! The messages as a reader types them, one per line, and as they are shown.

/// Reads one message per line. `\n`, `\r`, `\t`, `\\` and `\x00` stand for bytes that can't be typed; an empty line is an
/// empty message. A line feed at the end of the text doesn't add another one.
///
/// # Errors
/// What was expected, and in which message something else was found.
pub fn parse(text: &str) -> Result<Vec<Vec<u8>>, String> {
    text.strip_suffix('\n')
        .unwrap_or(text)
        .split('\n')
        .zip(1..)
        .map(|(line, number)| unescape(line).map_err(|why| format!("Message {number}: {why}")))
        .collect()
}

fn unescape(line: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend(before.as_bytes());
        let mut chars = after.chars();
        bytes.push(match chars.next() {
            Some('n') => b'\n',
            Some('r') => b'\r',
            Some('t') => b'\t',
            Some('\\') => b'\\',
            Some('x') => {
                let digits: String = chars.by_ref().take(2).collect();
                let is_hex =
                    digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                u8::from_str_radix(&digits, 16).ok().filter(|_| is_hex).ok_or_else(|| {
                    format!("expected two hex digits after \\x, as in \\x00, got \"{digits}\"")
                })?
            }
            other => {
                let other =
                    other.map_or_else(|| "nothing".to_owned(), |char| format!("\"{char}\""));
                return Err(format!(
                    "expected n, r, t, \\, or x and two hex digits after a backslash, got {other}"
                ));
            }
        });
        rest = chars.as_str();
    }
    bytes.extend(rest.as_bytes());
    Ok(bytes)
}

/// The message as you could type it: visible text as it is, and escapes for everything else.
pub fn escape(message: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in message.utf8_chunks() {
        for char in chunk.valid().chars() {
            let text = char.to_string();
            match char {
                '\\' => shown.push_str("\\\\"),
                '\n' => shown.push_str("\\n"),
                '\r' => shown.push_str("\\r"),
                '\t' => shown.push_str("\\t"),
                _ if columns::visible(&text) == text => shown.push(char),
                _ => text.bytes().for_each(|byte| shown.push_str(&format!("\\x{byte:02x}"))),
            }
        }
        chunk.invalid().iter().for_each(|byte| shown.push_str(&format!("\\x{byte:02x}")));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{escape, parse};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_shown_can_be_typed(bytes: Vec<u8>) {
            let shown = escape(&bytes);
            prop_assert!(!shown.chars().any(char::is_control), "{shown:?}");
            prop_assert_eq!(parse(&(shown + "\n")).unwrap(), [bytes]);
        }

        #[test]
        fn text_can_be_typed_too(text in ".*") {
            prop_assert_eq!(parse(&(escape(text.as_bytes()) + "\n")).unwrap(), [text.as_bytes()]);
        }
    }

    #[test]
    fn what_cannot_be_read_is_reported_with_its_message() {
        for (text, says) in [
            (
                "a\n\\q",
                "Message 2: expected n, r, t, \\, or x and two hex digits after a backslash, got \"q\"",
            ),
            ("\\x+f", "Message 1: expected two hex digits after \\x, as in \\x00, got \"+f\""),
            (
                "\\",
                "Message 1: expected n, r, t, \\, or x and two hex digits after a backslash, got nothing",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err(), says);
        }
    }
}
