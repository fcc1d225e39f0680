//! The path: what may be there already, how long it may be, and who may connect.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::peers::{serves, start};
use super::place::{
    LONGEST, Socket, fill_queue, id, is_empty, leave_stale, listener, nothing_was_sent, path_of,
    same,
};
use crate::labs::fifo::make_fifo;
use crate::play::Trial;
use crate::verdict::{CaseFailure, Fault};

pub(super) fn stale(trial: &mut Trial) -> Result<(), CaseFailure> {
    for kind in Socket::ALL {
        // Each kind at a path of its own: what the program leaves there when it is killed is a case of its own.
        let path = trial.folder()?.join(kind.name());
        leave_stale(trial, &path, *kind)?;
        trial.start_unix_server(path)?;
        serves(trial)?;
        trial.kill()?;
    }
    Ok(())
}

pub(super) fn killed(trial: &mut Trial) -> Result<(), CaseFailure> {
    let path = start(trial)?;
    serves(trial)?;
    trial.kill()?;
    trial.start_unix_server(path)?;
    serves(trial)
}

pub(super) fn second_instance(trial: &mut Trial) -> Result<(), CaseFailure> {
    let path = start(trial)?;
    let mut peer = trial.connect("idle")?;
    let (before, after) = (trial.text(20), trial.text(20));
    peer.send(&before)?;
    peer.expect(&before)?;
    let was = id(&path)?;
    trial.expect_refusal(&path)?;
    trial.step("expects the first one's file to be still there, and the first one to keep serving");
    same(&path, was)?;
    peer.send(&after)?;
    peer.expect(&after)?;
    peer.end()?;
    peer.expect_end()?;
    serves(trial)
}

pub(super) fn silent_server(trial: &mut Trial) -> Result<(), CaseFailure> {
    let path = trial.folder()?.join("socket");
    trial.step("another program listens at ADDRESS. It accepts nobody and sends nothing");
    let alive = listener(&path, Socket::Stream, 100)?;
    stays(trial, &path)?;
    trial.step("expects that nothing was sent to it");
    nothing_was_sent(&alive, Socket::Stream)
}

pub(super) fn full_queue(trial: &mut Trial) -> Result<(), CaseFailure> {
    let path = trial.folder()?.join("socket");
    trial.step("another program listens at ADDRESS, and its accept queue is full");
    let _alive = listener(&path, Socket::Stream, 0)?;
    let _waiting = fill_queue(&path)?;
    stays(trial, &path)
}

pub(super) fn other_kind(trial: &mut Trial) -> Result<(), CaseFailure> {
    let path = trial.folder()?.join("socket");
    for kind in Socket::ALL.iter().filter(|kind| **kind != Socket::Stream) {
        trial.step(format!("another program has a {} socket at ADDRESS", kind.name()));
        let alive = listener(&path, *kind, 1)?;
        stays(trial, &path)?;
        trial.step("expects that nothing was sent to it");
        nothing_was_sent(&alive, *kind)?;
        let _ = fs::remove_file(&path);
    }
    Ok(())
}

pub(super) fn file(trial: &mut Trial) -> Result<(), CaseFailure> {
    let text = trial.text(60);
    file_stays(trial, &text)
}

pub(super) fn empty_file(trial: &mut Trial) -> Result<(), CaseFailure> {
    file_stays(trial, b"")
}

fn file_stays(trial: &mut Trial, text: &[u8]) -> Result<(), CaseFailure> {
    let path = trial.folder()?.join("socket");
    trial.step(format!("there is an ordinary file with {} bytes at ADDRESS", text.len()));
    fs::write(&path, text).map_err(|e| CaseFailure::machine("write a file", e))?;
    stays(trial, &path)?;
    holds(&path, text)
}

fn holds(path: &Path, text: &[u8]) -> Result<(), CaseFailure> {
    let now = fs::read(path).unwrap_or_default();
    if now == text {
        return Ok(());
    }
    Err(CaseFailure::differs(Fault::Wrong, "the file has other content now", text, &now))
}

pub(super) fn directory(trial: &mut Trial) -> Result<(), CaseFailure> {
    let path = trial.folder()?.join("socket");
    trial.step("there is an empty directory at ADDRESS");
    fs::create_dir(&path).map_err(|e| CaseFailure::machine("make a directory", e))?;
    stays(trial, &path)?;
    is_empty(&path)
}

pub(super) fn full_directory(trial: &mut Trial) -> Result<(), CaseFailure> {
    let path = trial.folder()?.join("socket");
    let (text, inside) = (trial.text(60), path.join("file"));
    trial.step("there is a directory with a file in it at ADDRESS");
    let made = fs::create_dir(&path).and_then(|()| fs::write(&inside, &text));
    made.map_err(|e| CaseFailure::machine("make a directory", e))?;
    stays(trial, &path)?;
    holds(&inside, &text)
}

pub(super) fn named_pipe(trial: &mut Trial) -> Result<(), CaseFailure> {
    let path = trial.folder()?.join("socket");
    trial.step("there is a named pipe (FIFO) at ADDRESS");
    make_fifo(&path)?;
    stays(trial, &path)
}

