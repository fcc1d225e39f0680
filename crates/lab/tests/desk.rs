//! Everything a student does with `lab`, in a folder of its own.

#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test may fail it")]

use std::env;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use lab::labs::{self, LABS};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use stage::Scratch;

#[test]
fn two_commands_to_the_first_failure_and_a_third_to_the_first_pass() {
    let Some(_) = stage::python() else { return };
    let desk = Desk::new();
    let started = desk.lab("start echo my-echo", 0);
    assert!(started.contains("next:  scripts/lab.sh check my-echo"), "{started}");
    assert!(started.contains("then:  scripts/lab.sh hint echo"), "{started}");

    let checked = desk.lab("check my-echo", 1);
    for part in ["✗ cut-everywhere", "One recv returns what has arrived", "--case cut-everywhere"]
    {
        assert!(checked.contains(part), "no {part:?} in:\n{checked}");
    }

    let solution = labs::find("echo").unwrap().texts.solution_python;
    fs::write(desk.path("my-echo/echo.py"), solution).unwrap();
    let checked = desk.lab("check my-echo", 0);
    assert!(!checked.contains('✗'), "{checked}");
}

/// docs/src/labs/index.md shows this failure.
#[test]
fn a_failure_is_explained_as_the_page_shows_it() {
    let Some(_) = stage::python() else { return };
    let desk = Desk::new();
    desk.lab("start echo my-echo", 0);
    let said = desk.lab("check my-echo --case cut-everywhere", 1);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/failure.txt");
    if env::var_os("REWRITE").is_some() {
        fs::write(golden, said).unwrap();
    } else {
        let shown = fs::read_to_string(golden).unwrap();
        assert_eq!(said, shown, "REWRITE=1 writes tests/failure.txt anew; then run sync-docs");
    }
}

#[test]
fn the_bytes_of_a_failure_can_be_drawn() {
    let Some(_) = stage::python() else { return };
    let desk = Desk::new();
    desk.lab("start echo my-echo", 0);
    let said = desk.lab("check my-echo --case cut-everywhere --picture bytes.svg", 1);
    assert!(said.contains("drew cut-everywhere: bytes.svg"), "{said}");
    let svg = fs::read_to_string(desk.path("bytes.svg")).unwrap();
    let picture = roxmltree::Document::parse(&svg).unwrap();
    let texts: String = picture.descendants().filter_map(|node| node.text()).collect();
    for part in ["the peer to the program", "network", "the program to the peer", "1 of 40"] {
        assert!(texts.contains(part), "no {part:?} in:\n{texts}");
    }
    // With strace, there is also what the program itself received: one recv of one byte.
    let has_strace = stage::has_strace();
    let says = "recv 1: the first of 40 bytes of message 1";
    assert_eq!(texts.contains(says), has_strace, "{texts}");
    let said = desk.lab("check my-echo --case hello --picture none.svg", 0);
    assert!(
        said.contains("no case failed, so there is nothing to draw: none.svg was not written"),
        "{said}"
    );
    assert!(!desk.path("none.svg").exists());
}

/// Then the picture shows the failure that the report is about, without the program's calls.
#[test]
fn a_program_that_does_something_else_under_strace_is_drawn_without_it() {
    let Some(_) = stage::python() else { return };
    if !stage::has_strace() {
        return stage::skip("UNSTUCK_REQUIRE_STRACE", "no strace, or it may not watch programs");
    }
    let desk = Desk::new();
    desk.lab("start echo my-echo", 0);
    let starter = fs::read_to_string(desk.path("my-echo/echo.py")).unwrap();
    let shy = "import sys\nif 'TracerPid:\\t0\\n' not in open('/proc/self/status').read():\n    sys.exit(3)\n";
    fs::write(desk.path("my-echo/echo.py"), shy.to_owned() + &starter).unwrap();
    let said = desk.lab("check my-echo --case cut-everywhere --picture bytes.svg", 1);
    let says = "drawn without your program's calls: under strace, the program behaved differently";
    assert!(said.contains(says), "{said}");
    assert!(said.contains("drew cut-everywhere: bytes.svg"), "{said}");
    let svg = fs::read_to_string(desk.path("bytes.svg")).unwrap();
    assert!(svg.contains("the program to the peer") && svg.contains("1 of 40"), "{svg}");
}

