//! The situations that the page docs/src/playground.md describes, each a heading, a few words and a table of settings.

#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test may fail it")]

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// A heading of the page, and the settings below it, each with its name.
struct Situation {
    title: String,
    settings: Vec<(String, String)>,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn situations() -> Vec<Situation> {
    let page = fs::read_to_string(root().join("docs/src/playground.md")).unwrap();
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
    };
    page.split("\n### ")
        .skip(1)
        .map(|section| {
            let rows: Vec<&str> = section.lines().filter(|line| line.starts_with('|')).collect();
            let [names, _, values] = rows[..] else { panic!("one row of settings: {section}") };
            Situation {
                title: section.lines().next().unwrap().to_owned(),
                settings: cells(names).into_iter().zip(cells(values)).collect(),
            }
        })
        .collect()
}

impl Situation {
    fn setting(&self, name: &str) -> Option<&str> {
        let found = self.settings.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// What the page asks for it.
    fn question(&self) -> Value {
        let framing = self.setting("framing").unwrap();
        if let Some(names) = self.setting("recording") {
            let recordings: Vec<Value> = names.split(' ').map(recording).collect();
            return json!({ "replay": { "recordings": recordings, "framing": framing, "connection": 0 } });
        }
        // Each message is code; the empty one, in italics.
        let messages = self.setting("messages").unwrap().replace("*(empty)*", "``");
        let messages: Vec<&str> = messages.split('`').skip(1).step_by(2).collect();
        let settings = ["pieces", "recv"].map(|name| self.setting(name).unwrap().replace('`', ""));
        let late = self.setting("reads") == Some("late");
        json!({ "play": {
            "messages": messages.join("\n") + "\n",
            "framing": framing,
            "cut": settings[0],
            "reads": settings[1],
            "late": late,
        } })
    }
}

/// Looked up where scripts/playground.sh looks.
fn recording(name: &str) -> Value {
    let folders = [
        "docs/src/playground/runs",
        "crates/timeline/tests/strace",
        "crates/timeline/tests/ladder",
    ];
    let files = folders.map(|folder| root().join(folder).join(name));
    let file = files.iter().find(|file| file.exists()).unwrap_or_else(|| panic!("{name}"));
    json!({ "name": name, "text": fs::read_to_string(file).unwrap() })
}

fn shown(situation: &Situation) -> Value {
    serde_json::from_str(&playground::answer(&situation.question().to_string())).unwrap()
}

#[test]
fn every_situation_of_the_page_can_be_shown() {
    let all = situations();
    assert!(all.len() > 28, "one for each chapter and more: {}", all.len());
    for situation in &all {
        let shown = shown(situation);
        assert!(shown["error"].is_null(), "{}: {}", situation.title, shown["error"]);
        assert!(!shown["run"]["steps"].as_array().unwrap().is_empty(), "{}", situation.title);
    }
    let titles: BTreeSet<&str> = all.iter().map(|situation| situation.title.as_str()).collect();
    assert_eq!(titles.len(), all.len(), "a title is an address: each is there once");
}

/// Each situation's text asks what comes out: without a framing it's luck, and with one it's what was sent.
#[test]
fn a_framing_gives_the_messages_that_were_sent_and_nothing_else_does() {
    for situation in situations().iter().filter(|one| one.setting("messages").is_some()) {
        let shown = shown(situation);
        let lucky = situation.title == "A good day";
        let right = match situation.setting("framing").unwrap() {
            "none" => lucky,
            _ => situation.title != "A length cut in two",
        };
        assert_eq!(shown["stream"]["all_came"], right, "{}: {shown:#}", situation.title);
    }
}

#[test]
fn every_recording_is_in_a_situation() {
    let used: BTreeSet<String> = situations()
        .iter()
        .filter_map(|one| one.setting("recording"))
        .flat_map(|names| names.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    for entry in fs::read_dir(root().join("docs/src/playground/runs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(used.contains(&name), "{name}");
    }
}
