//! unix: an echo server whose address is a file. Its work is easy; what the file may be before it comes is not.

mod place;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixStream};

use place::{LONGEST, fill, id, is_empty, leave_stale, path_of, same};

use super::{Case, Lab, texts};
use crate::{Broken, Fault, Trial};

pub(super) const LAB: Lab = Lab {
    name: "unix",
    task: "an echo server on a Unix socket, which takes the file's name from nobody",
    rules: &[],
    cases: &[
        Case {
            id: "first",
            points: 1,
            rule: "what a peer sends comes back until its end, then comes yours",
            hint: "The last argument is a path. Apart from the address all is as in the lab echo.",
            proves: &[],
            fits: &[],
            play: first,
        },
        Case {
            id: "next-peer",
            points: 1,
            rule: "after one peer comes the next, also after one that said nothing",
            hint: "The end of a peer is not the end of the server. What stands in the loop around accept?",
            proves: &[],
            fits: &[],
            play: next_peer,
        },
        Case {
            id: "peer-leaves",
            points: 2,
            rule: "a peer that leaves without reading harms no other",
            hint: "A write to a peer that has gone is an error (EPIPE, ECONNRESET) of this peer alone.",
            proves: &[],
            fits: &[],
            play: peer_leaves,
        },
        Case {
            id: "stale",
            points: 2,
            rule: "a socket file that nobody listens on is replaced",
            hint: "A killed server leaves its file, and bind says \"address in use\". Connect to it: who answers?",
            proves: &[],
            fits: &[],
            play: stale,
        },
        Case {
            id: "killed",
            points: 1,
            rule: "after kill -9 the program can be started again",
            hint: "Nothing of yours runs at kill -9. Who removes the file, and when?",
            proves: &[],
            fits: &[],
            play: killed,
        },
        Case {
            id: "second-instance",
            points: 2,
            rule: "a second instance ends with exit code 3 and an error, and the first goes on undisturbed",
            hint: "Before you remove a file: does somebody listen there? Connect to find out, and send nothing.",
            proves: &[],
            fits: &[],
            play: second_instance,
        },
        Case {
            id: "other-kind",
            points: 1,
            rule: "a live socket of another kind is somebody's too: exit code 3, the file stays",
            hint: "Connect fails in several ways. Only one of them, connection refused, says that nobody is there.",
            proves: &[],
            fits: &[],
            play: other_kind,
        },
        Case {
            id: "file",
            points: 2,
            rule: "an ordinary file stays as it is: exit code 3",
            hint: "What did the user want who gave you the path of a file? Look at what it is before you remove it.",
            proves: &[],
            fits: &[],
            play: file,
        },
        Case {
            id: "directory",
            points: 1,
            rule: "a directory stays as it is: exit code 3",
            hint: "Only a socket may be removed. Every error at the start ends with exit code 3.",
            proves: &[],
            fits: &[],
            play: directory,
        },
        Case {
            id: "symlink",
            points: 2,
            rule: "a symbolic link stays as it is, and so does what it leads to: exit code 3",
            hint: "stat follows a link and tells of what it leads to; lstat (symlink_metadata) tells of the link.",
            proves: &[],
            fits: &[],
            play: symbolic_link,
        },
        Case {
            id: "permissions",
            points: 2,
            rule: "only the owner can connect: the file has mode 0600",
            hint: "On Linux to connect needs write permission on the file. What mode does bind give it, and who changes it?",
            proves: &[],
            fits: &[],
            play: permissions,
        },
        Case {
            id: "longest-path",
            points: 1,
            rule: "the longest path that the system allows is served",
            hint: "sun_path has 108 bytes on Linux (104 on macOS), and the last one is a NUL.",
            proves: &[],
            fits: &[],
            play: longest_path,
        },
        Case {
            id: "too-long",
            points: 1,
            rule: "a longer path is an error: exit code 3, and no file with half a name",
            hint: "Does your program report an error of bind, and with which exit code?",
            proves: &[],
            fits: &[],
            play: too_long,
        },
    ],
    texts: texts!("unix"),
};

fn first(trial: &mut Trial) -> Result<(), Broken> {
    let path = trial.folder()?.join("socket");
    trial.start_unix_server(path)?;
    serves(trial)
}

fn next_peer(trial: &mut Trial) -> Result<(), Broken> {
    let path = trial.folder()?.join("socket");
    trial.start_unix_server(path)?;
    serves(trial)?;
    let mut silent = trial.connect("idle")?;
    silent.end()?;
    silent.expect_end()?;
    serves(trial)
}

fn peer_leaves(trial: &mut Trial) -> Result<(), Broken> {
    let path = trial.folder()?.join("socket");
    trial.start_unix_server(path.clone())?;
    trial.step("the peer sends, and does not read, until no more fits");
    let peer = UnixStream::connect(&path).map_err(|e| {
        Broken::new(Fault::Rule, format!("the program does not accept a connection: {e}"))
    })?;
    fill(&peer).map_err(|error| Broken::machine("fill the buffers", error))?;
    trial.step("and closes: what comes back has nowhere to go");
    drop(peer);
    serves(trial)
}