#[test]
fn a_starter_of_every_lab_can_be_begun_in_both_languages() {
    let desk = Desk::new();
    for lab in LABS {
        let name = lab.name;
        desk.lab(&format!("start {name} py-{name}"), 0);
        let file = format!("py-{name}/{}.py", name.replace('-', "_"));
        let begun = |text: &str, folder: &str| {
            let check = format!("Check it:  scripts/lab.sh check {folder}\n");
            assert!(text.contains("Check it:  scripts/lab.sh check DIR\n"), "{name}: {text}");
            text.replace("Check it:  scripts/lab.sh check DIR\n", &check)
        };
        let python = fs::read_to_string(desk.path(&file)).unwrap();
        assert_eq!(python, begun(lab.texts.starter_python, &format!("py-{name}")));
        desk.lab(&format!("start {name} rs-{name} --lang rust"), 0);
        let main = fs::read_to_string(desk.path(&format!("rs-{name}/src/main.rs"))).unwrap();
        assert_eq!(main, begun(lab.texts.starter_rust, &format!("rs-{name}")));
        for folder in [format!("py-{name}"), format!("rs-{name}")] {
            let (meant, _) = lab::Submission::read(&desk.path(&folder)).unwrap();
            assert_eq!(meant.name, name);
        }
    }
}

/// Building one with cargo is enough: every starter is compiled as an example of this package.
#[test]
fn a_rust_starter_is_a_package_of_its_own_that_builds_without_a_warning() {
    let desk = Desk::new();
    let lab = LABS.iter().find(|lab| !lab.texts.modules.is_empty()).unwrap_or(&LABS[0]);
    desk.lab(&format!("start {} mine --lang rust", lab.name), 0);
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--offline", "--target-dir", "target"]);
    let built = cargo.current_dir(desk.path("mine")).output().unwrap();
    let said = String::from_utf8_lossy(&built.stderr).into_owned();
    assert!(built.status.success() && said.is_empty(), "{said}");
    let (_, submission) = lab::Submission::read(&desk.path("mine")).unwrap();
    assert!(desk.path("mine").join(&submission.command[0]).is_file(), "{submission:?}");
}

#[test]
fn start_overwrites_nothing() {
    let desk = Desk::new();
    fs::create_dir(desk.path("mine")).unwrap();
    fs::write(desk.path("mine/notes.txt"), "notes").unwrap();
    desk.lab("start echo mine", 0);
    fs::write(desk.path("mine/echo.py"), "my work").unwrap();
    let said = desk.lab("start echo mine", 2);
    assert!(said.contains("already there: mine/echo.py, mine/lab.toml."), "{said}");
    let said = desk.lab("start echo mine --lang rust", 2);
    assert!(said.contains("already there: mine/lab.toml."), "{said}");
    // Nothing was written next to the file that was in the way.
    assert!(!desk.path("mine/Cargo.toml").exists());
    assert_eq!(fs::read_to_string(desk.path("mine/echo.py")).unwrap(), "my work");

    fs::create_dir(desk.path("linked")).unwrap();
    symlink("nowhere", desk.path("linked/echo.py")).unwrap();
    let said = desk.lab("start echo linked", 2);
    assert!(said.contains("already there: linked/echo.py."), "{said}");
}

#[test]
fn an_unknown_lab_is_answered_with_all_labs_and_the_nearest() {
    let desk = Desk::new();
    for command in ["start ehco there", "hint ehco", "solution ehco"] {
        let said = desk.lab(command, 2);
        assert!(said.contains("a similar value exists: 'echo'"), "{said}");
        for lab in LABS {
            assert!(said.contains(lab.name), "no {} in: {said}", lab.name);
        }
    }
}

