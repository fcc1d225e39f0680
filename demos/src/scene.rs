//! What an experiment works with: it starts real programs, and shows what they said and did.
//!
//! Nothing is printed when it happens to arrive: an experiment prints a program's lines where it knows them to have
//! been said, so that two runs print the same.

use crate::numbers::Samples;
use crate::options::Options;
use crate::screen::{Screen, WIDTH};
use crate::trouble::Trouble;
use crate::typed::Typed;
use observe::Event;
use stage::{Finished, Program, Scratch, Signal};
use std::fs;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use timeline::Stream;

/// How long a program may take to do what it is there for, on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// One run of one experiment.
pub struct Scene<'a> {
    screen: &'a mut Screen,
    options: &'a Options,
    scratch: Scratch,
    started: usize,
    drawn: Vec<Stream>,
    came: Option<String>,
    /// Whether the experiment asked for it: an option that changes nothing is mentioned.
    asked: (bool, bool),
}

impl<'a> Scene<'a> {
    pub fn new(screen: &'a mut Screen, options: &'a Options) -> Result<Scene<'a>, Trouble> {
        let scratch = Scratch::new()?;
        let (started, drawn, came, asked) = (0, Vec::new(), None, (false, false));
        Ok(Scene { screen, options, scratch, started, drawn, came, asked })
    }

    /// How often to try: what the reader said, or else `usual`.
    pub fn trials(&mut self, usual: u32) -> u32 {
        self.asked.0 = true;
        self.options.trials.unwrap_or(usual)
    }

    /// What random choices begin with: what the reader said, or else 1. Print it where it matters.
    pub fn seed(&mut self) -> u64 {
        self.asked.1 = true;
        let seed = self.options.seed.unwrap_or(1);
        self.screen.seed(seed);
        seed
    }

    /// Says which of the prediction's choices it was, in that choice's own words; something else when it was none.
    pub fn came(&mut self, what: impl Into<String>) {
        self.came = Some(what.into());
    }

    /// Ends the run: mentions what the reader asked for and this experiment has no use for, and returns what
    /// [`came`](Scene::came).
    pub fn finish(mut self, title: &str) -> Result<Option<String>, Trouble> {
        let Options { trials, seed, picture, .. } = self.options;
        let mut idle = Vec::new();
        idle.extend((trials.is_some() && !self.asked.0).then_some("--trials: one run decides it"));
        idle.extend((seed.is_some() && !self.asked.1).then_some("--seed: nothing in it is random"));
        idle.extend(
            (picture.is_some() && self.drawn.is_empty()).then_some("--picture: it draws none"),
        );
        for why in idle {
            self.text(&format!("without effect here, {why}\n"))?;
        }
        if let Some(path) = picture.as_ref().filter(|_| !self.drawn.is_empty()) {
            let drawing = timeline::svg(title, &self.drawn);
            let failed = |source| Trouble::Save { path: path.clone(), source };
            fs::write(path, drawing).map_err(failed)?;
            self.text(&format!("saved {}\n", path.display()))?;
        }
        Ok(self.came)
    }

    /// Prints what to type, a terminal each.
    pub fn terminals(&mut self, lines: &[&Typed]) -> Result<(), Trouble> {
        self.blank()?;
        for (index, typed) in lines.iter().enumerate() {
            self.screen.terminal(index + 1, &typed.to_string()).map_err(Trouble::Stdout)?;
        }
        Ok(())
    }

    /// Prints what else to do in the terminal that was printed last.
    pub fn then(&mut self, line: &str) -> Result<(), Trouble> {
        self.screen.then(line).map_err(Trouble::Stdout)
    }

    /// Starts a server on a free port of `host`, waits until it listens, and prints that it does.
    pub fn server(&mut self, label: &str, typed: &Typed, host: &str) -> Result<Actor, Trouble> {
        let server = self.start(label, typed, &["--listen", &format!("{host}:0")])?;
        let address = server.address()?;
        self.lane(label, format!("listening on {address}"))?;
        Ok(server)
    }

    /// Starts a client of the server at `address`.
    pub fn client(&mut self, label: &str, typed: &Typed, address: &str) -> Result<Actor, Trouble> {
        self.start(label, typed, &["--connect", address])
    }

    /// Starts a program, with its place and a trace of its socket calls; those of the zoo record none.
    pub fn start(&mut self, label: &str, typed: &Typed, place: &[&str]) -> Result<Actor, Trouble> {
        self.started += 1;
        let trace = self.scratch.path().join(format!("{}.trace", self.started));
        let mut command = Command::new(stage::binary(typed.program())?);
        // In front: behind a subcommand they would be the subcommand's.
        if !typed.is_of_the_zoo() {
            command.arg("--trace").arg(&trace);
        }
        command.args(place).args(typed.arguments());
        // The log says when a server has made a call; whoever set it for their own programs must not confuse us.
        command.env("RUST_LOG", "warn,sock=debug");
        Ok(Actor { label: label.to_owned(), program: Program::start(label, &mut command)?, trace })
    }

    /// A private directory, removed after the run.
    pub fn directory(&self) -> &Path {
        self.scratch.path()
    }

    pub fn blank(&mut self) -> Result<(), Trouble> {
        self.screen.blank().map_err(Trouble::Stdout)
    }

    /// Prints lines of the experiment's own, behind a blank one.
    pub fn text(&mut self, text: &str) -> Result<(), Trouble> {
        self.blank()?;
        self.screen.text(text).map_err(Trouble::Stdout)
    }

    /// Prints what a program said.
    pub fn lane(&mut self, label: &str, said: impl AsRef<[u8]>) -> Result<(), Trouble> {
        self.screen.lane(label, said.as_ref()).map_err(Trouble::Stdout)
    }

    /// Prints what somebody at the keyboard would have typed at this point.
    pub fn you(&mut self, typed: &str) -> Result<(), Trouble> {
        self.screen.you(typed).map_err(Trouble::Stdout)
    }

    /// Prints the byte picture.
    pub fn picture(&mut self, stream: &Stream) -> Result<(), Trouble> {
        self.blank()?;
        self.screen.picture(&stream.text(WIDTH - 4)).map_err(Trouble::Stdout)?;
        self.drawn.push(stream.clone());
        Ok(())
    }

    /// Prints how often something happened.
    pub fn count(&mut self, what: &str, count: usize, of: usize) -> Result<(), Trouble> {
        self.screen.count(what, count as u64, of as u64).map_err(Trouble::Stdout)
    }

    /// Prints what was measured, with its spread.
    pub fn measured(&mut self, what: &str, samples: &Samples) -> Result<(), Trouble> {
        self.screen.measured(what, samples).map_err(Trouble::Stdout)
    }

    /// Starts a relay in front of the server at `address`, on a free port; its own address is its
    /// [`address`](Program::address).
    pub fn relay(&mut self, typed: &Typed, address: &str) -> Result<Actor, Trouble> {
        let relay = self.start("relay", typed, &["--listen", "127.0.0.1:0", "--to", address])?;
        relay.address()?;
        Ok(relay)
    }
}

