//! Who owns a Unix socket's name, and where the course puts it.
//!
//! A TCP port is free again when its program has ended. The file of a Unix socket isn't: it stays,
//! though nobody listens on it, and the next bind says "address in use". Deleting the file first, as many
//! programs do, can take the name away from a server that is still running. [`Claim`] does it safely.
//!
//! The socket calls themselves are in the binaries.
//!
//! [`Kind`] is what `--kind` chooses; [`peer_of_this_user`] says who is at the other end.

mod kind;
mod peer;

pub use kind::Kind;
pub use peer::peer_of_this_user;

use std::error::Error;
use std::ffi::OsString;
use std::fmt::{self, Display};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::{env, process, thread};

use rustix::io::Errno;
use rustix::process::getuid;
use socket2::{Domain, SockAddr, Socket, Type};

/// The longest path of a Unix socket, in bytes: `sun_path`, less the NUL that ends it. unix(7)
pub const LONGEST: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// A name that is ours to bind.
///
/// A lock file beside it, `NAME.lock`, tells the course's other programs: the kernel releases
/// the lock when its owner ends, even by kill -9. Dropping the claim removes both files.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    lock_path: PathBuf,
    /// Open as long as the claim is held: closing it unlocks.
    _lock: File,
    /// Which file bind made, so that no other file is ever removed.
    socket: Option<FileId>,
}

impl Claim {
    /// Claims a path: afterwards there is no file of that name, and bind succeeds. A socket that a dead server left
    /// is removed.
    ///
    /// # Errors
    /// [`NameError`]; a file at the path is left alone.
    pub fn new(path: &Path) -> Result<Claim, NameError> {
        check_length(path)?;
        let mut lock_path = OsString::from(path);
        lock_path.push(".lock");
        let lock_path = PathBuf::from(lock_path);
        let lock = lock(&lock_path)?;
        let claim = Claim { path: path.into(), lock_path, _lock: lock, socket: None };
        remove_stale(path)?;
        Ok(claim)
    }

    /// Call it right after bind, before listen: it makes the socket's file private to this user (mode
    /// 0600), and dropping the claim will then remove it.
    ///
    /// A umask would apply to all threads at once, so this changes the mode. A stream accepts nobody before
    /// listen, so there is no gap; for datagrams the private directory closes it.
    ///
    /// # Errors
    /// When the file isn't there, or we may not change it.
    pub fn keep(&mut self) -> io::Result<()> {
        fs::set_permissions(&self.path, Permissions::from_mode(0o600))?;
        self.socket = Some(FileId::of(&fs::symlink_metadata(&self.path)?));
        Ok(())
    }

    /// Once this program is told to end, removes the socket's file and ends it with this exit code.
    ///
    /// # Errors
    /// No descriptor or thread left.
    pub fn remove_when_told(&self, code: i32) -> io::Result<()> {
        let (path, socket, lock_path) = (self.path.clone(), self.socket, self.lock_path.clone());
        let mut told = ending::told()?;
        thread::Builder::new().spawn(move || {
            if told.read_exact(&mut [0]).is_ok() {
                remove(&path, socket, &lock_path);
                process::exit(code);
            }
        })?;
        Ok(())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        remove(&self.path, self.socket, &self.lock_path);
    }
}

/// If this fails, there is nobody left to tell, and the next claim copes with what is there.
fn remove(path: &Path, socket: Option<FileId>, lock_path: &Path) {
    if socket.is_some_and(|socket| socket.is_at(path)) {
        let _ = fs::remove_file(path);
    }
    // Last, because the name is ours as long as the lock is there. A lock file with something in it stays.
    if fs::symlink_metadata(lock_path).is_ok_and(|file| file.is_file() && file.len() == 0) {
        let _ = fs::remove_file(lock_path);
    }
}

fn lock(path: &Path) -> Result<File, NameError> {
    loop {
        // Read and write: opening only for writing would wait for a reader, if somebody left a FIFO here.
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path);
        let file = file.map_err(|error| match error.kind() {
            ErrorKind::NotFound => NameError::NoDirectory(path.with_file_name("")),
            _ => NameError::System(error),
        })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(NameError::Taken),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // The previous owner of the lock removed the file. If that was between our open and our lock, we
        // hold a file that nobody else will find.
        if FileId::of(&file.metadata()?).is_at(path) {
            return Ok(file);
        }
    }
}