#[test]
fn what_is_no_folder_is_answered_with_those_there_are() {
    let desk = Desk::new();
    desk.lab("start echo mine", 0);
    let said = desk.lab("check mien", 2);
    assert!(said.contains("Here you have: mine\n") && said.contains("labs are: echo, "), "{said}");
    for command in ["check mine/echo.py", "check mine/lab.toml"] {
        let said = desk.lab(command, 2);
        assert!(
            said.ends_with("is a file. Name the folder it is in:\n  scripts/lab.sh check mine\n"),
            "{said}"
        );
    }
}

#[test]
fn a_folder_with_a_space_is_quoted_where_it_is_to_be_typed() {
    let desk = Desk::new();
    let mut lab = Command::new(env!("CARGO_BIN_EXE_lab"));
    let said = lab.args(["start", "echo", "my echo"]).current_dir(desk.0.path()).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("next:  scripts/lab.sh check 'my echo'"), "{said}");
    let begun = fs::read_to_string(desk.path("my echo/echo.py")).unwrap();
    assert!(begun.contains("Check it:  scripts/lab.sh check 'my echo'\n"), "{begun}");
}

/// As wide as the narrowest common terminal. What a program printed and commands to copy may be wider.
#[test]
fn what_is_said_fits_into_80_columns() {
    let Some(_) = stage::python() else { return };
    let desk = Desk::new();
    let start = "start byte-order mine";
    for (command, code) in [
        ("list", 0),
        (start, 0),
        ("check mine", 1),
        ("check mine --all", 1),
        ("hint shell", 0),
        ("check x", 2),
    ] {
        let said = desk.lab(command, code);
        let ours = |line: &&str| {
            let others = ["this case only: ", "    stdout: ", "    stderr: "];
            !others.iter().any(|other| line.contains(other))
        };
        for line in said.lines().filter(ours) {
            assert!(line.chars().count() <= 80, "lab {command}: {line}");
        }
    }
}

#[test]
fn hints_come_one_at_a_time_and_lead_to_the_page() {
    let desk = Desk::new();
    for number in 1..=3 {
        let said = desk.lab("hint echo", 0);
        assert!(said.starts_with(&format!("hint {number} of 3:\n")), "{said}");
        assert_eq!(said.matches("hint ").count(), 1, "{said}");
    }
    let said = desk.lab("hint echo", 0);
    assert!(said.contains("There are no more hints."), "{said}");
    assert!(said.contains("docs/src/labs/echo.md") && said.contains("solution echo --spoil"));
    let listed = desk.lab("list", 0);
    assert!(listed.contains("… echo"), "{listed}");
}

#[test]
fn a_solution_is_shown_after_a_pass_or_when_asked_twice() {
    let desk = Desk::new();
    let texts = &labs::find("echo").unwrap().texts;
    let said = desk.lab("solution echo", 1);
    assert!(said.contains("--spoil") && said.contains("hint echo"), "{said}");
    assert_eq!(desk.lab("solution echo --spoil", 0), texts.solution_python);
    desk.reached("[echo]\nbest = 999\n");
    assert_eq!(desk.lab("solution echo --lang rust", 0), texts.solution_rust);
}

#[test]
fn a_check_is_kept_and_one_of_a_single_case_is_not() {
    let Some(_) = stage::python() else { return };
    let desk = Desk::new();
    desk.lab("start echo mine", 0);
    desk.lab("check mine --case hello", 0);
    assert!(!desk.path("lab-progress.toml").exists());
    desk.lab("check mine", 1);
    let kept = fs::read_to_string(desk.path("lab-progress.toml")).unwrap();
    assert!(kept.contains("\n[echo]\n") && kept.contains("\nattempts = 1\n"), "{kept}");
    // From a folder further down, the same file is found.
    let below = Command::new(env!("CARGO_BIN_EXE_lab"))
        .arg("report")
        .current_dir(desk.path("mine"))
        .output()
        .unwrap();
    let report = String::from_utf8(below.stdout).unwrap();
    let line = report.lines().find(|line| line.starts_with("  last")).unwrap();
    assert!(line.contains(" UTC; ") && line.ends_with(" failed"), "{report}");
    assert!(report.contains("\n  attempts  1\n"), "{report}");
}

