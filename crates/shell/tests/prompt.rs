//! The prompt on a terminal: a real one, but for the person. The test runs itself again at the other end of a
//! pseudo-terminal, and types.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "the helpers of a test may fail it, and one of them is a program"
)]

use std::env;
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command, Stdio, exit};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Termios, tcgetattr};
use shell::{PromptArgs, PromptError, PromptWhen};

const PROMPT: &str = "\r>>: \u{1b}[K\r\u{1b}[4C";

#[test]
fn a_person_types() {
    if env::var_os("AT_THE_TERMINAL").is_some() {
        read_commands();
    }
    let mut person = Person::sit_down();
    let before = person.settings();
    person.expect(PROMPT);
    person.types("ecoh\x7f\x7fho 你好\r");
    person.expect("[echo 你好]");
    // Up, and to the beginning of the line.
    person.expect(PROMPT);
    person.types("\x1b[A\x01x\r");
    person.expect("[xecho 你好]");
    // Pasted: two lines at once, and a blank one between them.
    person.expect(PROMPT);
    person.types("one\r\rtwo\r");
    person.expect("[one]");
    person.expect("[two]");
    person.expect(PROMPT);
    person.types("\x04");
    person.expect("end");
    assert_eq!(person.leave(), Some(0));
    assert_eq!(person.settings(), before, "the terminal is as it was");
}

#[test]
fn ctrl_c_and_quit() {
    for (keys, said, code) in [("ls\x03", "interrupted", 130), ("quit\r", "end", 0)] {
        let mut person = Person::sit_down();
        person.expect(PROMPT);
        person.types(keys);
        person.expect(said);
        assert_eq!(person.leave(), Some(code), "{said}");
        assert!(person.settings().contains(LocalModes::ECHO | LocalModes::ICANON), "{said}");
    }
}

/// What the program at the terminal does: it says each command that it reads.
fn read_commands() -> ! {
    let args = PromptArgs { command: vec![], prompt: PromptWhen::Auto, token_file: None };
    for command in args.commands().unwrap() {
        match command {
            Ok(command) => println!("[{}]", OsStr::from_bytes(&command).display()),
            Err(PromptError::Interrupted) => {
                println!("interrupted");
                exit(130);
            }
            Err(error) => panic!("{error}"),
        }
    }
    println!("end");
    exit(0);
}

struct Person {
    terminal: File,
    program: Child,
    seen: String,
}

impl Person {
    fn sit_down() -> Person {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
        let end = || Stdio::from(OpenOptions::new().read(true).write(true).open(&name).unwrap());
        let program = Command::new(env::current_exe().unwrap())
            .args(["--exact", "a_person_types", "--nocapture", "--test-threads=1", "--quiet"])
            .env("AT_THE_TERMINAL", "1")
            .stdin(end())
            .stdout(end())
            .spawn()
            .unwrap();
        Person { terminal: File::from(terminal), program, seen: String::new() }
    }

    fn types(&mut self, keys: &str) {
        self.terminal.write_all(keys.as_bytes()).unwrap();
    }

    /// Reads until this has been shown, and forgets everything up to its end.
    fn expect(&mut self, text: &str) {
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            let mut buffer = [0; 1024];
            let n = self.terminal.read(&mut buffer).unwrap_or(0);
            assert_ne!(n, 0, "{text:?} never came; what came was {:?}", self.seen);
            self.seen += &String::from_utf8_lossy(&buffer[..n]);
        }
    }

    fn leave(&mut self) -> Option<i32> {
        self.program.wait().unwrap().code()
    }

    fn settings(&self) -> LocalModes {
        let settings: Termios = tcgetattr(&self.terminal).unwrap();
        settings.local_modes
    }
}
