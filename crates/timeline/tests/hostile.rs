//! A trace is somebody else's text. Whatever it contains, no terminal obeys any of it, and the files stay valid SVG and
//! HTML.
//!
//! | claim | test |
//! |---|---|
//! | any text in any member of any event, whole or broken: no control character on stdout, on stderr or in a file | `no_text_of_a_trace_reaches_a_terminal_as_it_is` |
//! | what is read is harmless before anything is drawn of it | `what_is_read_is_harmless_already` |
//! | the same for the names of files | `nor_does_the_name_of_a_file` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod runs;

use observe::Event;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use runs::run;
use stage::Scratch;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Text that a terminal would obey, or that SVG or HTML would read as markup.
const HOSTILE: [&str; 16] = [
    "\u{1b}[31m",
    "\u{1b}]0;title\u{7}",
    "\u{9b}2J",
    "\u{90}",
    "\u{202e}",
    "\u{200b}",
    "\n",
    "\r",
    "\0",
    "\u{7f}",
    "\u{ffff}",
    "</script><script>alert(1)</script>",
    "<!--",
    "]]>",
    "\"'&<>",
    "plain",
];

/// How a line of a trace may be broken.
const BREAKS: [&str; 12] =
    ["", "", "", "", "", "cut", "type", "twice", "base64", "surrogate", "raw", "not utf-8"];

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&HOSTILE[..]), 0..4).prop_map(|parts| parts.concat())
}

fn timeline(scratch: &Scratch, args: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_timeline"));
    program.current_dir(scratch.path()).args(args).output().unwrap()
}

/// Contains no character that a terminal obeys, except line ends.
fn harmless(what: &str, bytes: &[u8]) -> Result<(), TestCaseError> {
    let text = str::from_utf8(bytes).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let obeyed = |char: &char| {
        (char.is_control() && *char != '\n')
            || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{ffff}')
    };
    let found = text.chars().find(obeyed);
    prop_assert!(found.is_none(), "{what}: {found:?} in {text:?}");
    Ok(())
}

