//! Where a client's commands come from: the command line, a pipe, or a person at a terminal.

use std::env;
use std::ffi::OsString;
use std::fmt::{self, Display, Formatter};
use std::io::{self, BufRead, IsTerminal, Write};
use std::ops::Deref;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::vec;

use observe::{Failure, Socket};

use crate::answer::Answer;
use crate::line::{PROMPT, Terminal};
use crate::prompt_error::PromptError;
use crate::token;

/// Which commands to send, from the command line.
#[derive(clap::Args, Clone, Debug)]
pub struct PromptArgs {
    /// Send this command instead of reading commands from standard input, one a line; may be
    /// repeated
    #[arg(short, long, value_name = "CMD", allow_hyphen_values = true)]
    pub command: Vec<OsString>,

    /// When to show the prompt `>>: `. On a terminal it has line editing and a history; `quit` or
    /// Ctrl-D leaves
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = PromptWhen::Auto)]
    pub prompt: PromptWhen,

    /// Send the token in this file first, to a server that asks for one
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

/// When the prompt is shown.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptWhen {
    /// on a terminal only
    Auto,
    /// also if the input is a pipe or a file
    Always,
}

impl PromptArgs {
    /// What to send over `conn`: first the token, if the server wants one, and then one command after another.
    ///
    /// # Errors
    /// The token's file or the terminal can't be used.
    pub fn commands<'a>(&self, conn: &'a Socket) -> Result<Commands<'a>, PromptError> {
        let on_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
        let source = if !self.command.is_empty() {
            Source::Given(self.command.clone().into_iter())
        } else if on_terminal && takes_escape_codes() {
            Source::Terminal(Box::new(Terminal::open().map_err(PromptError::Input)?))
        } else {
            // Without escape codes there's a prompt, but nothing to edit a line with.
            let prompt = (on_terminal || self.prompt == PromptWhen::Always)
                .then(|| Box::new(io::stdout()) as Box<dyn Write>);
            Source::Lines { input: Box::new(io::stdin().lock()), prompt }
        };
        Ok(Commands { token: self.token()?, conn, source: Some(source) })
    }

    /// The token to send before the first command, if the server wants one.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn token(&self) -> Result<Option<Vec<u8>>, PromptError> {
        self.token_file.as_deref().map(token::read).transpose().map_err(PromptError::Token)
    }
}

/// Not on a dumb terminal, and not if the user doesn't want escape codes (<https://no-color.org>).
fn takes_escape_codes() -> bool {
    env::var_os("TERM").is_none_or(|kind| kind != "dumb")
        && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The commands that the user wants to send: bytes, not necessarily UTF-8, without the line end.
///
/// Blank ones are skipped (sent raw, they would be nothing at all, and their answer would never
/// arrive). `quit` ends them, and so does the end of the input, or an error.
pub struct Commands<'a> {
    token: Option<Vec<u8>>,
    conn: &'a Socket,
    source: Option<Source>,
}

/// Something to send, and its answer to print.
#[derive(Debug, PartialEq, Eq)]
pub struct Command {
    bytes: Vec<u8>,
    is_token: bool,
}

impl Command {
    /// Prints the answer: a command's output on stdout, and everything else on stderr.
    ///
    /// # Errors
    /// stdout is closed, or its disk is full.
    pub fn print(&self, answer: impl Into<Answer>) -> Result<(), Failure> {
        let answer = answer.into();
        if self.is_token {
            let _ = io::stderr().write_all(&answer.body);
            return Ok(());
        }
        answer.print().map_err(Failure::Stdout)
    }
}

impl Deref for Command {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Display for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.is_token {
            true => f.write_str("the token"),
            false => f.write_str(&String::from_utf8_lossy(&self.bytes)),
        }
    }
}

enum Source {
    Given(vec::IntoIter<OsString>),
    Lines { input: Box<dyn BufRead>, prompt: Option<Box<dyn Write>> },
    Terminal(Box<Terminal>),
}

