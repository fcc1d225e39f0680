//! Bytes as a student reads them: quoted, cut, and side by side with a mark under the first wrong one.

/// How many bytes a quotation shows at most.
const QUOTED: usize = 48;
/// How many bytes stand in a line of the comparison.
const ROW: usize = 16;

/// The bytes as text with escapes, `"hello\n"`; of long ones the beginning and the number.
pub(crate) fn quote(bytes: &[u8]) -> String {
    match bytes.get(..QUOTED) {
        Some(head) if bytes.len() > QUOTED => {
            format!("\"{}…\" ({} bytes)", head.escape_ascii(), bytes.len())
        }
        _ => format!("\"{}\"", bytes.escape_ascii()),
    }
}

/// The bytes with a bar where the stream is cut: `"he|llo"`. `pieces` are their lengths.
pub(crate) fn quote_cut(bytes: &[u8], pieces: &[usize]) -> String {
    let mut text = String::new();
    let mut at = 0;
    for (number, piece) in pieces.iter().enumerate() {
        if at >= QUOTED {
            break;
        }
        let end = (at + piece).min(bytes.len());
        if number > 0 {
            text.push('|');
        }
        text.push_str(&bytes[at..end.min(QUOTED)].escape_ascii().to_string());
        at = end;
    }
    if bytes.len() > QUOTED {
        format!("\"{text}…\" ({} bytes in {} pieces)", bytes.len(), pieces.len())
    } else {
        format!("\"{text}\" ({} bytes in {} pieces)", bytes.len(), pieces.len())
    }
}

/// The line of sixteen bytes around the first difference, expected above received, hex and text, with a mark.
///
/// ```text
/// expected  68 65 6c 6c 6f  |hello|
/// received  68 65 4c 6c 6f  |heLlo|
///                 ^^ byte 2: expected 6c "l", received 4c "L"
/// ```
pub(crate) fn compare(expected: &[u8], received: &[u8]) -> Vec<String> {
    let same = expected.iter().zip(received).take_while(|(a, b)| a == b).count();
    let start =
        (same / ROW * ROW).saturating_sub(if same % ROW == 0 && same > 0 { ROW } else { 0 });
    let row = |bytes: &[u8]| {
        let end = (start + 2 * ROW).min(bytes.len());
        let part = bytes.get(start..end).unwrap_or_default();
        let hex: Vec<String> = part.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String = part
            .iter()
            .map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' })
            .collect();
        (hex.join(" "), text)
    };
    let ((hex, text), (other_hex, other_text)) = (row(expected), row(received));
    let width = hex.len().max(other_hex.len());
    let mut lines = Vec::new();
    if start > 0 {
        lines.push(format!("(the first {start} bytes are as expected)"));
    }
    lines.push(format!("expected  {hex:width$}  |{text}|"));
    lines.push(format!("received  {other_hex:width$}  |{other_text}|"));
    let name = |byte: Option<&u8>| match byte {
        Some(byte) => format!("{byte:02x} \"{}\"", byte.escape_ascii()),
        None => "nothing".to_owned(),
    };
    let mark = "          ".len() + 3 * (same - start);
    lines.push(format!(
        "{:mark$}^^ byte {same}: expected {}, received {}",
        "",
        name(expected.get(same)),
        name(received.get(same))
    ));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_under_the_first_wrong_byte() {
        assert_eq!(
            compare(b"hello", b"heLlo"),
            [
                "expected  68 65 6c 6c 6f  |hello|",
                "received  68 65 4c 6c 6f  |heLlo|",
                "                ^^ byte 2: expected 6c \"l\", received 4c \"L\"",
            ]
        );
    }

    #[test]
    fn a_missing_end_is_marked_behind_what_came() {
        let lines = compare(b"hello", b"hel");
        assert_eq!(lines[2], "                   ^^ byte 3: expected 6c \"l\", received nothing");
    }

    #[test]
    fn a_cut_stream_shows_its_cuts() {
        assert_eq!(quote_cut(b"hello", &[2, 3]), "\"he|llo\" (5 bytes in 2 pieces)");
    }
}
