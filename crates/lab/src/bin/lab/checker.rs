//! The program that `lab grade` starts for each submission: this very one.
//!
//! Not by its name: a submission that runs as the same user can put another program there. And not from a file that this
//! user may read: Linux lets nobody look into a process whose program its user may not read (execve(2), and ptrace(2),
//! PTRACE_MODE_READ), from its first instruction on. So the grader copies itself into memory, where nobody else reaches
//! the copy, takes away the right to read it, and starts that.

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

/// Where the checker is. It is there as long as this is kept.
pub struct Checker {
    pub path: PathBuf,
    #[cfg(target_os = "linux")]
    _copy: Option<File>,
}

impl Checker {
    /// # Errors
    /// When nobody knows which program this is.
    #[cfg(target_os = "linux")]
    pub fn new() -> io::Result<Checker> {
        // A system that forbids to run programs from memory (the sysctl vm.memfd_noexec) still knows which one this is. Then
        // each check closes itself, before any submission runs.
        let copy = copy().ok();
        let path = copy.as_ref().map_or("/proc/self/exe".into(), |copy| {
            // Of the process that is being started: it closes the copy when it becomes the program.
            PathBuf::from(format!("/proc/self/fd/{}", copy.as_raw_fd()))
        });
        Ok(Checker { path, _copy: copy })
    }

    /// # Errors
    /// When nobody knows which program this is.
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
