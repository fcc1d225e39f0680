//! Copies real code and real output into the pages, so that no page shows something that no program does.
//!
//! A line `<!-- from: PATH#NAME -->` directly above a fenced block says where the block comes from: the lines between
//! `ANCHOR: NAME` and `ANCHOR_END: NAME` of that file, each alone in a comment (`//`, `#` or `<!-- -->`); or else the
//! function, type or constant of that name, with the comment above it. Without `#NAME` it is the whole file.
//!
//! Between a line `<!-- quiz: NAME -->` and the next line `<!-- end of quiz -->` goes the prediction of the experiment of that
//! name, as a quiz.
//!
//! The pages are README.md, crates/*/README.md and everything under docs/src.
//!
//! ```text
//! $ cargo run -q --bin sync-docs               rewrites the blocks that differ
//! $ cargo run -q --bin sync-docs -- --check    changes nothing, and fails if one differs
//! ```

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fmt, fs};

use clap::Parser;

mod page;
mod quiz;

/// Copies real code and real output into the pages.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Change nothing; fail if a block differs from its source
    #[arg(long)]
    check: bool,
    /// The root of the repository
    #[arg(long, value_name = "DIR", default_value = ".")]
    root: PathBuf,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // There is no one left to tell when stderr is closed too.
            let _ = writeln!(io::stderr(), "sync-docs: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Goes through every page; false if a mark is wrong, or if a block is stale and `--check` says not to rewrite it.
fn run(args: &Args) -> Result<bool, Failure> {
    let mut good = true;
    for path in pages(&args.root)? {
        let text = fs::read_to_string(&path).map_err(Failure::at(&path))?;
        let page = page::sync(&args.root, &text);
        let shown = path.strip_prefix(&args.root).unwrap_or(&path).display();
        for (line, problem) in &page.problems {
            writeln!(io::stderr(), "{shown}:{line}: {problem}")?;
            good = false;
        }
        for (line, source) in &page.stale {
            if args.check {
                writeln!(io::stderr(), "{shown}:{line}: differs from {source}: run sync-docs")?;
                good = false;
            } else {
                writeln!(io::stdout(), "{shown}:{line}: now as {source}")?;
            }
        }
        if !args.check && !page.stale.is_empty() {
            fs::write(&path, page.text).map_err(Failure::at(&path))?;
        }
    }
    Ok(good)
}

/// The Markdown files whose blocks are kept in step, sorted.
fn pages(root: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut pages = vec![root.join("README.md")];
    for package in entries(&root.join("crates"))? {
        pages.push(package.join("README.md"));
    }
    let mut folders = vec![root.join("docs/src")];
    while let Some(folder) = folders.pop() {
        for entry in entries(&folder)? {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "md") {
                pages.push(entry);
            }
        }
    }
    pages.retain(|page| page.exists());
    pages.sort();
    if pages.is_empty() {
        return Err(Failure::NoPages(root.to_owned()));
    }
    Ok(pages)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let at = Failure::at(folder);
    let entries = fs::read_dir(folder).and_then(|all| all.map(|one| Ok(one?.path())).collect());
    entries.map_err(at)
}

/// What ends the work before every page has been checked.
enum Failure {
    NoPages(PathBuf),
    File(PathBuf, io::Error),
    Report(io::Error),
}

impl Failure {
    fn at(path: &Path) -> impl FnOnce(io::Error) -> Failure {
        let path = path.to_owned();
        |error| Failure::File(path, error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Report(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NoPages(root) => {
                let root = root.display();
                write!(f, "no pages under {root}: run it in the root of the repository")
            }
            Failure::File(path, error) => write!(f, "{}: {error}", path.display()),
            Failure::Report(error) => write!(f, "cannot say what was done: {error}"),
        }
    }
}
