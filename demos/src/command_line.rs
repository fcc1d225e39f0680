//! A command as you type it, and as the experiment starts it.

use stage::shell_quote_word;
use std::fmt::{self, Display, Formatter};

/// A program of the course with its arguments.
///
/// The experiment starts exactly this, except for the place: you use the default port, but an experiment takes a free
/// one, so that it gets in nobody's way.
pub struct CommandLine {
    program: &'static str,
    arguments: Vec<&'static str>,
    place: Vec<&'static str>,
}

impl CommandLine {
    /// How a command for one of our programs begins.
    pub const CARGO: &str = "cargo run -q";
    /// How a command for a Python program begins.
    pub const PYTHON: &str = "python3";

    /// A program of the workspace, given by its name, or a Python program, given by its path from the root.
    pub fn new(program: &'static str, arguments: &[&'static str]) -> CommandLine {
        CommandLine { program, arguments: arguments.to_vec(), place: Vec::new() }
    }

    /// Where you make it listen or connect, if not at the default: an option and its value. It can be called more than once.
    pub fn at(mut self, option: &'static str, value: &'static str) -> CommandLine {
        self.place.extend([option, value]);
        self
    }

    /// A file's name that you type, too. The experiment uses a file of its own instead.
    pub fn with_file(mut self, name: &'static str) -> CommandLine {
        self.place.push(name);
        self
    }

    pub fn program(&self) -> &'static str {
        self.program
    }

    pub fn is_python(&self) -> bool {
        self.program.ends_with(".py")
    }

    /// Whether it has `--trace`. Python programs don't. Nor do the wrong programs, which use only std, or `relay-link`, which
    /// has no stream socket.
    pub fn records_calls(&self) -> bool {
        !self.is_python() && !self.program.starts_with("zoo-") && self.program != "relay-link"
    }

    /// In lines of at most `columns`, which a shell reads as one. The first comes after `used` columns; the others
    /// are indented. An option and its value stay together.
    pub fn lines(&self, used: usize, columns: usize) -> Vec<String> {
        let mut parts = self.parts();
        let fits = |part: &String, at: usize| at + columns::width(part) + " \\".len() <= columns;
        if !fits(&parts[0], used) {
            let first = parts.remove(0);
            let begin = if self.is_python() { Self::PYTHON } else { Self::CARGO };
            let (begin, program) = first.split_at(begin.len());
            parts.splice(0..0, [begin.to_owned(), program.trim_start().to_owned()]);
        }
        // Under the first line, if each part has room there.
        let indent = if parts.iter().all(|part| fits(part, used + 2)) { used + 2 } else { 4 };
        let whole = parts.join(" ");
        if used + columns::width(&whole) <= columns {
            return vec![whole];
        }
        let room = |used: usize| columns.saturating_sub(used + " \\".len());
        let mut lines = columns::fill(parts.iter().map(String::as_str), room(used), room(indent));
        let last = lines.len() - 1;
        lines[..last].iter_mut().for_each(|line| line.push_str(" \\"));
        lines[1..].iter_mut().for_each(|line| line.insert_str(0, &" ".repeat(indent)));
        lines
    }

    /// The parts between which a line may break.
    fn parts(&self) -> Vec<String> {
        let mut parts = vec![match self.is_python() {
            true => format!("{} {}", Self::PYTHON, self.program),
            false => format!("{} --bin {}", Self::CARGO, self.program),
        }];
        let mut words = self.arguments.iter().chain(&self.place).peekable();
        // Without `--`, cargo would read the first option as its own.
        if !self.is_python() && words.peek().is_some_and(|word| word.starts_with('-')) {
            parts[0] += " --";
        }
        while let Some(word) = words.next() {
            let mut part = typed(word);
            if let Some(value) =
                words.next_if(|next| word.starts_with('-') && !next.starts_with('-'))
            {
                part = format!("{part} {}", typed(value));
            }
            parts.push(part);
        }
        parts
    }

    /// Without the place.
    pub fn arguments(&self) -> &[&'static str] {
        &self.arguments
    }
}

