//! What may be said behind `demo run NAME`, beside the predictions, which the transcripts' test asks for.
//!
//! | option | test |
//! |---|---|
//! | `--json`: one object for each experiment, nothing else | `a_program_gets_one_object_for_each_experiment` |
//! | `--predict` takes letters, says what it expects, goes on without an answer, explains the one it got | `a_prediction_is_asked_until_it_is_one` |
//! | `--picture` saves an image, a page or the calls; what it cannot save is said | `pictures_are_saved` |
//! | the calls that an experiment saves, drawn again | `a_saved_recording_has_every_end_that_was_drawn` |
//! | `--segments` draws the segments and saves the packets, or says why not | `segments_are_drawn_and_saved` |
//! | an option that changes nothing is mentioned | `what_has_no_effect_is_said` |
//! | Ctrl-C: exit 130, and no verdict | `told_to_end_it_does_not_judge` |
//! | what makes no sense | `nonsense_is_refused` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod typed;

use serde_json::Value;
use stage::{Program, Signal, Stream};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;
use timeline::Direction;
use typed::demo;

#[test]
fn a_program_gets_one_object_for_each_experiment() {
    let output = demo("", &["run", "case1", "case2", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let objects: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&Value> = objects.iter().map(|object| &object["experiment"]).collect();
    assert_eq!(names, ["case1", "case2"]);
    for object in &objects {
        assert_eq!(object["verdict"], "as stated");
        assert!(object["claim"].is_string() && object["because"].is_string(), "{object}");
        assert_eq!(object["terminals"].as_array().unwrap().len(), 2, "{object}");
        assert!(object["pictures"][0].as_str().unwrap().starts_with("offset"), "{object}");
        assert!(object["took_ms"].is_u64(), "{object}");
    }
}

#[test]
fn a_prediction_is_asked_until_it_is_one() {
    let said = text(&demo("z\nB\n", &["run", "case1", "--predict"]).stdout);
    assert!(said.contains("expected a letter from a to c, got \"z\""), "{said}");
    let (said, because) = said
        .split_once(
            "you said: info_1: hellohi, info_2: (nothing)\n\
             it was:   info_1: hellohi, info_2: (nothing)  ✓\n\n",
        )
        .unwrap();
    assert_eq!(because, explanation("info_1: hellohi, info_2: (nothing)"));
    // The question does not give the answer away.
    assert!(
        said.find("your letter").unwrap()
            < said.find("case1: a client sends `hello` and `hi`; the").unwrap()
    );

    let wrong = text(&demo("a\n", &["run", "case1", "--predict"]).stdout);
    let compared = "you said: info_1: hello, info_2: hi\n\
                    it was:   info_1: hellohi, info_2: (nothing)  ✗\n\n";
    assert!(
        wrong.ends_with(&format!("{compared}{}", explanation("info_1: hello, info_2: hi"))),
        "{wrong}"
    );

    // Whatever a terminal, or a file, brings.
    let said = text(&demo("\x1b[31m\n", &["run", "case1", "--predict"]).stdout);
    assert!(said.contains("got \"\\u{1b}[31m\""), "{said}");
    let output = demo(b"\xff\nb\n", &["run", "case1", "--predict"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));

    for nothing in ["", "\n"] {
        let output = demo(nothing, &["run", "case1", "--predict"]);
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(said.matches("Enter alone to skip").count(), 1, "{said}");
        assert!(said.contains("(no answer)") && !said.contains("you said"), "{said}");
    }
}

/// What is said about a choice of case1, as a pipe shows it.
fn explanation(choice: &str) -> String {
    let case1 = demos::ALL.iter().find(|one| one.name == "case1").unwrap();
    let choice = case1.prediction.choices.iter().find(|one| one.says == choice).unwrap();
    format!("{}\n\n", columns::wrap(choice.because, 0, 0, columns::IN_A_PIPE).join("\n"))
}

#[test]
fn pictures_are_saved() {
    let scratch = stage::Scratch::new().unwrap();
    let kinds = [
        ("case2.svg", "<svg ", "llo"),
        ("case2.html", "<!doctype html>", "llo"),
        // In base64: `llohi`.
        ("case2.trace", "{\"t_us\":", "bGxvaGk="),
    ];
    for (file, begins, holds) in kinds {
        let path = scratch.path().join(file);
        let output = demo("", &["run", "case2", "--picture", path.to_str().unwrap()]);
        assert!(output.status.success());
        assert!(text(&output.stdout).contains(&format!("saved {}", path.display())));
        let saved = std::fs::read_to_string(&path).unwrap();
        assert!(saved.to_lowercase().starts_with(begins) && saved.contains(holds), "{saved}");
    }

    // A folder has that name, so the file cannot be written; what the experiment showed is not lost with it.
    let folder = scratch.path().join("folder.svg");
    std::fs::create_dir(&folder).unwrap();
    let output = demo("", &["run", "case2", "--picture", folder.to_str().unwrap()]);
    let (said, complained) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("✓ as stated"), "{said}");
    assert!(complained.starts_with("demo: could not save "), "{complained}");

    let nowhere = scratch.path().join("no/such/folder.svg");
    let output = demo("", &["run", "case2", "--picture", nowhere.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("there is no folder "), "{}", text(&output.stderr));
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
}

/// `timeline` and the playground read it.
#[test]
fn a_saved_recording_has_every_end_that_was_drawn() {
    let scratch = stage::Scratch::new().unwrap();
    let mut saved = 0;
    for name in demos::ALL.iter().map(|one| one.name) {
        let transcript = format!("{}/transcripts/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        let transcript = std::fs::read_to_string(transcript).unwrap();
        let draws = transcript.contains("\noffset ");
        // `ack` takes seconds, because it also times round trips.
        if !draws || name == "ack" {
            continue;
        }
        let path = scratch.path().join(name).with_extension("trace");
        let output = demo("", &["run", name, "--picture", path.to_str().unwrap()]);
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));

        let events = timeline::read_trace(&path).unwrap().events;
        let connections = timeline::connections(&events, &[]);
        for one in &connections {
            for direction in [Direction::ToServer, Direction::ToClient] {
                one.stream(direction).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
            assert!(one.client.iter().all(|event| !one.server.contains(event)), "{name}");
        }
        let ends = [
            ("\nclient ", connections.iter().any(|one| !one.client.is_empty())),
            ("\nserver ", connections.iter().any(|one| !one.server.is_empty())),
        ];
        for (lane, is_recorded) in ends {
            assert!(is_recorded || !transcript.contains(lane), "{name}: {connections:?}");
        }
        assert!(!connections.is_empty(), "{name}");
        saved += 1;
    }
    assert!(saved > 10, "{saved}");
}

#[test]
fn segments_are_drawn_and_saved() {
    let scratch = stage::Scratch::new().unwrap();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "umask 000 && exec \"$0\" run case1 --segments"]);
    command.arg(env!("CARGO_BIN_EXE_demo")).current_dir(scratch.path());
    let output = command.output().unwrap();
    let (said, complained) = (text(&output.stdout), text(&output.stderr));
    // The experiment goes well either way.
    assert_eq!(output.status.code(), Some(0), "{said}{complained}");
    if let Some(why) = complained.strip_prefix("segments not seen: ") {
        return stage::skip("UNSTUCK_REQUIRE_NETNS", why.trim_end());
    }
    // Two sends, two segments, and still one recv.
    let lanes: Vec<&str> = said.lines().filter(|line| line.contains("│hello")).collect();
    assert_eq!(
        lanes,
        [
            "client send      │hello│hi│",
            "network segment  │hello│hi│",
            "server recv      │hello╎hi│"
        ],
        "{said}"
    );
    assert!(said.contains("saved case1.pcapng"), "{said}");
    let file = scratch.path().join("case1.pcapng");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "what travelled is for this user alone");
    let packets = std::fs::read(file).unwrap();
    // The section header block of a pcapng file, and the bytes of both messages.
    assert_eq!(packets[..4], [0x0a, 0x0d, 0x0d, 0x0a]);
    assert!(packets.windows(5).any(|bytes| bytes == b"hello"));

    // Both ends are the experiment's own; a relay takes the lane; nothing travels where it could be seen.
    let run = |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
        command.args(["run", name, "--segments"]).current_dir(scratch.path());
        text(&command.output().unwrap().stdout)
    };
    let said = run("goodbye");
    assert!(said.contains("\nnetwork segment  │"), "{said}");
    let said = run("ack-cut");
    assert!(said.contains("only in the file: a relay is drawn instead\n"), "{said}");
    let said = run("unix");
    assert!(said.contains("\nno packets: nothing travelled by TCP or UDP here\n"), "{said}");
    assert!(!scratch.path().join("unix.pcapng").exists());
}