impl Iterator for Commands<'_> {
    type Item = Result<Command, PromptError>;

    fn next(&mut self) -> Option<Self::Item> {
        // A token must not be in any log or trace, and neither must its answer.
        self.conn.mask(self.token.is_some());
        if let Some(bytes) = self.token.take() {
            return Some(Ok(Command { bytes, is_token: true }));
        }
        let next = self.source.as_mut()?.next();
        if !matches!(next, Some(Ok(_))) {
            self.source = None;
        }
        next.map(|command| command.map(|bytes| Command { bytes, is_token: false }))
    }
}

impl Source {
    /// The next command; `None` at the end.
    fn next(&mut self) -> Option<Result<Vec<u8>, PromptError>> {
        loop {
            match self.read().transpose()? {
                Ok(command) if command.trim_ascii().is_empty() => {}
                Ok(command) if command.trim_ascii() == b"quit" => return None,
                next => return Some(next),
            }
        }
    }

    /// The next line; `None` at the end.
    fn read(&mut self) -> Result<Option<Vec<u8>>, PromptError> {
        match self {
            Source::Given(commands) => Ok(commands.next().map(OsString::into_vec)),
            Source::Lines { input, prompt } => {
                if let Some(out) = prompt {
                    out.write_all(PROMPT.as_bytes())
                        .and_then(|()| out.flush())
                        .map_err(PromptError::Output)?;
                }
                let mut line = Vec::new();
                if input.read_until(b'\n', &mut line).map_err(PromptError::Input)? == 0 {
                    return Ok(None);
                }
                for end in [b'\n', b'\r'] {
                    line.pop_if(|last| *last == end);
                }
                Ok(Some(line))
            }
            Source::Terminal(terminal) => Ok(terminal.read()?.map(String::into_bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, PipeReader, Read};
    use std::iter;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn lines(input: &'static [u8], prompt: Option<Box<dyn Write>>) -> Source {
        Source::Lines { input: Box::new(Cursor::new(input)), prompt }
    }

    fn all(mut source: Source) -> Vec<Vec<u8>> {
        iter::from_fn(|| source.next()).map(Result::unwrap).collect()
    }

    #[test]
    fn lines_are_commands_until_quit() {
        for (input, commands) in [
            (b"echo hi\n".as_slice(), &["echo hi"] as &[&str]),
            (b"a\r\nb\nc", &["a", "b", "c"]),
            (b"\n  \n\r\na\n\n", &["a"]),
            (b"a\nquit\nb\n", &["a"]),
            (b"a\n quit \r\nb\n", &["a"]),
            (b"quit now\n", &["quit now"]),
            (b" a \n", &[" a "]),
            (b"", &[]),
        ] {
            assert_eq!(
                all(lines(input, None)),
                commands.iter().map(|line| line.as_bytes()).collect::<Vec<_>>(),
                "{input:?}"
            );
        }
        assert_eq!(all(lines(b"echo \xff\0\n", None)), [b"echo \xff\0"], "bytes, not text");
    }

    #[test]
    fn given_commands_obey_the_same_rules() {
        let given = ["echo a\necho b", "", "quit", "never"].map(OsString::from).to_vec();
        assert_eq!(all(Source::Given(given.into_iter())), [b"echo a\necho b"]);
    }

    #[test]
    fn the_prompt_comes_before_each_line() {
        let (mut shown, out) = io::pipe().unwrap();
        assert_eq!(all(lines(b"a\nb\n", Some(Box::new(out)))).len(), 2);
        let mut text = String::new();
        shown.read_to_string(&mut text).unwrap();
        assert_eq!(text, ">>: >>: >>: ");
    }

    #[test]
    fn the_token_comes_first_and_an_error_is_said_once() {
        let (shown, out): (PipeReader, _) = io::pipe().unwrap();
        drop(shown);
        let conn = Socket::inherited(UnixStream::pair().unwrap().0.into());
        let source = Some(lines(b"a\n", Some(Box::new(out))));
        let mut commands = Commands { token: Some(b"secret".to_vec()), conn: &conn, source };
        assert_eq!(&*commands.next().unwrap().unwrap(), b"secret");
        let Some(Err(PromptError::Output(error))) = commands.next() else { panic!("no error") };
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert!(commands.next().is_none());
    }
}
