//! Whatever a folder is called and whatever is in it, each submission is judged, and nothing hangs.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use lab::labs;
use serde_json::Value;
use stage::{Finished, Program, Scratch};

/// Long enough for a busy machine. A program that hangs would take longer still.
const LONG: Duration = Duration::from_secs(60);

fn lab(folder: &Path, words: &[&OsStr]) -> Finished {
    let mut lab = Command::new(env!("CARGO_BIN_EXE_lab"));
    lab.args(words).current_dir(folder);
    Program::start("lab", &mut lab).unwrap().wait(LONG).unwrap()
}

fn words<'a>(words: &[&'a str]) -> Vec<&'a OsStr> {
    words.iter().map(|word| OsStr::new(*word)).collect()
}

/// A submission that gets no points, but is judged.
fn submission(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("lab.toml"), "lab = \"echo\"\ncommand = [\"false\"]\n").unwrap();
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn graded(folder: &Path, words_of_grade: &[&OsStr]) -> Vec<Value> {
    let mut all = words(&["grade", "--format", "json"]);
    all.extend(words_of_grade);
    let finished = lab(folder, &all);
    assert_eq!(finished.code, Some(0), "{}", String::from_utf8_lossy(&finished.stderr));
    let report: Value = serde_json::from_slice(&finished.stdout).unwrap();
    report["submissions"].as_array().unwrap().clone()
}

fn error(submission: &Value) -> &str {
    submission["error"].as_str().unwrap_or("none")
}

#[test]
fn a_submission_is_judged_whatever_its_folder_is_called() {
    let scratch = Scratch::new().unwrap();
    let names: [&[u8]; 9] = [
        b"--format",
        b"-j",
        b"a\nb",
        b"caf\xe8",
        b"caf\xe9",
        b"caf\\xe9",
        b"two words",
        b"$HOME'\"",
        b"echo",
    ];
    for name in names {
        submission(&scratch.path().join("class").join(OsStr::from_bytes(name)));
    }
    let submissions = graded(scratch.path(), &words(&["class", "-j", "2"]));
    let mut shown: Vec<&str> =
        submissions.iter().map(|one| one["name"].as_str().unwrap()).collect();
    for submission in &submissions {
        assert_eq!(error(submission), "none", "{submission}");
        assert_eq!(submission["max_score"], labs::find("echo").unwrap().max_score());
    }
    assert!(shown.contains(&"caf\\xe8") && shown.contains(&"caf\\x5cxe9"), "{shown:?}");
    shown.sort_unstable();
    shown.dedup();
    assert_eq!(shown.len(), names.len(), "two folders have the same name: {shown:?}");
}

#[test]
fn a_folder_that_is_graded_alone_may_look_like_an_option() {
    let scratch = Scratch::new().unwrap();
    for name in [&b"-x"[..], b"--seed", b"-\xff"] {
        let name = OsStr::from_bytes(name);
        submission(&scratch.path().join(name));
        let submissions = graded(scratch.path(), &[OsStr::new("--"), name]);
        assert_eq!((submissions.len(), error(&submissions[0])), (1, "none"));
        // The failures say how to replay a case, in words that a shell reads as this folder.
        let replay = submissions[0]["cases"][0]["failure"]["replay"].as_str().unwrap();
        let script =
            format!("set -- {}; printf %s \"$3\"", replay.split(" --case").next().unwrap());
        let said = Command::new("bash").arg("-c").arg(script).output().unwrap().stdout;
        assert_eq!(said, Path::new(".").join(name).as_os_str().as_bytes(), "{replay}");
    }
}

#[test]
fn a_check_takes_a_folder_whatever_it_is_called() {
    let scratch = Scratch::new().unwrap();
    for name in [&b"caf\xe9"[..], b"a\nb", b"./-x"] {
        let name = OsStr::from_bytes(name);
        submission(&scratch.path().join(name));
        let finished = lab(scratch.path(), &[OsStr::new("check"), name]);
        assert_eq!(finished.code, Some(1), "{}", String::from_utf8_lossy(&finished.stderr));
    }
    let none = lab(scratch.path(), &[OsStr::new("check"), OsStr::from_bytes(b"caf\xe8")]);
    let said = String::from_utf8(none.stderr).unwrap();
    assert!(said.starts_with("lab: there is no folder caf\\xe8, and no lab"), "{said}");
    assert!(said.contains("$'caf\\351'"), "{said}");
}

#[test]
fn a_check_of_a_folder_without_a_lab_file_says_what_there_is_instead() {
    let scratch = Scratch::new().unwrap();
    // A folder may have the same name as a lab.
    for (folder, file, said) in [
        ("mine", "labs.toml", "labs.toml is nearly right: rename it to lab.toml"),
        ("echo", "lab.toml.txt", "lab.toml.txt is nearly right: rename it to lab.toml"),
        ("frames", "frames.zip", "frames.zip is still packed: unpack it"),
        ("all", "echo/lab.toml", "there is one in echo: name or hand in that folder"),
    ] {
        let path = scratch.path().join(folder).join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
        let finished = lab(scratch.path(), &words(&["check", folder]));
        assert_eq!(finished.code, Some(2));
        let expected = format!("lab: there is no {folder}/lab.toml; {said}\n");
        assert_eq!(String::from_utf8(finished.stderr).unwrap(), expected);
    }
    // If the folder holds no submission, the student more likely means the lab.
    fs::create_dir(scratch.path().join("unix")).unwrap();
    let finished = lab(scratch.path(), &words(&["check", "unix"]));
    let said = String::from_utf8(finished.stderr).unwrap();
    assert!(said.starts_with("lab: which program should be checked?"), "{said}");
}

