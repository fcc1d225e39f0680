//! A name that a stranger chose must not lead out of the folder.

/// The longest name in bytes. Most file systems allow 255, and we add `.part`.
pub const MAX_NAME: usize = 200;

/// Whether a file may have this name.
///
/// Everything else is refused, and nothing is repaired: `../x` with its dots removed would be another file than the one
/// that was meant.
///
/// # Errors
/// Why not.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    match name {
        "" => Err("a name has one character at least"),
        _ if name.len() > MAX_NAME => Err("a name has at most 200 bytes"),
        // With this, no `../`, no `/etc/passwd`, and on other systems no `..\` or `C:` either.
        _ if name.contains(['/', '\\', ':']) => {
            Err("a name has no folder in it: no / and no \\ or :")
        }
        // This covers `.` and `..`, and `.bashrc`, too.
        _ if name.starts_with('.') => Err("a name doesn't begin with a dot"),
        // NUL would end the name for the system, and a terminal that shows the name would obey an escape code.
        _ if !is_printable(name) => Err("a name has no control characters, seen or unseen"),
        _ if name.ends_with(".part") => {
            Err("names that end in .part are for files that aren't whole")
        }
        _ => Ok(()),
    }
}

/// Whether a terminal shows each character and obeys none, such as U+202E, which turns the rest of the line around: as
/// Python's `str.isprintable`.
fn is_printable(name: &str) -> bool {
    // `escape_debug` escapes what isn't printable, and quotes; and an accent, if the text begins with it.
    let shown = format!("x{}", name.replace(['\'', '"'], ""));
    shown.escape_debug().eq(shown.chars())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_name_is_one() {
        for good in [
            "a",
            "photo.jpg",
            "über 日本.txt",
            "u\u{308}ber हिन्दी 😀.txt", // accents and vowels that are characters of their own
            "\u{308}",
            "it's \"it\"",
            "a..b",
            "-rf",
            "a.part.txt",
            &"x".repeat(200),
        ] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "/etc/passwd",
            "a/../../x",
            "a/b",
            "..\\x",
            "C:x",
            ".bashrc",
            "a\0b",
            "a\nb",
            "\x1b[2J",
            "a\u{9b}2J",
            "gpj.\u{202e}exe",
            "a\u{2066}b",
            "a\u{200b}b",
            "a.part",
            &"x".repeat(201),
        ] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }
}
