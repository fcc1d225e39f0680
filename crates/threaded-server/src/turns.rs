//! How many requests several processes handle at once: as many as there are files in a folder.
//!
//! Within one process `shell` counts the running commands. Processes that share nothing but a folder count otherwise:
//! each locks one of [`MAX_RUNNING`] files for the time of a request. The kernel takes the lock back when its process
//! ends, however that happens.

use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, io, process, thread};

use proto::json::Status;
use shell::{Caller, CallerGone, MAX_RUNNING, Output, Reply};

use crate::Handler;

/// How long a request waits for its turn, and how often it looks: nothing wakes who waits for one of several locks.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(10);

/// The folder with the files, removed when dropped.
pub(crate) struct Turns(PathBuf);

impl Turns {
    /// An empty folder that only this user can enter.
    pub(crate) fn new() -> io::Result<Turns> {
        let name = format!("threaded-server-{}", process::id());
        // The first name that is free: a server of the same number may have been killed.
        let mut folders = (0..).map(|n| env::temp_dir().join(format!("{name}-{n}")));
        loop {
            let folder = folders.next().ok_or(io::ErrorKind::AlreadyExists)?;
            match fs::DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => return Ok(Turns(folder)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A handler that waits for its turn among the processes of one server.
pub struct InTurn<H> {
    /// What handles a request when its turn has come.
    pub handler: H,
    /// Where the turns are taken.
    pub folder: PathBuf,
}

impl<H: Handler> Handler for InTurn<H> {
    type Visit = H::Visit;

    fn setup(&self, client: &Caller<'_>) -> Result<H::Visit, Output> {
        self.handler.setup(client)
    }

    fn handle(
        &self,
        visit: &mut H::Visit,
        request: &[u8],
        client: &Caller<'_>,
    ) -> Result<Reply, CallerGone> {
        let turn = match take(&self.folder) {
            Ok(turn) => turn,
            Err(error) => {
                let stderr = format!("busy: {error}; try again in a moment\n").into_bytes();
                let output = Output { stderr, status: Status::Exit(126), ..Output::default() };
                return Ok(Reply { output, last: false });
            }
        };
        let reply = self.handler.handle(visit, request, client);
        drop(turn); // closing the file unlocks it
        reply
    }
}

fn take(folder: &Path) -> io::Result<File> {
    let until = Instant::now() + PATIENCE;
    loop {
        for number in 0..MAX_RUNNING {
            let file = File::create(folder.join(number.to_string()))?;
            if file.try_lock().is_ok() {
                return Ok(file);
            }
        }
        if Instant::now() >= until {
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(LOOK);
    }
}
