//! `lab start`: a folder with a program that builds, runs, and fails.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use lab::labs::Lab;
use lab::shown_name;
use stage::shell_quote_path;

use crate::{which, wrap};

#[derive(Args)]
#[command(after_help = "Examples:
  scripts/lab.sh start echo my-echo               in Python
  scripts/lab.sh start echo my-echo --lang rust
  scripts/lab.sh check my-echo                    then: it fails, and says why

It overwrites nothing. For another language, put your program into a folder, with a file lab.toml beside it:
  lab = \"echo\"
  command = [\"node\", \"echo.js\"]")]
pub struct Start {
    /// The lab
    #[arg(value_parser = which::lab())]
    lab: &'static Lab,
    /// The folder; it is created if it doesn't exist
    dir: PathBuf,
    /// The language
    #[arg(long, value_enum, default_value_t = Language::Python)]
    lang: Language,
}

/// What the files of a lab say, because they don't know which folder they will end up in.
const CHECK: &str = "scripts/lab.sh check DIR\n";

/// A language in which there are starters and solutions.
#[derive(Clone, Copy, ValueEnum)]
pub enum Language {
    /// Python 3, with its standard library
    Python,
    /// Rust, with its standard library
    Rust,
}

impl Start {
    pub fn run(self) -> io::Result<ExitCode> {
        let files = match self.lang {
            Language::Python => python(self.lab),
            Language::Rust => rust(self.lab),
        };
        let dir = shell_quote_path(&self.dir);
        let paths: Vec<PathBuf> = files.iter().map(|(name, _)| self.dir.join(name)).collect();
        // A link to nothing is in the way, too.
        let there: Vec<String> =
            paths.iter().filter(|path| path.symlink_metadata().is_ok()).map(shown_name).collect();
        if !there.is_empty() {
            let there = there.join(", ");
            writeln!(
                io::stderr(),
                "lab: already there: {there}. Nothing was written.\nName another folder, or carry on with this one: \
                 scripts/lab.sh check {dir}"
            )?;
            return Ok(ExitCode::from(2));
        }
        for (path, (_, text)) in paths.iter().zip(&files) {
            // Its first lines say how to check it, unless the folder's name would end a comment or a string.
            let strange = dir.contains(|c: char| c.is_control() || c == '"' || c == '\\');
            let check = format!("scripts/lab.sh check {dir}\n");
            let text = if strange { (*text).clone() } else { text.replace(CHECK, &check) };
            if let Err(error) = write_new(path, &text) {
                writeln!(io::stderr(), "lab: cannot write {}: {error}", shown_name(path))?;
                return Ok(ExitCode::FAILURE);
            }
        }
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        let name = self.lab.name;
        let mut stdout = io::stdout().lock();
        for line in wrap(&format!("{name}: "), 2, self.lab.task) {
            writeln!(stdout, "{line}")?;
        }
        writeln!(stdout, "in {dir}: {}\n", names.join(", "))?;
        writeln!(stdout, "next:  scripts/lab.sh check {dir}    (it fails, and says why)")?;
        writeln!(stdout, "then:  scripts/lab.sh hint {name}")?;
        writeln!(stdout, "read:  docs/src/labs/{name}.md")?;
        Ok(ExitCode::SUCCESS)
    }
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}

fn python(lab: &Lab) -> Vec<(String, String)> {
    let (name, file) = (lab.name, format!("{}.py", lab.name.replace('-', "_")));
    let manifest = format!("lab = \"{name}\"\ncommand = [\"python3\", \"{file}\"]\n");
    vec![(file, lab.texts.starter_python.to_owned()), ("lab.toml".to_owned(), manifest)]
}

fn rust(lab: &Lab) -> Vec<(String, String)> {
    let name = lab.name;
    let package = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n\
         # A workspace of its own, wherever the folder lies.\n[workspace]\n"
    );
    // Where cargo builds depends on the environment unless we set it, and the command has to name the place.
    let manifest = format!(
        "lab = \"{name}\"\n\
         build = [\"cargo\", \"build\", \"--quiet\", \"--target-dir\", \"target\"]\n\
         command = [\"target/debug/{name}\"]\n"
    );
    let mut files = vec![
        ("src/main.rs".to_owned(), lab.texts.starter_rust.to_owned()),
        ("Cargo.toml".to_owned(), package),
        (".gitignore".to_owned(), "/target\n".to_owned()),
        ("lab.toml".to_owned(), manifest),
    ];
    let modules = lab.texts.modules.iter();
    files.extend(modules.map(|(file, text)| (format!("src/{file}"), (*text).to_owned())));
    files
}