/// A program on the stage, and where it records its socket calls.
pub struct Actor {
    label: String,
    program: Program,
    trace: PathBuf,
}

impl Actor {
    /// Waits until it has made the call `name` so many times.
    pub fn wait_for_calls(&self, name: &str, count: usize) -> Result<(), Trouble> {
        let call = format!("call=\"{name}\"");
        let called =
            |line: &&stage::Line| line.whole && String::from_utf8_lossy(&line.text).contains(&call);
        let what = format!("{count} times {name}");
        Ok(self.program.wait_until(&what, PATIENCE, |lines| {
            (lines.iter().filter(called).count() >= count).then_some(())
        })?)
    }

    /// Tells a server to stop, and waits until it has.
    pub fn stop(self) -> Result<Ended, Trouble> {
        self.program.signal(Signal::TERM);
        self.end()
    }

    /// Waits until the program has ended by itself, and well.
    pub fn end(self) -> Result<Ended, Trouble> {
        let label = self.label.clone();
        let ended = self.end_somehow()?;
        match ended.code {
            Some(0) => Ok(ended),
            code => {
                let how = code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
                Err(Trouble::Failed { label, how, said: ended.complaint() })
            }
        }
    }

    /// Waits until the program has ended, with whatever exit code.
    pub fn end_somehow(self) -> Result<Ended, Trouble> {
        let finished = self.program.wait(PATIENCE)?;
        // A program that refuses its arguments has not come to open its trace.
        let events = match self.trace.exists() {
            true => timeline::read_trace(&self.trace)?,
            false => Vec::new(),
        };
        Ok(Ended { finished, events })
    }
}

impl Deref for Actor {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.program
    }
}

impl DerefMut for Actor {
    fn deref_mut(&mut self) -> &mut Program {
        &mut self.program
    }
}

/// A program that has ended: what it said, and every socket call it made.
pub struct Ended {
    finished: Finished,
    pub events: Vec<Event>,
}

impl Ended {
    /// What it said on standard output, as text.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// What a server said after it said that it listens.
    pub fn said_then(&self) -> String {
        self.said().split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default()
    }

    /// What it said on standard error, without the log.
    pub fn complaint(&self) -> String {
        let log = |line: &&str| [" WARN ", "DEBUG "].iter().any(|level| line.contains(level));
        let said = String::from_utf8_lossy(&self.stderr);
        said.lines().filter(|line| !log(line)).map(|line| format!("{line}\n")).collect()
    }

    /// The bytes that each call of this name moved, in order.
    pub fn moved(&self, call: &str) -> Vec<Vec<u8>> {
        let calls = self.events.iter().filter(|event| event.call == call);
        calls.filter_map(|event| event.data.clone()).collect()
    }
}

impl Deref for Ended {
    type Target = Finished;

    fn deref(&self) -> &Finished {
        &self.finished
    }
}
