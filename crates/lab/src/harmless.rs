//! What programs say and folders are called, so that it can be shown.

/// The text on one line, with control characters escaped: it must not paint over a terminal, nor end a line of the report.
pub fn harmless(text: &str) -> String {
    text.chars().flat_map(escaped).collect()
}

/// As [`harmless`], but for the ends of lines.
pub(crate) fn harmless_lines(text: &str) -> String {
    text.split('\n').map(harmless).collect::<Vec<_>>().join("\n")
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
    fn nothing_that_is_shown_can_paint() {
        assert_eq!(
            harmless("\u{1b}[2J a\r\n\u{202e}b\u{9b}\u{ffff}ß\u{1f600}"),
            "\\u{1b}[2J a\\r\\n\\u{202e}b\\u{9b}\\u{ffff}ß\u{1f600}"
        );
    }
}
