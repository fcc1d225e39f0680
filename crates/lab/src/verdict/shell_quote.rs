//! A command as one types it in a shell, so that it can be copied from a report.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The words with spaces between them; what a shell would change stands in quotes.
pub(crate) fn typed(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// One word, in quotes where a shell would change it: `it's` is `'it'\''s'`.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A path as one word, whatever its name is: `-x` is `./-x`, which is no option, and what is no UTF-8 stands in `$'...'`
/// (POSIX.1-2024; bash and zsh have long known it).
pub fn quoted_path(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    let here = if bytes.starts_with(b"-") { "./" } else { "" };
    if let Some(path) = path.to_str() {
        return quoted(&format!("{here}{path}"));
    }
    let mut word = format!("$'{here}");
    for byte in bytes {
        match byte {
            b'\\' | b'\'' => word.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => word.push(char::from(*byte)),
            // Octal always has three digits: what follows cannot be taken for one more.
            _ => _ = write!(word, "\\{byte:03o}"),
        }
    }
    word + "'"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::process::Command;

    #[test]
    fn a_shell_reads_the_same_path() {
        assert_eq!(quoted_path(Path::new("my-echo")), "my-echo");
        assert_eq!(quoted_path(Path::new("-my echo")), "'./-my echo'");
        for path in [&b"a b"[..], b"-x", b"caf\xe91", b"-\xff", b"it's \\ \n\xff\"$HOME"] {
            let path = Path::new(OsStr::from_bytes(path));
            let script = format!("printf %s {}", quoted_path(path));
            let said = Command::new("bash").arg("-c").arg(script).output().unwrap().stdout;
            let dashed = path.as_os_str().as_bytes().starts_with(b"-");
            let expected = if dashed { Path::new(".").join(path) } else { path.to_owned() };
            assert_eq!(said, expected.as_os_str().as_bytes());
        }
    }

    #[test]
    fn a_shell_reads_the_same_words() {
        let words = ["printf", "%s|", "a b", "it's", "$HOME", "", "~", "*", "a=b", "\\", "é\n"];
        let words = words.map(str::to_owned);
        let said = Command::new("/bin/sh").arg("-c").arg(typed(&words)).output().unwrap().stdout;
        assert_eq!(String::from_utf8(said).unwrap(), words[2..].join("|") + "|");
        assert_eq!(
            typed(&["python3".into(), "./my-echo/echo.py".into()]),
            "python3 ./my-echo/echo.py"
        );
    }
}