#[test]
fn list_and_report_sum_up_what_was_reached() {
    let desk = Desk::new();
    let listed = desk.lab("list", 0);
    assert!(listed.contains("begin:  scripts/lab.sh start echo my-echo"), "{listed}");
    desk.reached("[echo]\nbest = 999\nlast = 1\nattempts = 7\nhints = 2\n");
    let listed = desk.lab("list", 0);
    assert!(listed.contains("\n✓ echo "), "{listed}");
    let report = desk.lab("report", 0);
    assert!(report.contains(", passed\n") && report.contains("  attempts  7\n"), "{report}");
    assert!(report.trim_end().ends_with(&format!("1 of {} labs passed", LABS.len())), "{report}");
}

#[test]
fn damaged_progress_is_set_aside_and_said() {
    let desk = Desk::new();
    desk.reached("[echo\n");
    let said = desk.lab("list", 0);
    assert!(
        said.contains("set aside as") && said.contains("lab-progress.damaged-1.toml"),
        "{said}"
    );
    let kept = fs::read_to_string(desk.path("lab-progress.damaged-1.toml")).unwrap();
    assert_eq!(kept, "[echo\n");
}

#[test]
fn every_command_explains_itself_by_examples() {
    let desk = Desk::new();
    let said = desk.lab("--help", 0);
    let commands = said.lines().filter_map(|line| line.strip_prefix("  "));
    let commands: Vec<&str> = commands
        .take_while(|line| !line.starts_with('-'))
        .filter_map(|line| line.split_once("  "))
        .map(|(name, _)| name)
        .filter(|name| !name.starts_with("scripts/") && *name != "help")
        .collect();
    assert!(commands.len() >= 7, "{commands:?}");
    for name in commands {
        let said = desk.lab(&format!("{name} --help"), 0);
        let example = format!("  scripts/lab.sh {name}");
        assert!(said.contains(&example), "{name} --help has no line {example:?}:\n{said}");
    }
}

#[test]
fn watch_wants_a_terminal() {
    let desk = Desk::new();
    let said = desk.lab("watch echo -- true", 2);
    assert!(said.contains("needs a terminal"), "{said}");
}

#[test]
fn watch_checks_again_after_a_change_and_ends_on_ctrl_c() {
    let Some(_) = stage::python() else { return };
    let desk = Desk::new();
    desk.lab("start echo mine", 0);
    let mut watch = Terminal::open(&desk, &["watch", "mine"]);
    let first = watch.read_until("waiting for a change in mine");
    assert!(first.contains("━ 1 ━") && first.contains('✗'), "{first}");
    // A change to a file that isn't source doesn't count.
    fs::create_dir(desk.path("mine/target")).unwrap();
    fs::write(desk.path("mine/target/built"), "").unwrap();
    let solution = labs::find("echo").unwrap().texts.solution_python;
    fs::write(desk.path("mine/echo.py"), solution).unwrap();
    watch.read_until("━ 2 ━━━━ echo.py changed ━");
    let second = watch.read_until("waiting for a change in mine");
    assert!(!second.contains('✗'), "{second}");
    assert_eq!(watch.interrupt(), 130);
}