fn stale(trial: &mut Trial) -> Result<(), Broken> {
    let path = trial.folder()?.join("socket");
    leave_stale(trial, &path)?;
    trial.start_unix_server(path)?;
    serves(trial)
}

fn killed(trial: &mut Trial) -> Result<(), Broken> {
    let path = trial.folder()?.join("socket");
    trial.start_unix_server(path.clone())?;
    serves(trial)?;
    trial.kill()?;
    trial.start_unix_server(path)?;
    serves(trial)
}

fn second_instance(trial: &mut Trial) -> Result<(), Broken> {
    let path = trial.folder()?.join("socket");
    trial.start_unix_server(path.clone())?;
    let mut peer = trial.connect("idle")?;
    let (before, after) = (trial.text(20), trial.text(20));
    peer.send(&before)?;
    peer.expect(&before)?;
    let was = id(&path)?;
    trial.expect_refusal(&path)?;
    trial.step("expects that the first one's file is still there, and that it serves on");
    same(&path, was)?;
    peer.send(&after)?;
    peer.expect(&after)?;
    peer.end()?;
    peer.expect_end()?;
    serves(trial)
}

fn other_kind(trial: &mut Trial) -> Result<(), Broken> {
    let path = trial.folder()?.join("socket");
    trial.step("another program has a datagram socket at ADDRESS");
    let machine = |error| Broken::machine("make a socket", error);
    let _alive = UnixDatagram::bind(&path).map_err(machine)?;
    let was = id(&path)?;
    trial.expect_refusal(&path)?;
    trial.step("expects that the other program's file is still there");
    same(&path, was)
}

fn file(trial: &mut Trial) -> Result<(), Broken> {
    let path = trial.folder()?.join("socket");
    let text = trial.text(60);
    trial.step("an ordinary file with 60 bytes stands at ADDRESS");
    fs::write(&path, &text).map_err(|e| Broken::machine("write a file", e))?;
    let was = id(&path)?;
    trial.expect_refusal(&path)?;
    trial.step("expects that the file is still there, with what it held");
    same(&path, was)?;
    let now = fs::read(&path).unwrap_or_default();
    if now == text {
        Ok(())
    } else {
        Err(Broken::differs(Fault::Wrong, "the file holds something else now", &text, &now))
    }
}

fn directory(trial: &mut Trial) -> Result<(), Broken> {
    let path = trial.folder()?.join("socket");
    trial.step("an empty directory stands at ADDRESS");
    fs::create_dir(&path).map_err(|e| Broken::machine("make a directory", e))?;
    let was = id(&path)?;
    trial.expect_refusal(&path)?;
    trial.step("expects that the directory is still there, and empty");
    same(&path, was)?;
    is_empty(&path)
}

fn symbolic_link(trial: &mut Trial) -> Result<(), Broken> {
    let (path, target) = (trial.folder()?.join("socket"), trial.folder()?.join("target"));
    leave_stale(trial, &target)?;
    trial.step("ADDRESS is a symbolic link to it");
    symlink(&target, &path).map_err(|e| Broken::machine("make a link", e))?;
    let (link, leads_to) = (id(&path)?, id(&target)?);
    trial.expect_refusal(&path)?;
    trial.step("expects that the link and what it leads to are still there");
    same(&path, link)?;
    same(&target, leads_to)
}

fn permissions(trial: &mut Trial) -> Result<(), Broken> {
    let path = trial.folder()?.join("socket");
    trial.start_unix_server(path.clone())?;
    // Served, it has set all it wanted to set: nothing has to be waited for.
    serves(trial)?;
    trial.step("looks at the file's mode: 0600 is expected");
    let mode = fs::symlink_metadata(&path).map(|found| found.permissions().mode() & 0o777);
    match mode {
        Ok(mode) if mode & 0o077 == 0 => Ok(()),
        Ok(mode) => Err(Broken::new(
            Fault::Rule,
            format!("the file has mode {mode:04o}: it is not for its owner alone"),
        )),
        Err(error) => {
            Err(Broken::new(Fault::Rule, format!("there is no file at ADDRESS: {error}")))
        }
    }
}

fn longest_path(trial: &mut Trial) -> Result<(), Broken> {
    let path = path_of(&trial.folder()?, LONGEST);
    trial.step(format!("ADDRESS has {LONGEST} bytes"));
    trial.start_unix_server(path)?;
    serves(trial)
}

fn too_long(trial: &mut Trial) -> Result<(), Broken> {
    let folder = trial.folder()?;
    let length = LONGEST + trial.number(1, 20) as usize;
    trial.step(format!("ADDRESS has {length} bytes, more than fit into sun_path"));
    trial.expect_refusal(&path_of(&folder, length))?;
    trial.step("expects that no file was made");
    is_empty(&folder)
}

/// A peer comes, and is served to its end.
fn serves(trial: &mut Trial) -> Result<(), Broken> {
    let mut peer = trial.connect("idle")?;
    let text = trial.text(30);
    peer.send(&text)?;
    peer.expect(&text)?;
    peer.end()?;
    peer.expect_end()
}
