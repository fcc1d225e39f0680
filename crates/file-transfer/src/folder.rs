//! Where files arrive: NAME.part while they come, NAME when they are whole.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use observe::Failure;
use rustix::fs::OFlags;

use crate::{Offer, Progress, check_name, checksum_of, refused};

/// The folder that files are put into.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    max_size: u64,
    /// Open as long as the server runs: it holds the lock.
    _lock: File,
}

/// Where files go, and which: a server's options.
#[derive(Debug, clap::Args)]
pub struct FolderArgs {
    /// Where the files go; made if it isn't there
    #[arg(long, value_name = "DIR", default_value = "received")]
    folder: PathBuf,
    /// The longest file that is taken, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
    max_size: u64,
}

impl FolderArgs {
    /// Makes the folder, if it isn't there, and locks it.
    ///
    /// Two servers would write into the same NAME.part. The kernel unlocks it when the server ends, however it ends.
    ///
    /// # Errors
    /// When it can't be made, or another server has it.
    pub fn open(&self) -> Result<Folder, Failure> {
        let path = self.folder.clone();
        let lock = make_and_lock(&path);
        let lock = lock.map_err(Failure::system("opening the folder for the files"))?;
        Ok(Folder { path, max_size: self.max_size, _lock: lock })
    }
}

/// A file on its way.
#[derive(Debug)]
pub struct Incoming {
    offer: Offer,
    part: PathBuf,
    whole: PathBuf,
    /// `None` if the whole file was there already.
    file: Option<File>,
    progress: Progress,
    /// How many bytes of it are there.
    pub offset: u64,
}

impl Folder {
    /// Opens what is there of this file, and finds out how much that is.
    ///
    /// # Errors
    /// `InvalidData` if it isn't taken; or what the disk says.
    pub fn begin(&self, offer: Offer) -> io::Result<Incoming> {
        check_name(&offer.name).map_err(|why| refused(format!("{:?}: {why}", offer.name)))?;
        if offer.size > self.max_size {
            let [size, most] = [offer.size, self.max_size];
            return Err(refused(format!("{size} bytes are too many: at most {most} are taken")));
        }
        let whole = self.path.join(&offer.name);
        let part = self.path.join(format!("{}.part", offer.name));
        let progress = Progress::new(&format!("receiving {}", offer.name), offer.size);
        // Not `exists`: a link that leads nowhere has the name, too.
        if whole.symlink_metadata().is_ok() {
            check_the_same(&offer, &whole)?;
            let offset = offer.size;
            return Ok(Incoming { offer, part, whole, file: None, progress, offset });
        }
        let file = open(OpenOptions::new().read(true).write(true).create(true), &part)
            .map_err(|why| io::Error::new(why.kind(), format!("{:?}: {why}", offer.name)))?;
        let mut offset = file.metadata()?.len();
        // More than the file has can't be its beginning.
        if offset > offer.size {
            file.set_len(0)?;
            offset = 0;
        }
        (&file).seek(io::SeekFrom::Start(offset))?;
        Ok(Incoming { offer, part, whole, file: Some(file), progress, offset })
    }
}

fn make_and_lock(path: &Path) -> io::Result<File> {
    fs::create_dir_all(path)?;
    let lock = File::open(path)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::Error(error)) => Err(error),
        Err(TryLockError::WouldBlock) => {
            let path = path.display();
            Err(io::Error::other(format!("another server has {path}; --folder takes another one")))
        }
    }
}

/// The client may not know that all went well the last time: the answer can get lost, too. Another file isn't replaced.
fn check_the_same(offer: &Offer, whole: &Path) -> io::Result<()> {
    let other = || refused(format!("there is another file called {:?}", offer.name));
    let file = open(OpenOptions::new().read(true), whole).map_err(|_| other())?;
    // The length is known at once; the checksum takes a while.
    if file.metadata()?.len() != offer.size {
        return Err(other());
    }
    let progress = Progress::new(&format!("checking {}", offer.name), offer.size);
    let (_, sha256) = checksum_of(file, progress)?;
    if sha256 == offer.sha256 { Ok(()) } else { Err(other()) }
}

/// Opens a regular file, and nothing else: a link leads out of the folder, and at a pipe the server would wait.
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = options.custom_flags(flags).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(refused("what has its place isn't a regular file")),
    }
}

impl Incoming {
    /// How many bytes are missing.
    pub fn missing(&self) -> u64 {
        self.offer.size.saturating_sub(self.offset)
    }

    /// How much has come, when no more does.
    pub fn so_far(&self) -> String {
        let Offer { name, size, .. } = &self.offer;
        format!("{name}: {} of {size} bytes came, and are kept", self.offset)
    }

    /// Stores the bytes that come next.
    ///
    /// # Errors
    /// A full disk, for example. What is stored stays for the next try.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
        }
        self.offset += bytes.len() as u64;
        self.progress.show(self.offset);
        Ok(())
    }

    /// All bytes have come. If they are the right ones, the file gets its name; otherwise what came is deleted, because
    /// nobody knows which byte is wrong.
    ///
    /// # Errors
    /// `InvalidData` if the checksum is another one, or if the name is taken by now; or what the disk says.
    pub fn finish(self) -> io::Result<Offer> {
        let Incoming { offer, part, whole, file: Some(mut file), .. } = self else {
            return Ok(self.offer);
        };
        // Of what is in the file now, whoever wrote it: not of what was received.
        file.rewind()?;
        let progress = Progress::new(&format!("checking {}", offer.name), offer.size);
        let (_, came) = checksum_of(&file, progress)?;
        if came != offer.sha256 {
            fs::remove_file(&part)?;
            let expected = &offer.sha256;
            return Err(refused(format!(
                "expected sha256 {expected}, got {came}: what came is deleted, send it again"
            )));
        }
        // First the bytes, then the name: after a power cut there must be no NAME without them.
        file.sync_all()?;
        // A file of that name that was made meanwhile isn't replaced: `hard_link` fails, where `rename` would not.
        fs::hard_link(&part, &whole).map_err(|why| match why.kind() {
            io::ErrorKind::AlreadyExists => {
                refused(format!("there is another file called {:?} by now", offer.name))
            }
            _ => why,
        })?;
        fs::remove_file(&part)?;
        Ok(offer)
    }
}
