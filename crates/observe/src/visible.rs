//! Other people's text, made harmless for a terminal.

/// A text with every character escaped that a terminal would obey instead of show: ESC and the other
/// control characters, line ends too, and those without a column of their own, such as the one that
/// turns the direction of the line. `\u{1b}` stands for ESC.
///
/// For file names, and for what a peer, another program or a trace says.
///
/// ```
/// assert_eq!(observe::visible("caf\u{e9} \u{1b}[31m\n\u{202e}"), "caf\u{e9} \\u{1b}[31m\\u{a}\\u{202e}");
/// ```
pub fn visible(text: &str) -> String {
    let mut shown = String::new();
    for char in text.chars() {
        // What Rust would not print as it is in a Debug string, the quotes and the backslash aside.
        let hidden =
            if char.is_ascii() { char.is_control() } else { char.escape_debug().len() > 1 };
        match hidden {
            true => shown.extend(char.escape_unicode()),
            false => shown.push(char),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_the_rest_stays() {
        let plain = "a \\ \"b\" 'c' \u{4f60}\u{597d} caf\u{e9} \u{2026}";
        assert_eq!(visible(plain), plain);
        let hostile =
            "\0\u{7}\u{1b}\u{7f}\u{80}\u{9b}\n\r\t\u{200b}\u{202e}\u{2028}\u{feff}\u{ffff}\u{301}";
        let shown = visible(hostile);
        assert!(shown.is_ascii() && !shown.chars().any(char::is_control), "{shown:?}");
        assert_eq!(shown.matches("\\u{").count(), hostile.chars().count(), "{shown}");
    }
}
