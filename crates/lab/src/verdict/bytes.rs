//! Bytes as a student sees them: quoted, cut, and side by side with a mark under the first wrong one.

/// How many characters a quotation has at most, so that a step stays on one line or two.
const QUOTED: usize = 56;
/// How many bytes a line of the comparison has.
pub(crate) const ROW: usize = 16;

/// The bytes as text with escapes, `"hello\n"`; for long ones, the beginning and the number of bytes.
pub(crate) fn quote(bytes: &[u8]) -> String {
    quote_cut(bytes, &[bytes.len()])
}

/// The bytes with a bar wherever the stream is cut: `"he|llo"`. `pieces` are their lengths.
pub(crate) fn quote_cut(bytes: &[u8], pieces: &[usize]) -> String {
    let (mut text, mut shown) = (String::new(), 0);
    let mut cuts = pieces.iter().scan(0, |at, piece| {
        *at += piece;
        Some(*at)
    });
    let mut cut = cuts.next();
    for byte in bytes {
        let word = std::ascii::escape_default(*byte).to_string();
        let bar = if cut == Some(shown) { "|" } else { "" };
        if text.len() + bar.len() + word.len() > QUOTED {
            break;
        }
        if !bar.is_empty() {
            cut = cuts.next();
        }
        text.push_str(bar);
        text.push_str(&word);
        shown += 1;
    }
    let all = bytes.len();
    let more = if shown < all { "…" } else { "" };
    match pieces.len() {
        0 | 1 if more.is_empty() => format!("\"{text}\""),
        0 | 1 => format!("\"{text}{more}\" ({all} bytes)"),
        cut => format!("\"{text}{more}\" ({all} bytes in {cut} pieces)"),
    }
}

/// The row of bytes with the first difference, expected above received, in hex and as text, with a mark; above it the
/// row before, in which both are the same. A row has [`ROW`] bytes, or fewer on a narrow terminal.
///
/// ```text
/// expected  68 65 6c 6c 6f  |hello|
/// received  68 65 4c 6c 6f  |heLlo|
///                 ^^
/// byte 2 of the stream, counted from 0: expected 6c "l", received 4c "L"
/// ```
///
/// Empty if both are the same.
pub(crate) fn compare(expected: &[u8], received: &[u8], in_row: usize) -> Vec<String> {
    let same = same(expected, received);
    if same == expected.len().max(received.len()) {
        return Vec::new();
    }
    let start = same / in_row * in_row;
    let before = start.saturating_sub(in_row);
    let part = |bytes: &[u8]| hex_and_text(bytes, start, in_row);
    let ((hex, text), (other_hex, other_text)) = (part(expected), part(received));
    // The row above, if there is one, is a full row.
    let full = if start > 0 { 3 * in_row - 1 } else { 0 };
    let width = hex.len().max(other_hex.len()).max(full);
    let mut lines = Vec::new();
    if before > 0 {
        lines.push(format!("(the first {before} bytes are as expected)"));
    }
    if start > 0 {
        let (hex, text) = hex_and_text(expected, before, in_row);
        lines.push(format!("the same  {hex}  |{text}|"));
    }
    lines.push(format!("expected  {hex:width$}  |{text}|"));
    lines.push(format!("received  {other_hex:width$}  |{other_text}|"));
    lines.push(format!("{:1$}^^", "", "expected  ".len() + 3 * (same - start)));
    let name = |byte: Option<&u8>| match byte {
        Some(byte) => format!("{byte:02x} \"{}\"", byte.escape_ascii()),
        None => "nothing".to_owned(),
    };
    lines.push(format!(
        "byte {same}, counted from 0: expected {}, received {}",
        name(expected.get(same)),
        name(received.get(same))
    ));
    lines
}

/// How many bytes the two have in common at the start.
pub(crate) fn same(one: &[u8], other: &[u8]) -> usize {
    // Blocks first: without optimisation, comparing ten megabytes byte by byte is slow.
    const BLOCK: usize = 4096;
    let blocks = one.chunks(BLOCK).zip(other.chunks(BLOCK)).take_while(|(a, b)| a == b).count();
    let at = (blocks * BLOCK).min(one.len()).min(other.len());
    at + one[at..].iter().zip(&other[at..]).take_while(|(a, b)| a == b).count()
}