#[test]
fn what_has_no_effect_is_said() {
    let said = text(
        &demo("", &["run", "tcp", "--trials", "3", "--seed", "5", "--picture", "x.svg"]).stdout,
    );
    for option in ["--trials", "--seed", "--picture"] {
        assert!(said.contains(&format!("without effect here, {option}")), "{option}: {said}");
    }
}

#[test]
fn nonsense_is_refused() {
    let check = |args: &[&str], word: &str| {
        let output = demo("", args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(text(&output.stderr).contains(word), "{args:?}: {}", text(&output.stderr));
    };
    check(
        &["run", "nosuch"],
        "demo: no experiment is called \"nosuch\"; scripts/demo.sh lists them\n",
    );
    check(&["run", "stiky"], "did you mean sticky? scripts/demo.sh lists them\n");
    check(&["run"], "Usage: demo run");
    for option in [&["--predict"][..], &["--seed", "3"], &["--json"], &["--picture", "x.svg"]] {
        let args = [&["run"], option].concat();
        check(&args, "name an experiment, or --all; scripts/demo.sh lists them\n");
    }
    check(&["run", "case2", "--picture", "case2.png"], "must end in .svg");
    check(&["run", "case2", "--trials", "0"], "0");
    check(&["run", "case2", "--json", "--predict"], "cannot be used with");
    check(&["run", "--all", "--picture", "all.svg"], "cannot be used with");
    check(
        &["run", "case1", "case2", "--picture", "both.svg"],
        "demo: --picture is for one experiment",
    );
}

#[test]
fn told_to_end_it_does_not_judge() {
    // Each time another moment: the programs are starting, or run, or have just been told to end.
    for _ in 0..5 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
        let demo = Program::start("demo", command.args(["run", "sleep", "--trials", "10000"]));
        let demo = demo.unwrap();
        demo.wait_for_line(Stream::Stdout, "sleep: ", Duration::from_secs(60)).unwrap();
        demo.signal(Signal::INT);
        let finished = demo.wait(Duration::from_secs(60)).unwrap();
        let said = text(&finished.stdout);
        assert_eq!(finished.code, Some(130), "{said}");
        assert!(!said.contains('✗'), "{said}");
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