#[test]
fn a_lab_file_that_is_none_is_a_reason_and_is_not_waited_for() {
    let scratch = Scratch::new().unwrap();
    let class = scratch.path().join("class");
    let folder = |name: &str| -> PathBuf {
        fs::create_dir_all(class.join(name)).unwrap();
        class.join(name).join("lab.toml")
    };
    fs::create_dir(folder("a")).unwrap();
    fifo(&folder("b"));
    symlink("/dev/zero", folder("c")).unwrap();
    symlink("nowhere", folder("d")).unwrap();
    fs::write(folder("e"), "#".repeat(70_000)).unwrap();
    let submissions = graded(scratch.path(), &words(&["class"]));
    let reasons: Vec<&str> = submissions.iter().map(error).collect();
    let expected = [
        "it is a folder",
        "it is a FIFO",
        "it is a link",
        "it is a link",
        "it has more than 65536 bytes",
    ];
    let expected: Vec<String> = ("abcde".chars().zip(expected))
        .map(|(name, why)| format!("cannot read class/{name}/lab.toml: {why}"))
        .collect();
    assert_eq!(reasons, expected);
}

/// What each command that reads the progress says, and its exit code, in a folder with this in place of the file.
fn desk(put: impl Fn(&Path), what: &str) {
    let scratch = Scratch::new().unwrap();
    let path = scratch.path().join("lab-progress.toml");
    put(&path);
    let before = fs::symlink_metadata(&path).unwrap();
    submission(&scratch.path().join("mine"));
    for (command, code) in
        [("report", 0), ("list", 0), ("hint echo", 1), ("solution echo", 1), ("check mine", 1)]
    {
        let finished = lab(scratch.path(), &words(&command.split(' ').collect::<Vec<_>>()));
        let said = String::from_utf8(finished.stderr).unwrap();
        let expected = format!("lab-progress.toml isn't your progress file: {what}");
        assert!(said.contains(&expected), "lab {command}: {said}");
        assert!(
            said.contains("remove or rename it, or work in another folder"),
            "lab {command}: {said}"
        );
        assert_eq!(finished.code, Some(code), "lab {command}: {said}");
        assert!(
            !String::from_utf8(finished.stdout).unwrap().contains("999"),
            "lab {command} counts it"
        );
    }
    let after = fs::symlink_metadata(&path).unwrap();
    let known = |found: &fs::Metadata| {
        use std::os::unix::fs::MetadataExt;
        (found.ino(), found.uid(), found.len(), found.mode())
    };
    assert_eq!(known(&after), known(&before), "it was replaced");
}

#[test]
fn progress_that_is_a_fifo_is_not_waited_for() {
    desk(fifo, "it is a FIFO");
}

#[test]
fn progress_that_is_a_link_is_not_followed() {
    let theirs = Scratch::new().unwrap();
    let file = theirs.path().join("theirs");
    fs::write(&file, "[echo]\nbest = 999\n").unwrap();
    desk(|path| symlink(&file, path).unwrap(), "it is a link");
    assert_eq!(fs::read_to_string(&file).unwrap(), "[echo]\nbest = 999\n");
}

#[test]
fn progress_without_end_is_not_read_to_it() {
    desk(|path| fs::write(path, "#".repeat(1 << 20)).unwrap(), "it has more than 65536 bytes");
}

#[test]
fn progress_of_another_user_does_not_count_and_is_not_replaced() {
    if !rustix::process::geteuid().is_root() {
        // Only root can give a file to another user; `progress_file.rs` tests the same with a different number.
        return;
    }
    let give = |path: &Path| {
        fs::write(path, "[echo]\nbest = 999\nlast = 999\nattempts = 1\n").unwrap();
        std::os::unix::fs::chown(path, Some(65_534), None).unwrap();
    };
    desk(give, "it belongs to another user (number 65534)");
}

#[test]
fn a_lock_on_the_folder_does_not_stop_a_look_at_the_progress() {
    let scratch = Scratch::new().unwrap();
    fs::write(scratch.path().join("lab-progress.toml"), "[echo]\nbest = 3\nattempts = 7\n")
        .unwrap();
    let folder = fs::File::open(scratch.path()).unwrap();
    folder.lock().unwrap();
    let mut report = Command::new(env!("CARGO_BIN_EXE_lab"));
    report.arg("report").current_dir(scratch.path()).stdin(Stdio::null());
    let finished = Program::start("lab", &mut report).unwrap().wait(LONG).unwrap();
    assert!(String::from_utf8(finished.stdout).unwrap().contains("  attempts  7\n"));
    drop(folder);
}
