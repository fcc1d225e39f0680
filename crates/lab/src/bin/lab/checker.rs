//! The program that `lab grade` starts for each submission: a copy of itself.
//!
//! It isn't started by its name, because a submission that runs as the same user can put another program there. And it
//! isn't started from a file that this user may read: Linux protects a process from inspection, from its first
//! instruction on, if its user may not read its program (execve(2), and ptrace(2), PTRACE_MODE_READ). So the grader
//! copies itself into memory, where nobody else can reach the copy, takes away the permission to read it, and starts
//! that.

use std::io;
use std::path::PathBuf;

#[cfg(target_os = "linux")]
use std::{
    fs::{File, Permissions},
    os::fd::AsRawFd,
    os::unix::fs::PermissionsExt,
};

#[cfg(target_os = "linux")]
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

/// Where the checker is. It stays there until this is dropped.
pub struct Checker {
    pub path: PathBuf,
    #[cfg(target_os = "linux")]
    _copy: Option<File>,
}

impl Checker {
    /// # Errors
    /// When the system can't say which program this is.
    #[cfg(target_os = "linux")]
    pub fn new() -> io::Result<Checker> {
        // Some systems forbid running a program from memory (the sysctl vm.memfd_noexec), but can still say which
        // program this is. Then each check protects itself before any submission runs.
        let copy = copy().ok();
        let path = copy.as_ref().map_or("/proc/self/exe".into(), |copy| {
            // In the new process this is a descriptor of its own. It closes when the process becomes the program.
            PathBuf::from(format!("/proc/self/fd/{}", copy.as_raw_fd()))
        });
        Ok(Checker { path, _copy: copy })
    }

    /// # Errors
    /// When the system can't say which program this is.
    #[cfg(not(target_os = "linux"))]
    pub fn new() -> io::Result<Checker> {
        Ok(Checker { path: std::env::current_exe()? })
    }
}

#[cfg(target_os = "linux")]
fn copy() -> io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut copy = File::from(memfd_create("lab", flags)?);
    io::copy(&mut File::open("/proc/self/exe")?, &mut copy)?;
    copy.set_permissions(Permissions::from_mode(0o111))?;
    fcntl_add_seals(
        &copy,
        SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL,
    )?;
    Ok(copy)
}