/// As you type it: a line feed would break the line in the transcript, so it is written as `\n` for the shell to turn into
/// one (bash, zsh, POSIX.1-2024).
fn typed(word: &str) -> String {
    match word.contains('\n') {
        true => format!("$'{}'", word.escape_default()),
        false => shell_quote_word(word),
    }
}

/// On one line, however long.
impl Display for CommandLine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    impl CommandLine {
        /// Reads a command line as it is printed.
        pub fn parse(typed: &str) -> CommandLine {
            let say = "() { printf '%s\\n' \"$@\"; }";
            let script = format!("{}{say}; cargo{say}; {typed}", CommandLine::PYTHON);
            let output = Command::new("/bin/sh").args(["-c", &script]).output().unwrap();
            // Leaked, which is fine for as long as a test runs.
            let words: &'static str = String::from_utf8(output.stdout).unwrap().leak();
            let python = typed.starts_with(CommandLine::PYTHON);
            let before = |word: &&str| !python && *word != "--bin";
            let mut words = words.lines().skip_while(before).skip(usize::from(!python));
            let program = words.next().unwrap();
            CommandLine::new(program, &words.filter(|word| *word != "--").collect::<Vec<_>>())
        }
    }

    #[test]
    fn broken_lines_are_one_to_a_shell() {
        let arguments = ["-c", "echo 'one  two'", "--hold", "-c", "echo three"];
        let typed = CommandLine::new("x", &arguments).at("--connect", "[::1]:7777");
        assert_eq!(typed.lines(16, 200), [typed.to_string()]);
        let lines = typed.lines(16, 60);
        assert_eq!(
            lines,
            [
                "cargo run -q --bin x -- \\",
                "                  -c \"echo 'one  two'\" --hold \\",
                "                  -c 'echo three' --connect '[::1]:7777'"
            ]
        );
        // `cargo` as a shell function that prints its arguments.
        let say = format!("cargo() {{ printf '%s|' \"$@\"; }}; {}", lines.join("\n"));
        let output = Command::new("/bin/sh").args(["-c", &say]).output().unwrap();
        let words = ["run", "-q", "--bin", "x", "--", "-c", "echo 'one  two'", "--hold", "-c"];
        let expected = [&words[..], &["echo three", "--connect", "[::1]:7777", ""]].concat();
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected.join("|"));
    }

    #[test]
    fn a_long_name_and_a_long_argument_have_room_at_60_columns() {
        let command = "ls /nowhere 2>/dev/null; echo failed >&2; exit 3";
        let typed = CommandLine::new("sticky-packet-repro-client", &["-c", command]);
        assert_eq!(
            typed.lines(16, 60),
            [
                "cargo run -q \\",
                "    --bin sticky-packet-repro-client -- \\",
                "    -c 'ls /nowhere 2>/dev/null; echo failed >&2; exit 3'"
            ]
        );
    }

    #[test]
    fn a_program_in_python() {
        let typed = CommandLine::new("crates/x/tests/peers/y.py", &["8888", "<ci"]);
        assert_eq!(typed.to_string(), "python3 crates/x/tests/peers/y.py 8888 '<ci'");
        let lines = typed.lines(16, 44);
        assert_eq!(lines, ["python3 \\", "    crates/x/tests/peers/y.py 8888 '<ci'"]);
        assert_eq!(CommandLine::parse(&lines.join("\n")).to_string(), typed.to_string());
    }

    #[test]
    fn a_line_feed_is_typed_as_one_word() {
        let typed = CommandLine::new("x", &["two\nlines", "it's\n"]);
        assert_eq!(typed.to_string(), r"cargo run -q --bin x $'two\nlines' $'it\'s\n'");
    }

    #[test]
    fn options_are_kept_from_cargo() {
        let typed = CommandLine::new("tcp-basic-server", &[]);
        assert_eq!(typed.to_string(), "cargo run -q --bin tcp-basic-server");
        let typed = typed.at("--listen", "[::1]:8888");
        assert_eq!(
            typed.to_string(),
            "cargo run -q --bin tcp-basic-server -- --listen '[::1]:8888'"
        );
    }
}