fn hex_and_text(bytes: &[u8], start: usize, most: usize) -> (String, String) {
    let row = bytes.get(start..).unwrap_or_default();
    let row = &row[..row.len().min(most)];
    let hex: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
    let printable = |byte: &u8| (0x20..0x7f).contains(byte);
    let text = row.iter().map(|byte| if printable(byte) { char::from(*byte) } else { '.' });
    (hex.join(" "), text.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_under_the_first_wrong_byte() {
        assert_eq!(
            compare(b"hello", b"heLlo", ROW),
            [
                "expected  68 65 6c 6c 6f  |hello|",
                "received  68 65 4c 6c 6f  |heLlo|",
                "                ^^",
                "byte 2, counted from 0: expected 6c \"l\", received 4c \"L\"",
            ]
        );
    }

    #[test]
    fn what_is_missing_or_too_much_is_marked_behind_what_is_the_same() {
        let lines = compare(b"hello", b"hel", ROW);
        assert_eq!(lines[2], "                   ^^");
        assert_eq!(lines[3], "byte 3, counted from 0: expected 6c \"l\", received nothing");
        let lines = compare(b"", b"\nx", ROW);
        assert_eq!(lines[0], "expected         ||");
        assert_eq!(lines[1], "received  0a 78  |.x|");
        assert_eq!(lines[3], "byte 0, counted from 0: expected nothing, received 0a \"\\n\"");
        assert_eq!(compare(b"same", b"same", ROW), [""; 0]);
    }

    #[test]
    fn of_a_long_stream_two_rows_are_shown_and_the_rest_is_counted() {
        let expected = vec![b'a'; 100_000];
        let mut received = expected.clone();
        received[99_999] = 0;
        let lines = compare(&expected, &received, ROW);
        assert_eq!(lines.len(), 6, "{lines:?}");
        assert_eq!(lines[0], "(the first 99968 bytes are as expected)");
        assert_eq!(lines[1], format!("the same  {}  |aaaaaaaaaaaaaaaa|", ["61"; 16].join(" ")));
        assert_eq!(lines[4].find('^'), lines[3].find("00"));
        assert!(lines.iter().all(|line| line.len() <= 78));
        let lines = compare(&expected, &received, ROW / 2);
        assert_eq!(lines[4].find('^'), lines[3].find("00"));
        assert!(lines[..5].iter().all(|line| line.len() <= 58), "{lines:?}");
    }

    #[test]
    fn the_first_difference_is_found_at_every_place() {
        for length in [0, 1, 4095, 4096, 4097, 9000] {
            let one = vec![7; length];
            assert_eq!(same(&one, &one), length);
            assert_eq!(same(&one, &[7; 10_000]), length);
            for at in
                [0, 1, 4095, 4096, length.saturating_sub(1)].into_iter().filter(|at| *at < length)
            {
                let mut other = one.clone();
                other[at] = 8;
                assert_eq!(same(&one, &other), at);
            }
        }
    }

    #[test]
    fn a_cut_stream_shows_its_cuts() {
        assert_eq!(quote_cut(b"hello", &[2, 3]), "\"he|llo\" (5 bytes in 2 pieces)");
        assert_eq!(quote_cut(b"abc", &[1, 1, 1]), "\"a|b|c\" (3 bytes in 3 pieces)");
    }

    #[test]
    fn a_long_quotation_is_short() {
        assert_eq!(quote(b"a\0\xff\n"), r#""a\x00\xff\n""#);
        let quoted = quote(&vec![0; 10 << 20]);
        assert!(quoted.ends_with("\\x00…\" (10485760 bytes)"), "{quoted}");
        assert!(quoted.chars().count() < 90, "{quoted}");
        let quoted = quote_cut(&[b'a'; 200], &[1; 200]);
        assert!(quoted.ends_with("a|a…\" (200 bytes in 200 pieces)"), "{quoted}");
    }
}
