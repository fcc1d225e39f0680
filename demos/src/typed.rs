//! A command as the reader types it, and as the experiment starts it.

use std::fmt::{self, Display, Formatter};

/// A program of the course with its arguments.
///
/// The experiment starts exactly this, but for the place: the reader uses the default port, an experiment takes a free
/// one, so that it disturbs nobody.
pub struct Typed {
    program: &'static str,
    arguments: Vec<&'static str>,
    place: Vec<&'static str>,
}

impl Typed {
    pub fn new(program: &'static str, arguments: &[&'static str]) -> Typed {
        Typed { program, arguments: arguments.to_vec(), place: Vec::new() }
    }

    /// Where the reader has it listen or connect, if not at the default: option and value, repeatable.
    pub fn at(mut self, option: &'static str, value: &'static str) -> Typed {
        self.place.extend([option, value]);
        self
    }

    pub fn program(&self) -> &'static str {
        self.program
    }

    /// Whether it has `--trace`. The wrong programs are std alone, and a line between two networks calls no stream socket.
    pub fn records_calls(&self) -> bool {
        !self.program.starts_with("zoo-") && self.program != "relay-link"
    }

    /// Without the place.
    pub fn arguments(&self) -> &[&'static str] {
        &self.arguments
    }
}

impl Display for Typed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "cargo run -q --bin {}", self.program)?;
        let mut words = self.arguments.iter().chain(&self.place).peekable();
        // Before a `--`, cargo would take an option that comes first for its own.
        if words.peek().is_some_and(|word| word.starts_with('-')) {
            write!(f, " --")?;
        }
        words.try_for_each(|word| write!(f, " {}", quoted(word)))
    }
}

/// A word as a shell wants it.
fn quoted(word: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "-_./:=,%+".contains(char);
    match word {
        _ if !word.is_empty() && word.chars().all(plain) => word.to_owned(),
        _ if !word.contains('\'') => format!("'{word}'"),
        _ if !word.contains(['"', '$', '`', '!']) && !word.contains("\\\\") => {
            format!("\"{word}\"")
        }
        _ => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_shell_reads_back_what_was_meant() {
        for word in ["", "a b", "it's", "printf 'a\\n%d' 1", "it's $HOME", "[::1]:8888", "你好"] {
            let typed = format!("printf %s {}", quoted(word));
            let output = Command::new("/bin/sh").args(["-c", &typed]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), word, "{typed}");
        }
    }

    #[test]
    fn options_are_kept_from_cargo() {
        let typed = Typed::new("tcp-basic-server", &[]);
        assert_eq!(typed.to_string(), "cargo run -q --bin tcp-basic-server");
        let typed = typed.at("--listen", "[::1]:8888");
        assert_eq!(
            typed.to_string(),
            "cargo run -q --bin tcp-basic-server -- --listen '[::1]:8888'"
        );
    }
}
