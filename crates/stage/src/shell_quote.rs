//! A command as you type it in a shell, so that it can be copied from a report.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The words with spaces between them; those that a shell would change are in quotes.
///
/// ```
/// let words = ["python3", "my echo.py", "it's"].map(String::from);
/// assert_eq!(stage::shell_quote(&words), r#"python3 'my echo.py' "it's""#);
/// ```
pub fn shell_quote(words: &[String]) -> String {
    words.iter().map(|word| shell_quote_word(word)).collect::<Vec<_>>().join(" ")
}

/// One word, in quotes if a shell would change it. Double quotes only if single ones would need `'\''`, and the shell
/// would change nothing else inside them.
pub fn shell_quote_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    match word {
        _ if !word.is_empty() && word.chars().all(plain) => word.to_owned(),
        _ if !word.contains('\'') => format!("'{word}'"),
        _ if !word.contains(['"', '$', '`', '!']) && !word.contains("\\\\") => {
            format!("\"{word}\"")
        }
        _ => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// A path as one word, whatever its name is: `-x` becomes `./-x`, which is not an option, and what is not UTF-8 becomes `$'...'`
/// (POSIX.1-2024; bash and zsh have long known it).
pub fn shell_quote_path(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    let here = if bytes.starts_with(b"-") { "./" } else { "" };
    if let Some(path) = path.to_str() {
        return shell_quote_word(&format!("{here}{path}"));
    }
    let mut word = format!("$'{here}");
    for byte in bytes {
        match byte {
            b'\\' | b'\'' => word.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => word.push(char::from(*byte)),
            // Octal always has three digits: the next character can't be mistaken for one more.
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
        assert_eq!(shell_quote_path(Path::new("my-echo")), "my-echo");
        assert_eq!(shell_quote_path(Path::new("-my echo")), "'./-my echo'");
        for path in [&b"a b"[..], b"-x", b"caf\xe91", b"-\xff", b"it's \\ \n\xff\"$HOME"] {
            let path = Path::new(OsStr::from_bytes(path));
            let script = format!("printf %s {}", shell_quote_path(path));
            let said = Command::new("bash").arg("-c").arg(script).output().unwrap().stdout;
            let dashed = path.as_os_str().as_bytes().starts_with(b"-");
            let expected = if dashed { Path::new(".").join(path) } else { path.to_owned() };
            assert_eq!(said, expected.as_os_str().as_bytes());
        }
    }

    #[test]
    fn a_shell_reads_the_same_words() {
        let words =
            ["printf", "%s|", "a b", "it's", "$HOME", "", "~", "*", "a=b", "\\", "é\n", "a'\\\\"];
        let more = ["printf 'a\\n%d' 1", "it's $HOME", "it's `id`!", "'\"'", "[::1]:8888", "你好"];
        let words: Vec<String> = words.iter().chain(&more).map(|word| word.to_string()).collect();
        let said = Command::new("/bin/sh").arg("-c").arg(shell_quote(&words)).output().unwrap();
        assert_eq!(String::from_utf8(said.stdout).unwrap(), words[2..].join("|") + "|");
        assert_eq!(
            shell_quote(&["python3".into(), "./my-echo/echo.py".into()]),
            "python3 ./my-echo/echo.py"
        );
    }
}
