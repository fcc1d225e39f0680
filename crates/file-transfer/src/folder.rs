//! Where files arrive: NAME.part while they come, NAME when they are whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::{Checksum, Offer, Progress, check_name, checksum_of};

/// The folder that files are put into.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    max_size: u64,
}

/// A file on its way.
#[derive(Debug)]
pub struct Incoming {
    offer: Offer,
    part: PathBuf,
    whole: PathBuf,
    /// `None` if the whole file was there already.
    file: Option<File>,
    checksum: Checksum,
    progress: Progress,
    /// How many bytes of it are there.
    pub offset: u64,
}

/// Why a file isn't taken, in words for the client.
pub fn refused(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

impl Folder {
    /// Files of at most `max_size` bytes go into this folder, which is made if it isn't there.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn new(path: &Path, max_size: u64) -> io::Result<Folder> {
        fs::create_dir_all(path)?;
        Ok(Folder { path: path.to_owned(), max_size })
    }

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
        if whole.exists() {
            return already_there(offer, part, whole);
        }
        let options = OpenOptions::new().read(true).write(true).create(true).clone();
        let mut file = options.open(&part).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot store {:?}: {error}", offer.name))
        })?;
        // More than the file has can't be its beginning.
        if file.metadata()?.len() > offer.size {
            file.set_len(0)?;
        }
        // The checksum is that of the whole file, so the bytes of the last time count, too. Now the file stands at its end.
        let mut checksum = Checksum::default();
        let mut progress = Progress::new(format!("checking {}.part", offer.name), offer.size);
        let offset = checksum_of(&mut file, &mut checksum, &mut progress)?;
        let progress = Progress::new(format!("receiving {}", offer.name), offer.size);
        Ok(Incoming { offer, part, whole, file: Some(file), checksum, progress, offset })
    }
}

/// The client may not know that all went well the last time: the answer can get lost, too. Another file isn't replaced.
fn already_there(offer: Offer, part: PathBuf, whole: PathBuf) -> io::Result<Incoming> {
    let (mut file, mut checksum) = (File::open(&whole)?, Checksum::default());
    let mut progress = Progress::new(format!("checking {}", offer.name), offer.size);
    let offset = checksum_of(&mut file, &mut checksum, &mut progress)?;
    match checksum.clone().finish() == offer.sha256 {
        true => Ok(Incoming { offer, part, whole, file: None, checksum, progress, offset }),
        false => Err(refused(format!("there is another file called {:?}", offer.name))),
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
        self.checksum.update(bytes);
        self.offset += bytes.len() as u64;
        self.progress.show(self.offset);
        Ok(())
    }

    /// All bytes have come. If they are the right ones, the file gets its name; otherwise what came is deleted, because
    /// nobody knows which byte is wrong.
    ///
    /// # Errors
    /// `InvalidData` if the checksum is another one; or what the disk says.
    pub fn finish(self) -> io::Result<Offer> {
        let Some(file) = self.file else { return Ok(self.offer) };
        let came = self.checksum.finish();
        if came != self.offer.sha256 {
            fs::remove_file(&self.part)?;
            let expected = &self.offer.sha256;
            return Err(refused(format!(
                "expected sha256 {expected}, got {came}: what came is deleted, send it again"
            )));
        }
        // First the bytes, then the name: after a power cut there must be no NAME without them.
        file.sync_all()?;
        fs::rename(&self.part, &self.whole)?;
        Ok(self.offer)
    }
}