fn well_formed(scratch: &Scratch) -> Result<(), TestCaseError> {
    let read = |name: &str| fs::read(scratch.path().join(name)).unwrap_or_default();
    let (svg, html) = (read("a.svg"), read("a.html"));
    harmless("svg", &svg)?;
    harmless("html", &html)?;
    if !svg.is_empty() {
        let svg = String::from_utf8_lossy(&svg);
        let parsed = roxmltree::Document::parse(&svg);
        prop_assert!(parsed.is_ok(), "{parsed:?}");
        prop_assert!(!svg.contains("<script"));
    }
    if !html.is_empty() {
        let html = String::from_utf8_lossy(&html);
        // The page's own script and its data, and none of the trace's.
        let count = |tag: &str| html.matches(tag).count();
        prop_assert_eq!(count("<script"), count("</script"));
        prop_assert!(!html.contains("alert(1)</script") && !html.contains("<script>alert"));
        prop_assert!(html.trim_end().ends_with("</html>"));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_of_a_trace_reaches_a_terminal_as_it_is(
        texts in prop::collection::vec(text(), 5),
        member in 0..5_usize,
        at in 0..6_usize,
        data in prop::collection::vec(any::<u8>(), 1..12),
        broken in prop::sample::select(&BREAKS[..]),
    ) {
        let scratch = Scratch::new().unwrap();
        let sent = [&data[..], texts[0].as_bytes()].concat();
        let len = sent.len();
        let mut run = run(&[&sent, b"hi"], None, &[len, 2]);
        // Errors are drawn, and addresses name the connection: changed in all events at once, it stays one connection.
        for event in run.client.iter_mut().chain(&mut run.server) {
            let join = |member: &Option<String>| member.as_ref().map(|old| old.clone() + &texts[1]);
            (event.local, event.peer) = (join(&event.local), join(&event.peer));
        }
        let failed = Event { call: "recv".into(), dir: Some("in".into()), ..run.server[0].clone() };
        run.server.push(Event { error: Some(texts[2].clone()), t_us: 1 << 40, ..failed });
        let note = Event { call: "note".into(), text: Some(texts[2].clone()), ..run.server[0].clone() };
        run.server.insert(2, note);
        let many = run.client.len();
        let one = &mut run.client[at % many];
        match member {
            0 => one.call.push_str(&texts[3]),
            1 => one.dir = Some(texts[3].clone()),
            2 => one.local = Some(texts[3].clone()),
            3 => one.peer = Some(texts[3].clone()),
            _ => one.error = Some(texts[3].clone()),
        }
        let line = |event: &Event| serde_json::to_string(event).unwrap();
        let mut lines: Vec<Vec<u8>> = run.client.iter().map(|event| line(event).into_bytes()).collect();
        let victim = &mut lines[at % many];
        let hostile = serde_json::to_string(&texts[4]).unwrap();
        let with = |rest: String| format!("{{\"t_us\":1,\"pid\":1,\"call\":\"send\",\"conn\":1,{rest}}}").into_bytes();
        match broken {
            "cut" => victim.truncate(victim.len() / 2),
            "type" => *victim = with(format!("\"asked\":{hostile}")),
            "twice" => *victim = with(format!("{hostile}:1,\"call\":{hostile}")),
            "base64" => *victim = with(format!("\"data\":{hostile}")),
            "surrogate" => *victim = with("\"peer\":\"\\ud800\"".into()),
            "raw" => *victim = texts[4].clone().into_bytes(),
            "not utf-8" => victim.push(0x9b),
            _ => {}
        }
        lines.push(Vec::new());
        fs::write(scratch.path().join("client"), lines.join(&b'\n')).unwrap();
        let server: Vec<String> = run.server.iter().map(line).collect();
        fs::write(scratch.path().join("server"), server.join("\n")).unwrap();

        for args in [
            &["client", "server"][..],
            &["client"],
            &["server"],
            &["server", "--via", "client"],
            &["client", "server", "--conn", "1"],
            &["client", "server", "--conn", "7"],
            &["client", "server", "--direction", "to-server", "--svg", "a.svg", "--html", "a.html"],
            &["server", "--svg", "a.svg", "--html", "a.html"],
        ] {
            let done = timeline(&scratch, args);
            prop_assert!(matches!(done.status.code(), Some(0 | 2)), "{done:?}");
            harmless("stdout", &done.stdout)?;
            harmless("stderr", &done.stderr)?;
            if done.status.code() == Some(2) {
                prop_assert_eq!(done.stderr.iter().filter(|byte| **byte == b'\n').count(), 1, "{:?}", done);
            }
            well_formed(&scratch)?;
        }
    }
}

/// For other programs that draw a trace: the texts of its events, and the errors when there are none.
#[test]
fn what_is_read_is_harmless_already() {
    let scratch = Scratch::new().unwrap();
    let file = scratch.path().join("a\u{1b}[31m");
    let hostile: String = HOSTILE.concat();
    let text = || Some(hostile.clone());
    let data = Some(hostile.clone().into_bytes());
    let (dir, local, peer, error, said) = (text(), text(), text(), text(), text());
    let call = hostile.clone();
    let event = Event { call, dir, local, peer, error, data, text: said, ..Event::default() };
    fs::write(&file, serde_json::to_string(&event).unwrap()).unwrap();
    let read = timeline::read_trace(&file).unwrap().events.remove(0);
    assert_eq!(read.data, event.data, "the bytes stay what they are");
    for text in [Some(read.call), read.dir, read.local, read.peer, read.error, read.text] {
        let text = text.unwrap();
        harmless("event", text.as_bytes()).unwrap();
        assert!(!text.contains('\n') && text.contains("\\u{1b}[31m"), "{text}");
    }
    fs::write(&file, format!("{{\"asked\":{}}}", serde_json::to_string(&hostile).unwrap()))
        .unwrap();
    let broken = timeline::read_trace(&file).unwrap_err().to_string();
    fs::write(&file, "{").unwrap();
    let cut = timeline::read_trace(&file).unwrap().remarks.concat();
    fs::remove_file(&file).unwrap();
    let missing = timeline::read_trace(&file).unwrap_err().to_string();
    harmless("remark", cut.as_bytes()).unwrap();
    for said in [broken, missing] {
        harmless("error", said.as_bytes()).unwrap();
        assert!(!said.contains('\n') && said.contains("a\\u{1b}[31m"), "{said}");
    }
}

#[test]
fn nor_does_the_name_of_a_file() {
    let scratch = Scratch::new().unwrap();
    let name = "a\u{1b}[31m\u{9b}\n\u{202e}b";
    let run = run(&[b"hello"], None, &[5]);
    let lines: Vec<String> =
        run.client.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    fs::write(scratch.path().join("client"), lines.join("\n")).unwrap();
    for (args, code) in [
        (&[name][..], 2),
        (&["client", "--svg", name, "--html", "a.html"], 0),
        (&["client", "--svg", &format!("none/{name}")], 2),
        (&[name], 2),
    ] {
        let done = timeline(&scratch, args);
        assert_eq!(done.status.code(), Some(code), "{done:?}");
        for said in [&done.stdout, &done.stderr] {
            harmless("said", said).unwrap();
            assert!(said.iter().filter(|byte| **byte == b'\n').count() <= 2, "{done:?}");
        }
    }
    assert!(Path::new(&scratch.path().join(name)).exists());
}
