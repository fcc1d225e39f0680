//! The prompt on a terminal: a real one, except for the person. The test runs itself again at the other end of a
//! pseudo-terminal, and types.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "the helpers of a test may fail it, and one of them is a program"
)]

use std::env;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write, stdin};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio, exit};

use observe::Socket;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use shell::{PromptArgs, PromptError, PromptWhen};

const PROMPT: &str = "\r>>: \u{1b}[K\r\u{1b}[4C";
const COOKED: LocalModes = LocalModes::ICANON.union(LocalModes::ECHO).union(LocalModes::ISIG);

#[test]
fn a_person_types() {
    if let Some(when) = env::var_os("AT_THE_TERMINAL") {
        read_commands(if when == "always" { PromptWhen::Always } else { PromptWhen::Auto });
    }
    let mut person = Person::sit_down(80);
    person.expect(PROMPT);
    person.types("ecoh\x7f\x7fho ".as_bytes());
    person.expect("\r>>: echo \u{1b}[K\r\u{1b}[9C");
    // A character in two pieces; the line is drawn after each.
    person.types(&"你".as_bytes()[..2]);
    person.expect("\r>>: echo \u{1b}[K\r\u{1b}[9C");
    person.types(&"你".as_bytes()[2..]);
    person.expect("\r>>: echo 你\u{1b}[K\r\u{1b}[11C");
    person.types(b"\r");
    // The answer has no newline: the prompt does not erase it.
    person.expect(&format!("[echo 你] in a cooked terminal{:80}\r{PROMPT}", ""));
    // Up, and to the beginning of the line.
    person.types(b"\x1b[A\x01x\r");
    person.expect("[xecho 你]");
    person.expect(PROMPT);
    // Pasted: two lines at once, and a blank one between them.
    person.types(b"one\r\rtwo\r");
    person.expect("[one] in a cooked terminal");
    person.expect("[two] in a cooked terminal");
    person.expect(PROMPT);
    person.types(b"\x04");
    person.leaves("end", 0);
}

#[test]
fn ctrl_c_and_quit() {
    for (keys, said, code) in [("ls\x03", "interrupted", 130), ("quit\r", "end", 0)] {
        let mut person = Person::sit_down(80);
        person.expect(PROMPT);
        person.types(keys.as_bytes());
        person.leaves(said, code);
    }
}

#[test]
fn a_long_line_stays_in_its_row() {
    let mut person = Person::sit_down(12);
    person.expect(PROMPT);
    person.types(b"0123456789");
    person.expect("\r>>: 3456789\u{1b}[K\r\u{1b}[11C");
    person.types(b"\r");
    person.expect("[0123456789]");
    person.expect(PROMPT);
    person.types(b"\x04");
    person.leaves("end", 0);
}

/// There is a prompt, and nothing that moves a cursor: the terminal itself edits the line, as far as it can.
#[test]
fn where_no_escape_codes_are_wanted_there_are_none() {
    for (variable, value) in [("TERM", "dumb"), ("NO_COLOR", "1")] {
        let (mut terminal, line) = terminal(80);
        let end = || line.try_clone().unwrap();
        // The command itself holds the terminal, too, until the end of this statement.
        let mut program =
            program("auto").env(variable, value).stdin(end()).stdout(end()).spawn().unwrap();
        // Ctrl-D at the beginning of a line is the end of the input.
        terminal.write_all(b"echo hi\n\x04").unwrap();
        assert_eq!(program.wait().unwrap().code(), Some(0));
        drop(line);
        let mut seen = Vec::new();
        // EIO: nobody holds the other end open.
        let _ = terminal.read_to_end(&mut seen);
        let seen = String::from_utf8(seen).unwrap();
        assert!(seen.contains("[echo hi] in a cooked terminal>>: end"), "{variable}: {seen:?}");
        assert!(!seen.contains('\u{1b}'), "{variable}: {seen:?}");
    }
}

