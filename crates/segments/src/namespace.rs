//! A network of the run's own.

use crate::CaptureError;
use std::env;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Holds the name of the network namespace that the run has left: if we are in any other one, we are inside.
const OUTSIDE: &str = "UNSTUCK_OUTSIDE";

/// Brings the loopback up, then becomes the program. A user's PATH often lacks the folders of `ip`.
const SCRIPT: &str = r#"PATH="$PATH:/usr/sbin:/sbin" ip link set lo up && exec "$@""#;

/// Moves this program into a network namespace of its own, with nothing in it but its own loopback, which is up.
///
/// If the program is inside already, this returns. Otherwise it restarts the program inside, with the same arguments and
/// in this process (execve(2)), and returns only if that is not possible. So call it first thing in `main`, before any
/// thread, output or child. Children of the program are inside too.
///
/// Without root it uses a user namespace (user_namespaces(7)), in which the user keeps their name and may manage networks
/// of their own.
///
/// # Errors
/// [`CaptureError`] where it is not possible. Nothing has changed then, and the run can go on without it.
pub fn enter() -> Result<(), CaptureError> {
    if is_inside() {
        return Ok(());
    }
    if cfg!(not(target_os = "linux")) {
        return Err(CaptureError::NotLinux);
    }
    // Try it first with a program that does nothing: after execve there is no way back.
    let tried = inside(&["true".into()]).stdin(Stdio::null()).output();
    let tried =
        tried.map_err(|_| CaptureError::Missing { program: "unshare", package: "util-linux" })?;
    if !tried.status.success() {
        let said = String::from_utf8_lossy(&tried.stderr);
        let said = said.lines().next().unwrap_or("without a word").to_owned();
        return Err(
            match said.contains("ip: not found") || said.contains("ip: command not found") {
                true => CaptureError::Missing { program: "ip", package: "iproute2" },
                false => CaptureError::Forbidden { said },
            },
        );
    }
    let doing = "starting this program in its own network";
    let program = env::current_exe().map_err(CaptureError::system(doing))?;
    let mut command = vec![program.into_os_string()];
    command.extend(env::args_os().skip(1));
    let outside = network().ok_or(CaptureError::NotLinux)?;
    Err(CaptureError::system(doing)(inside(&command).env(OUTSIDE, outside).exec()))
}

/// Whether this program runs in the network namespace that [`enter`] made.
pub fn is_inside() -> bool {
    match (env::var_os(OUTSIDE), network()) {
        (Some(outside), Some(here)) => outside != here,
        _ => false,
    }
}

/// The name of the network namespace that this process is in; `None` where there are none.
fn network() -> Option<PathBuf> {
    fs::read_link("/proc/self/ns/net").ok()
}

/// The command line that runs another one inside.
fn inside(command: &[std::ffi::OsString]) -> Command {
    let mut unshare = Command::new("unshare");
    unshare.arg("--net");
    if !rustix::process::geteuid().is_root() {
        // --map-root-user would work as well, but then the run would believe that it runs as root.
        unshare.args(["--user", "--map-current-user", "--keep-caps"]);
    }
    unshare.args(["--", "sh", "-c", SCRIPT, "sh"]).args(command);
    unshare
}
