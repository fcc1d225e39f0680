//! A command as one types it in a shell, so that it can be copied from a report.

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

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