#[test]
fn without_a_terminal_at_both_ends_there_is_no_prompt() {
    let (mut terminal, line) = terminal(80);
    let mut program = program("auto").stdin(line).stdout(Stdio::piped()).spawn().unwrap();
    // The terminal itself splits this into lines, and turns Ctrl-D into the end of the input.
    terminal.write_all(b"hi\n\x04").unwrap();
    let mut said = String::new();
    program.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.ends_with("[hi] in a cooked terminalend\n"), "{said:?}");
    assert_eq!(program.wait().unwrap().code(), Some(0));
}

#[test]
fn asked_for_it_is_shown_in_a_pipe_too() {
    let mut program =
        program("always").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    program.stdin.take().unwrap().write_all(b"one\ntwo").unwrap();
    let said = String::from_utf8(program.wait_with_output().unwrap().stdout).unwrap();
    assert!(said.ends_with(">>: [one]>>: [two]>>: end\n"), "{said:?}");
}

/// What the program at the terminal does: it prints each command that it reads.
fn read_commands(prompt: PromptWhen) -> ! {
    let args = PromptArgs { command: vec![], prompt, token_file: None };
    let conn = Socket::inherited(UnixStream::pair().unwrap().0.into());
    for command in args.commands(&conn).unwrap() {
        match command {
            Ok(command) => print!("[{}]", OsStr::from_bytes(&command).display()),
            Err(PromptError::Interrupted) => {
                println!("interrupted");
                exit(130);
            }
            Err(error) => panic!("{error}"),
        }
        if tcgetattr(stdin()).is_ok_and(|settings| settings.local_modes.contains(COOKED)) {
            print!(" in a cooked terminal");
        }
    }
    println!("end");
    exit(0);
}

fn program(prompt: &str) -> Command {
    let mut program = Command::new(env::current_exe().unwrap());
    program.args(["--exact", "a_person_types", "--nocapture", "--test-threads=1", "--quiet"]);
    program.env("AT_THE_TERMINAL", prompt).env("TERM", "xterm");
    program
}

/// The person's end of a new terminal, and the program's.
fn terminal(columns: u16) -> (File, OwnedFd) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    // A program that held our end would never see that we are gone.
    fcntl_setfd(&ours, FdFlags::CLOEXEC).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = open(name.as_c_str(), flags, Mode::empty()).unwrap();
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&theirs, size).unwrap();
    (File::from(ours), theirs)
}

struct Person {
    terminal: File,
    /// The program's end, to look at its settings.
    line: OwnedFd,
    /// Those settings, before the program began.
    before: String,
    program: Child,
    seen: Vec<u8>,
}

impl Person {
    fn sit_down(columns: u16) -> Person {
        let (terminal, line) = terminal(columns);
        let end = || line.try_clone().unwrap();
        let before = format!("{:?}", tcgetattr(&line).unwrap());
        let program = program("auto").stdin(end()).stdout(end()).spawn().unwrap();
        Person { terminal, line, before, program, seen: Vec::new() }
    }

    fn types(&mut self, keys: &[u8]) {
        let settings = tcgetattr(&self.line).unwrap();
        assert!(!settings.local_modes.intersects(COOKED), "who types is at the prompt");
        self.terminal.write_all(keys).unwrap();
    }

    /// Reads until this has been shown, and forgets everything up to its end.
    fn expect(&mut self, text: &str) {
        loop {
            let found = self.seen.windows(text.len()).position(|seen| seen == text.as_bytes());
            if let Some(at) = found {
                self.seen.drain(..at + text.len());
                return;
            }
            let seen = String::from_utf8_lossy(&self.seen);
            let ten_seconds = Timespec { tv_sec: 10, tv_nsec: 0 };
            let ready = poll(&mut [PollFd::new(&self.terminal, PollFlags::IN)], Some(&ten_seconds));
            assert_eq!(ready, Ok(1), "{text:?} never came; what came was {seen:?}");
            let mut buffer = [0; 1024];
            let n = self.terminal.read(&mut buffer).unwrap();
            self.seen.extend_from_slice(&buffer[..n]);
        }
    }

    /// The program prints this, ends, and leaves the terminal as it was.
    fn leaves(&mut self, said: &str, code: i32) {
        self.expect(said);
        assert_eq!(self.program.wait().unwrap().code(), Some(code));
        assert_eq!(format!("{:?}", tcgetattr(&self.line).unwrap()), self.before);
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // After a failed test it may still wait for keys.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
