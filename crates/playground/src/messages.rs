//! The messages as a reader types them: a line each.

/// Reads one message a line. `\n`, `\r`, `\t`, `\\` and `\x00` stand for bytes that can't be typed; an empty line is an
/// empty message. A line feed at the end of the text is not one more message.
///
/// # Errors
/// What was expected, and in which line something else came.
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
                u8::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 2).ok_or_else(
                    || format!("expected two hex digits after \\x, as in \\x00, got \"{digits}\""),
                )?
            }
            other => {
                let other =
                    other.map_or_else(|| "nothing".to_owned(), |char| format!("\"{char}\""));
                return Err(format!("expected n, r, t, \\ or x00 after a backslash, got {other}"));
            }
        });
        rest = chars.as_str();
    }
    bytes.extend(rest.as_bytes());
    Ok(bytes)
}
