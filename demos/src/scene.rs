//! What an experiment works with: it starts real programs, and shows what they said and did.
//!
//! Nothing is printed at the moment when it happens to arrive: an experiment prints a program's lines at a point where
//! the program must have said them, so that two runs print the same.

pub use crate::actor::{Actor, Ended, TIMEOUT};
use crate::command_line::CommandLine;
use crate::options::Options;
use crate::samples::Samples;
use crate::screen::Screen;
use crate::segment_recorder::SegmentRecorder;
use crate::setup_error::SetupError;
use observe::Event;
use stage::Scratch;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use timeline::Stream;

/// One run of one experiment.
pub struct Scene<'a> {
    screen: &'a mut Screen,
    options: &'a Options,
    scratch: Scratch,
    started: usize,
    drawn: Vec<Stream>,
    recorder: Option<SegmentRecorder>,
    came: Option<String>,
    /// Whether the experiment uses these options: if you gave one that changes nothing, it says so.
    uses_trials: bool,
    uses_seed: bool,
}

impl<'a> Scene<'a> {
    pub fn new(screen: &'a mut Screen, options: &'a Options) -> Result<Scene<'a>, SetupError> {
        let scratch = Scratch::new()?;
        // If it is not possible, `main` has already said why.
        let recorder = match options.segments && segments::is_inside() {
            true => Some(SegmentRecorder::watch().map_err(SetupError::Segments)?),
            false => None,
        };
        Ok(Scene {
            screen,
            options,
            scratch,
            started: 0,
            drawn: Vec::new(),
            recorder,
            came: None,
            uses_trials: false,
            uses_seed: false,
        })
    }

    /// How often to try: what the reader asked for, or else `usual`.
    pub fn trials(&mut self, usual: u32) -> u32 {
        self.uses_trials = true;
        self.options.trials.unwrap_or(usual)
    }

    /// The seed of the random choices: the reader's, or else 1. Print it where it matters.
    pub fn seed(&mut self) -> u64 {
        self.uses_seed = true;
        let seed = self.options.seed.unwrap_or(1);
        self.screen.seed(seed);
        seed
    }

    /// Notes which of the prediction's choices came true, in the words of that choice, or what happened if none did.
    pub fn came(&mut self, what: impl Into<String>) {
        self.came = Some(what.into());
    }

    /// Ends the run: mentions the options that had no effect in this experiment, and returns what [`came`](Scene::came) true.
    pub fn finish(&mut self) -> Result<Option<String>, SetupError> {
        let Options { trials, seed, picture, .. } = self.options;
        let mut idle = Vec::new();
        idle.extend(
            (trials.is_some() && !self.uses_trials).then_some("--trials: one run decides it"),
        );
        idle.extend(
            (seed.is_some() && !self.uses_seed).then_some("--seed: nothing in it is random"),
        );
        idle.extend(
            (picture.is_some() && self.drawn.is_empty()).then_some("--picture: it draws none"),
        );
        for why in idle {
            self.text(&format!("without effect here, {why}\n"))?;
        }
        Ok(self.came.take())
    }

    /// Saves what the reader asked for, and prints where. The verdict does not depend on it.
    pub fn save(mut self, name: &str, claim: &str) -> Result<(), SetupError> {
        if let Some(path) = self.options.picture.as_ref().filter(|_| !self.drawn.is_empty()) {
            let failed = |source| SetupError::Save { path: path.clone(), source };
            let title = format!("{name}: {claim}");
            let drawing = match path.extension().and_then(|extension| extension.to_str()) {
                Some("html") => timeline::page(&title, &self.drawn, &parties(&self.drawn)),
                Some("trace") => trace(&parties(&self.drawn)).map_err(failed)?,
                _ => timeline::svg(&title, &self.drawn),
            };
            fs::write(path, drawing).map_err(failed)?;
            // Not wrapped, so that you can copy the path.
            self.table(&format!("saved {}\n", path.display()))?;
        }
        if let Some(recorder) = self.recorder.take() {
            let path = PathBuf::from(format!("{name}.pcapng"));
            let not_shown = match self.drawn.is_empty() {
                true => Some("the packets are only in the file: it draws no picture\n"),
                false => recorder.not_shown(),
            };
            let said = match recorder.save(&path)? {
                0 => "no packets: nothing travelled by TCP or UDP here\n".to_owned(),
                packets => format!(
                    "saved {} ({packets} packets; Wireshark opens it)\n{}",
                    path.display(),
                    not_shown.unwrap_or_default()
                ),
            };
            self.text(&said)?;
        }
        Ok(())
    }

    /// Prints what to type, one terminal for each.
    pub fn terminals(&mut self, lines: &[&CommandLine]) -> Result<(), SetupError> {
        self.blank()?;
        for (index, command_line) in lines.iter().enumerate() {
            self.screen.terminal(index + 1, command_line).map_err(SetupError::Stdout)?;
        }
        Ok(())
    }

    /// Prints what else to do in the terminal that was printed last.
    pub fn then(&mut self, what: &str) -> Result<(), SetupError> {
        self.screen.then(what).map_err(SetupError::Stdout)
    }

    /// Prints what else to type there.
    pub fn then_type(&mut self, command_line: &CommandLine) -> Result<(), SetupError> {
        self.screen.then_type(command_line).map_err(SetupError::Stdout)
    }

    /// Prints what to type at the prompt of the program there.
    pub fn at_prompt(&mut self, commands: &[&str]) -> Result<(), SetupError> {
        self.screen.at_prompt(commands).map_err(SetupError::Stdout)
    }

    /// Starts a server on a free port of `host`, waits until it listens, and prints that it does.
    pub fn server(
        &mut self,
        label: &str,
        command_line: &CommandLine,
        host: &str,
    ) -> Result<Actor, SetupError> {
        let server = self.start(label, command_line, &["--listen", &format!("{host}:0")])?;
        let address = server.address()?;
        self.says(label, format!("listening on {address}"))?;
        Ok(server)
    }

    /// Starts a client of the server at `address`.
    pub fn client(
        &mut self,
        label: &str,
        command_line: &CommandLine,
        address: &str,
    ) -> Result<Actor, SetupError> {
        self.start(label, command_line, &["--connect", address])
    }

    /// Starts a program with its place, and with a trace of its socket calls if it can record one.
    pub fn start(
        &mut self,
        label: &str,
        command_line: &CommandLine,
        place: &[&str],
    ) -> Result<Actor, SetupError> {
        self.start_through(&[], label, command_line, place)
    }

    /// The same, but started by another command: `through` is that command with its arguments.
    pub fn start_through(
        &mut self,
        through: &[String],
        label: &str,
        command_line: &CommandLine,
        place: &[&str],
    ) -> Result<Actor, SetupError> {
        self.started += 1;
        let trace = self.scratch.path().join(format!("{}.trace", self.started));
        let program = match command_line.is_python() {
            true => PathBuf::from(CommandLine::PYTHON),
            false => stage::binary(command_line.program())?,
        };
        let mut command = match through {
            [] => Command::new(program),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        if command_line.is_python() {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
            // -B: leave no __pycache__ in the folder.
            command.arg("-B").arg(root.join(command_line.program()));
        }
        // In front, because after a subcommand they would be the subcommand's options.
        if command_line.records_calls() {
            command.arg("--trace").arg(&trace);
        }
        command.args(place).args(command_line.arguments());
        // A program that prints a table makes it fit our width.
        command.env("COLUMNS", self.screen.columns().to_string());
        // We learn from the log when a server has made a call, so the reader's own RUST_LOG must not change it.
        command.env("RUST_LOG", "warn,sock=debug");
        Actor::start(label, &mut command, trace)
    }

    /// A private directory, removed after the run.
    pub fn directory(&self) -> &Path {
        self.scratch.path()
    }

    pub fn blank(&mut self) -> Result<(), SetupError> {
        self.screen.blank().map_err(SetupError::Stdout)
    }

    /// Prints the experiment's own text, after a blank line: each line of it is a paragraph.
    pub fn text(&mut self, text: &str) -> Result<(), SetupError> {
        self.blank()?;
        self.screen.text(text).map_err(SetupError::Stdout)
    }

    /// Prints the experiment's own table unchanged, after a blank line: it has to fit already.
    pub fn table(&mut self, table: &str) -> Result<(), SetupError> {
        self.blank()?;
        self.screen.table(table).map_err(SetupError::Stdout)
    }

    /// Prints what a program said.
    pub fn says(&mut self, label: &str, said: impl AsRef<[u8]>) -> Result<(), SetupError> {
        self.screen.says(label, said.as_ref()).map_err(SetupError::Stdout)
    }

    /// Prints what a person at the keyboard would have typed at this point.
    pub fn you(&mut self, typed: &str) -> Result<(), SetupError> {
        self.screen.you(typed).map_err(SetupError::Stdout)
    }

    /// Prints the byte picture.
    pub fn picture(&mut self, stream: &Stream) -> Result<(), SetupError> {
        self.blank()?;
        let stream = match &mut self.recorder {
            Some(recorder) => recorder.show(stream)?,
            None => stream.clone(),
        };
        self.screen.picture(&stream).map_err(SetupError::Stdout)?;
        self.drawn.push(stream);
        Ok(())
    }

    /// Prints what was seen, after its name.
    pub fn row(&mut self, what: &str, seen: &str) -> Result<(), SetupError> {
        self.screen.row(what, seen).map_err(SetupError::Stdout)
    }

    /// Prints how often something happened.
    pub fn count(&mut self, what: &str, count: usize, of: usize) -> Result<(), SetupError> {
        self.screen.count(what, count as u64, of as u64).map_err(SetupError::Stdout)
    }

    /// Prints what was measured, with its spread.
    pub fn measured(&mut self, what: &str, samples: &Samples) -> Result<(), SetupError> {
        self.screen.measured(what, samples).map_err(SetupError::Stdout)
    }

    /// Starts a relay in front of the server at `address`, on a free port: the relay's `address()`.
    pub fn relay(
        &mut self,
        command_line: &CommandLine,
        address: &str,
    ) -> Result<Actor, SetupError> {
        let relay =
            self.start("relay", command_line, &["--listen", "127.0.0.1:0", "--to", address])?;
        relay.address()?;
        Ok(relay)
    }
}

/// The calls of all parties, one JSON object a line, as the programs' `--trace` writes them.
fn trace(parties: &[(&str, Vec<Event>)]) -> io::Result<String> {
    let mut text = String::new();
    for event in parties.iter().flat_map(|(_, events)| events) {
        text += &serde_json::to_string(event)?;
        text.push('\n');
    }
    Ok(text)
}

/// The parties whose calls were drawn, with all their events on those connections. A connection is listed once, even if
/// both its streams were drawn.
fn parties(drawn: &[Stream]) -> Vec<(&str, Vec<Event>)> {
    let mut all: Vec<(&str, Vec<Event>)> = Vec::new();
    for (name, events) in drawn.iter().flat_map(Stream::parties) {
        match all.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => {
                let new = |event: &&Event| {
                    !known.iter().any(|it| (it.pid, it.conn) == (event.pid, event.conn))
                };
                let new: Vec<Event> = events.iter().filter(new).cloned().collect();
                known.extend(new);
            }
            None => all.push((name, events.to_vec())),
        }
    }
    all
}