#[test]
fn ctrl_c_within_a_check_leaves_no_program_behind() {
    let Some(_) = stage::python() else { return };
    let desk = Desk::new();
    desk.lab("start echo mine", 0);
    // It listens, and ignores everything else.
    let deaf = "import os, signal, socket, sys\n\
        signal.signal(signal.SIGTERM, signal.SIG_IGN)\n\
        host, port = sys.argv[-1].rsplit(':', 1)\n\
        listener = socket.create_server((host, int(port)))\n\
        open(f'.{os.getpid()}', 'w').close()\n\
        print('listening on', sys.argv[-1], flush=True)\n\
        while True: signal.pause()\n";
    fs::write(desk.path("mine/echo.py"), deaf).unwrap();
    let mut watch = Terminal::open(&desk, &["watch", "mine"]);
    watch.read_until("━ 1 ━");
    // Some of its programs are running now, one for each case.
    let started = wait_for("a program", || desk.marks().first().copied());
    assert_eq!(watch.interrupt(), 130);
    for pid in desk.marks().into_iter().chain([started]) {
        let gone = || test_kill_process(Pid::from_raw(pid).unwrap()).is_err().then_some(());
        wait_for(&format!("the end of {pid}"), gone);
    }
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} never came");
        sleep(Duration::from_millis(10));
    }
}

/// A student's folder.
struct Desk(Scratch);

impl Desk {
    fn new() -> Desk {
        Desk(Scratch::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `lab` with these words, and returns what it said.
    fn lab(&self, words: &str, code: i32) -> String {
        let mut lab = Command::new(env!("CARGO_BIN_EXE_lab"));
        lab.args(words.split(' '))
            .env_remove("COLUMNS")
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        let Output { status, stdout, stderr } = lab.output().unwrap();
        let said = String::from_utf8([stdout, stderr].concat()).unwrap();
        assert_eq!(status.code(), Some(code), "lab {words}:\n{said}");
        said
    }

    fn reached(&self, text: &str) {
        fs::write(self.path("lab-progress.toml"), text).unwrap();
    }

    /// The process ids that programs have recorded as the names of hidden files.
    fn marks(&self) -> Vec<i32> {
        let entries = fs::read_dir(self.path("mine")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter_map(|name| name.strip_prefix('.')?.parse().ok()).collect()
    }
}

/// `lab` with its output on a terminal, in a process group of its own, the way a shell starts it.
struct Terminal {
    ours: File,
    lab: Child,
    seen: String,
}

impl Terminal {
    fn open(desk: &Desk, words: &[&str]) -> Terminal {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        fcntl_setfd(&ours, FdFlags::CLOEXEC).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        let mut lab = Command::new(env!("CARGO_BIN_EXE_lab"));
        lab.args(words).current_dir(desk.0.path()).process_group(0);
        lab.stdin(Stdio::null()).stdout(theirs.try_clone().unwrap()).stderr(theirs);
        Terminal { ours: ours.into(), lab: lab.spawn().unwrap(), seen: String::new() }
    }

    /// Returns everything up to this text, and forgets it.
    fn read_until(&mut self, text: &str) -> String {
        let mut bytes = std::mem::take(&mut self.seen).into_bytes();
        loop {
            let seen = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((before, after)) = seen.split_once(text) {
                self.seen = after.to_owned();
                return before.to_owned();
            }
            let limit = Timespec { tv_sec: 30, tv_nsec: 0 };
            let ready = poll(&mut [PollFd::new(&self.ours, PollFlags::IN)], Some(&limit));
            assert_eq!(ready, Ok(1), "{text:?} never came; what came was {seen}");
            let mut buffer = [0; 4096];
            let got = self.ours.read(&mut buffer).unwrap_or_else(|error| panic!("{error}: {seen}"));
            bytes.extend_from_slice(&buffer[..got]);
        }
    }

    /// Does what the terminal does on Ctrl-C, and returns the exit code.
    fn interrupt(&mut self) -> i32 {
        kill_process_group(Pid::from_child(&self.lab), Signal::INT).unwrap();
        let ended = || self.lab.try_wait().unwrap();
        wait_for("the end of lab", ended).code().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // After a failed test it may still be watching.
        let _ = self.lab.kill();
        let _ = self.lab.wait();
    }
}