pub(super) fn symbolic_link(trial: &mut Trial) -> Result<(), CaseFailure> {
    let target = trial.folder()?.join("target");
    leave_stale(trial, &target, Socket::Stream)?;
    link_stays(trial, &target)
}

pub(super) fn other_links(trial: &mut Trial) -> Result<(), CaseFailure> {
    let target = trial.folder()?.join("target");
    trial.step("there is nothing at target");
    link_stays(trial, &target)?;
    if fs::symlink_metadata(&target).is_ok() {
        return Err(CaseFailure::new(Fault::Rule, "target: something is there now"));
    }
    trial.step("there is an ordinary file at target");
    fs::write(&target, b"").map_err(|e| CaseFailure::machine("write a file", e))?;
    link_stays(trial, &target)?;
    let _ = fs::remove_file(&target);
    trial.step("another program listens at target");
    let _alive = listener(&target, Socket::Stream, 100)?;
    link_stays(trial, &target)
}

fn link_stays(trial: &mut Trial, target: &Path) -> Result<(), CaseFailure> {
    let path = trial.folder()?.join("socket");
    trial.step("ADDRESS is a symbolic link to it");
    symlink(target, &path).map_err(|e| CaseFailure::machine("make a link", e))?;
    let leads_to = id(target).ok();
    stays(trial, &path)?;
    if let Some(was) = leads_to {
        trial.step("expects the same of its target");
        same(target, was)?;
    }
    let _ = fs::remove_file(&path);
    Ok(())
}

/// The program refuses, and whatever is at the path is the same as before.
fn stays(trial: &mut Trial, path: &Path) -> Result<(), CaseFailure> {
    let was = id(path)?;
    trial.expect_refusal(path)?;
    trial.step("expects that it is still there, with the same mode");
    same(path, was)
}

pub(super) fn no_directory(trial: &mut Trial) -> Result<(), CaseFailure> {
    let folder = trial.folder()?;
    trial.step("ADDRESS is in a directory that does not exist");
    trial.expect_refusal(&folder.join("nowhere").join("socket"))?;
    trial.step("expects that nothing was created");
    is_empty(&folder)?;
    let machine = |error| CaseFailure::machine("make a file", error);
    trial.step("ADDRESS is in a file, as if that were a directory");
    fs::write(folder.join("file"), b"").map_err(machine)?;
    trial.expect_refusal(&folder.join("file").join("socket"))?;
    trial.step("ADDRESS is in a directory that is a symbolic link to itself");
    symlink("circle", folder.join("circle")).map_err(machine)?;
    trial.expect_refusal(&folder.join("circle").join("socket")).map(drop)
}

pub(super) fn permissions(trial: &mut Trial) -> Result<(), CaseFailure> {
    let path = start(trial)?;
    mode_is_0600(trial, &path)?;
    trial.kill()?;
    trial.step("the dead one's file gets mode 0777");
    let open = fs::set_permissions(&path, fs::Permissions::from_mode(0o777));
    open.map_err(|e| CaseFailure::machine("change a mode", e))?;
    trial.start_unix_server(path.clone())?;
    mode_is_0600(trial, &path)
}

fn mode_is_0600(trial: &mut Trial, path: &Path) -> Result<(), CaseFailure> {
    // The program has served a peer, so it has already set the mode: there is nothing to wait for.
    serves(trial)?;
    trial.step("looks at the file's mode: 0600 is expected");
    match fs::symlink_metadata(path).map(|found| found.permissions().mode() & 0o7777) {
        Ok(0o600) => Ok(()),
        Ok(mode) => {
            Err(CaseFailure::new(Fault::Rule, format!("the file has mode {mode:04o}, not 0600")))
        }
        Err(error) => {
            Err(CaseFailure::new(Fault::Rule, format!("there is no file at ADDRESS: {error}")))
        }
    }
}

pub(super) fn any_name(trial: &mut Trial) -> Result<(), CaseFailure> {
    let path = trial.folder()?.join("my socket é 50% 'a'");
    trial.step("the last part of ADDRESS is: my socket é 50% 'a'");
    trial.start_unix_server(path)?;
    serves(trial)
}

pub(super) fn longest_path(trial: &mut Trial) -> Result<(), CaseFailure> {
    let folder = trial.folder()?;
    for length in [LONGEST - 1, LONGEST] {
        trial.step(format!("ADDRESS has {length} bytes"));
        trial.start_unix_server(path_of(&folder, length))?;
        serves(trial)?;
        trial.kill()?;
    }
    Ok(())
}

pub(super) fn too_long(trial: &mut Trial) -> Result<(), CaseFailure> {
    let folder = trial.folder()?;
    let longer = LONGEST + trial.number(2, 20) as usize;
    for length in [LONGEST + 1, longer, 200] {
        trial.step(format!("ADDRESS has {length} bytes, more than fit into sun_path"));
        trial.expect_refusal(&path_of(&folder, length))?;
        trial.step("expects that no file was created");
        is_empty(&folder)?;
    }
    Ok(())
}