/// Removes a socket that nobody has open, and nothing else.
fn remove_stale(path: &Path) -> Result<(), NameError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
        Ok(file) if !file.file_type().is_socket() => return Err(NameError::NotASocket),
        Ok(_) => {}
    }
    // A datagram socket knocks, whatever kind is there: the kernel looks for an owner first, and
    // only then at the kind, so a stream server doesn't get a stray connection.
    let probe = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
    match probe.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(fs::remove_file(path)?),
        // Connected, or refused for another reason, such as the wrong kind: somebody has it open.
        _ => Err(NameError::Taken),
    }
}

/// The address of a path.
///
/// # Errors
/// [`NameError::TooLong`].
pub fn address(path: &Path) -> Result<SockAddr, NameError> {
    check_length(path)?;
    Ok(SockAddr::unix(path)?)
}

fn check_length(path: &Path) -> Result<(), NameError> {
    match path.as_os_str().len() {
        ..=LONGEST => Ok(()),
        length => Err(NameError::TooLong(length)),
    }
}

/// The default path: in a directory that only this user can enter.
///
/// # Errors
/// [`NameError::Exposed`] when the directory exists and others made it or can enter it.
pub fn default_path() -> Result<PathBuf, NameError> {
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let directory = match runtime.filter(|path| path.is_absolute() && path.is_dir()) {
        Some(runtime) => runtime.join("unstuck"),
        None => env::temp_dir().join(format!("unstuck-{}", getuid().as_raw())),
    };
    private_directory(&directory)?;
    Ok(directory.join("af-unix.sock"))
}

fn private_directory(path: &Path) -> Result<(), NameError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    // Checked even if we have just made it. A link isn't followed: everybody can write to the temporary
    // directory, and a link there may lead anywhere.
    let found = fs::symlink_metadata(path)?;
    match found.is_dir() && found.uid() == getuid().as_raw() && found.mode() & 0o077 == 0 {
        true => Ok(()),
        false => Err(NameError::Exposed(path.into())),
    }
}

/// A file, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    fn of(file: &fs::Metadata) -> FileId {
        FileId { device: file.dev(), inode: file.ino() }
    }

    fn is_at(self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|there| FileId::of(&there) == self)
    }
}

/// Why we can't have a name, or can't reach anybody by it.
#[derive(Debug)]
pub enum NameError {
    /// Another program has it.
    Taken,
    /// Something else has this name, and it is left alone.
    NotASocket,
    /// The path has this many bytes, more than [`LONGEST`].
    TooLong(usize),
    /// The directory for it does not exist.
    NoDirectory(PathBuf),
    /// The private directory is not private.
    Exposed(PathBuf),
    /// The socket of that name is of another kind.
    OtherKind,
    /// This system has no sockets of that kind.
    NoSuchKind,
    /// What the system said.
    System(io::Error),
}

impl Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken => {
                f.write_str("another program has this name: end it, or take another path")
            }
            Self::NotASocket => f.write_str(
                "there is a file that isn't a socket, and it stays as it is; \
                 take another path",
            ),
            Self::TooLong(length) => write!(
                f,
                "the path has {length} bytes, and a socket's has at most {LONGEST} on this system; \
                 take a shorter path"
            ),
            Self::NoDirectory(path) => write!(f, "there is no directory {}", path.display()),
            Self::Exposed(path) => write!(
                f,
                "{} should be a directory of this user and closed to others (mode 0700): \
                 remove it, or take another place with --path",
                path.display()
            ),
            Self::OtherKind => f.write_str(
                "the socket there is of another kind: use the same --kind on both sides",
            ),
            Self::NoSuchKind => {
                f.write_str("seqpacket sockets are only on Linux: take --kind stream or datagram")
            }
            Self::System(error) => write!(f, "{error}"),
        }
    }
}

impl Error for NameError {}

impl From<io::Error> for NameError {
    fn from(error: io::Error) -> NameError {
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::PROTOTYPE) => NameError::OtherKind,
            _ => NameError::System(error),
        }
    }
}

impl From<NameError> for io::Error {
    fn from(error: NameError) -> io::Error {
        match error {
            NameError::System(error) => error,
            error => io::Error::other(error),
        }
    }
}
