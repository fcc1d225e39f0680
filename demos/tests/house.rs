//! The rules of the house that a program can check: who may use whom, and how long a file may grow.

#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test may fail it")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Concept packages: each is a lesson of its own, and none uses another.
const CONCEPTS: &[&str] = &[
    "tcp-basic",
    "udp-basic",
    "af-unix",
    "sticky-packet-repro",
    "delimiters",
    "fix-ack-handshake",
    "fix-struct-prefix",
    "fix-json-header",
    "file-transfer",
    "threaded-server",
    "readiness",
    "chat",
];

/// Its manifest says why. Everything else that the workspace forbids is forbidden there, too.
const MAY_BE_UNSAFE: &str = "playground-wasm";

/// The lines of a manifest about lints, without comments.
fn lints(manifest: &str) -> Vec<&str> {
    let sections = manifest.split("\n[").filter(|section| section.starts_with("workspace.lints."));
    let lines = sections.flat_map(str::lines).filter(|line| !line.starts_with('#'));
    lines.filter(|line| !line.is_empty()).collect()
}

#[test]
fn every_member_inherits_the_lints() {
    for member in members() {
        let manifest = fs::read_to_string(&member.manifest).unwrap();
        if member.name == MAY_BE_UNSAFE {
            let own =
                manifest.replace("\n[lints.", "\n[workspace.lints.").replace("deny", "forbid");
            assert_eq!(lints(&own), lints(&read(Path::new("../Cargo.toml"))), "{}", member.name);
            continue;
        }
        assert!(manifest.contains("[lints]\nworkspace = true\n"), "{}", member.name);
    }
}

#[test]
fn concepts_do_not_use_each_other() {
    for concept in CONCEPTS {
        let uses = dependencies_of(concept);
        assert!(
            !uses.iter().any(|used| CONCEPTS.contains(&used.as_str())),
            "{concept} uses {uses:?}"
        );
    }
}

/// So that you find each package in one place.
#[test]
fn the_map_names_each_package_once() {
    let page = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md"));
    let (_, map) = page.split_once("```text\n").unwrap();
    let (map, _) = map.split_once("```").unwrap();
    // A line begins with the names of folders, or with spaces and goes on about the one above.
    let begins = map.lines().filter(|line| !line.starts_with("   "));
    let words = begins.map(str::split_whitespace);
    let mut named: Vec<&str> =
        words.flat_map(|words| words.take_while(|word| word.ends_with('/'))).collect();
    named.retain(|folder| !["crates/", "docs/", "bench/", "scripts/", "tests/"].contains(folder));
    named.sort_unstable();
    let members = members();
    let mut packages: Vec<String> =
        members.iter().map(|member| format!("{}/", member.name)).collect();
    packages.sort_unstable();
    assert_eq!(named, packages);
}

/// ARCHITECTURE.md says who may use whom; the manifests say who does. Tests may use `stage` as well.
#[test]
fn the_map_says_who_uses_whom() {
    let page = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md"));
    let rows: Vec<(&str, &str)> =
        page.lines().filter_map(|line| line.split_once("  →  ")).collect();
    let members = members();
    let ours: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    for member in &members {
        let row = if CONCEPTS.contains(&&*member.name) { "concepts" } else { &member.name };
        let found = rows.iter().find(|(who, _)| who.split(' ').next() == Some(row));
        let allowed = found.map_or("", |(_, whom)| whom);
        let named = |used: &str| {
            allowed.split(|c: char| !(c.is_alphanumeric() || c == '-')).any(|word| word == used)
        };
        let mut uses = member.uses.clone();
        uses.retain(|used| ours.contains(&&**used) && used != "stage" && !named(used));
        assert!(uses.is_empty(), "{} uses {uses:?}; the page allows it: {allowed}", member.name);
    }
}

/// The rooms of `lab`, as ARCHITECTURE.md has them from top to bottom: none names one that stands above it.
///
/// What `lib.rs` exports again is for other packages: by way of the root, a room would reach every other one.
#[test]
fn a_room_of_the_lab_uses_only_those_below() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = read(&root.join("ARCHITECTURE.md"));
    let rows = page.lines().filter_map(|line| line.split_once("  ↓  "));
    let rooms: Vec<&str> = rows.map(|(room, _)| room.trim()).collect();
    let source = root.join("crates/lab/src");
    let mut found: Vec<String> = fs::read_dir(&source)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "lib.rs")
        .collect();
    found.sort();
    let mut listed = rooms.clone();
    listed.sort_unstable();
    assert_eq!(found, listed, "the folders of crates/lab/src, and the rooms on the page");

    let mut upwards = Vec::new();
    // The program on top is a crate of its own: nothing below can name it.
    for (place, room) in rooms.iter().enumerate().skip(1) {
        for file in rust_files(&source.join(room)) {
            let text = read(&file);
            let from_root =
                names_after(&text, "crate::").filter(|name| !rooms[place..].contains(name));
            let from_here =
                names_after(&text, "super::").filter(|name| rooms[..place].contains(name));
            upwards.extend(
                from_root.chain(from_here).map(|name| format!("{}: {name}", file.display())),
            );
        }
    }
    assert!(upwards.is_empty(), "{upwards:#?}");
}

/// A reader of one file should not have to know another one that needs the first. Tests may: they don't count.
///
/// A module and the ones it declares are read together, so what it takes from them is no circle. A name that `lib.rs`
/// exports counts for the file that has it.
#[test]
fn no_two_files_of_a_crate_need_each_other() {
    let sources = members().into_iter().map(|member| member.manifest.with_file_name("src"));
    let files = sources.filter(|folder| folder.is_dir()).flat_map(|folder| rust_files(&folder));
    let roots: Vec<PathBuf> =
        files.filter(|file| file.ends_with("lib.rs") || file.ends_with("main.rs")).collect();
    let mut circles = Vec::new();
    for root in &roots {
        let needs = needs(root, &roots);
        for (module, needed) in &needs {
            let mut reached = needed.clone();
            let mut open: Vec<_> = needed.iter().collect();
            while let Some(next) = open.pop() {
                open.extend(
                    needs[next].iter().filter(|further| reached.insert((*further).clone())),
                );
            }
            if reached.contains(module) {
                circles.push(format!("{}: {}", root.display(), module.join("::")));
            }
        }
    }
    assert!(circles.is_empty(), "each of these needs itself, by way of others: {circles:#?}");
}

/// A module's path from the root of its crate; the root's own is empty.
type Module = Vec<String>;

/// Which modules each module of a crate names.
fn needs(root: &Path, roots: &[PathBuf]) -> BTreeMap<Module, BTreeSet<Module>> {
    let folder = root.parent().unwrap();
    // A program with a folder of its own below the library is another crate.
    let inner = |file: &Path| {
        let mut others = roots.iter().filter_map(|root| root.parent()).filter(|it| *it != folder);
        others.any(|other| other.starts_with(folder) && file.starts_with(other))
    };
    let module_of = |file: &Path| -> Module {
        let path = file.strip_prefix(folder).unwrap().with_extension("");
        let names = path.iter().map(|name| name.to_str().unwrap().to_owned());
        names.filter(|name| !["lib", "main", "mod"].contains(&name.as_str())).collect()
    };
    let files = rust_files(folder).into_iter().filter(|file| !inner(file));
    let codes: BTreeMap<Module, String> =
        files.map(|file| (module_of(&file), code(&read(&file)).join("\n"))).collect();
    let exports: BTreeMap<String, Module> = paths(&codes[&Module::new()], "use ")
        .map(|path| (path.last().unwrap().clone(), path))
        .collect();
    let needed = |module: &Module, path: Module| -> Option<Module> {
        let above = path.iter().take_while(|name| *name == "super").count();
        let base = if above > 0 { &module[..module.len().saturating_sub(above)] } else { &[] };
        let from = if path[0] == "crate" { 1 } else { above };
        let mut whole = [base, &path[from..]].concat();
        if let [name] = whole.as_slice()
            && let Some(exported) = exports.get(name)
        {
            whole = exported.clone();
        }
        // What follows the module's path is the name of something in it.
        while !codes.contains_key(&whole) {
            whole.pop();
        }
        (!whole.is_empty() && whole != *module).then_some(whole)
    };
    let of = |(module, code): (&Module, &String)| {
        let named = paths(code, "crate::").chain(paths(code, "super::"));
        (module.clone(), named.filter_map(|path| needed(module, path)).collect())
    };
    codes.iter().map(of).collect()
}

/// The paths that begin so: `crate::{a::B, c}` are two.
fn paths(code: &str, begin: &str) -> impl Iterator<Item = Module> {
    let begins = code.match_indices(begin).filter(|(at, _)| !code[..*at].ends_with(':'));
    begins.flat_map(|(at, _)| {
        let mut found = Vec::new();
        read_path(code[at..].trim_start_matches("use "), Module::new(), &mut found);
        found
    })
}

/// Reads the path, or the several in braces, that the text begins with; `before` stands in front of each. Returns what
/// follows.
fn read_path<'a>(text: &'a str, mut before: Module, found: &mut Vec<Module>) -> &'a str {
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = read_path(rest.trim_start(), before.clone(), found);
            let end = rest.find([',', '}']).unwrap();
            let closed = rest[end..].starts_with('}');
            rest = &rest[end + 1..];
            if closed {
                return rest;
            }
        }
    }
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap();
    let (name, rest) = text.split_at(end);
    before.push(name.to_owned());
    match rest.strip_prefix("::") {
        Some(rest) => read_path(rest, before, found),
        None => {
            found.push(before);
            rest
        }
    }
}

/// The names that stand directly after this part of a path: of `crate::{play::Trial, labs}` both `play` and `labs`.
fn names_after<'a>(text: &'a str, part: &'static str) -> impl Iterator<Item = &'a str> {
    text.split(part).skip(1).flat_map(|rest| {
        let names = match rest.strip_prefix('{') {
            Some(several) => several.split(';').next().unwrap_or_default(),
            None => rest.split(',').next().unwrap_or_default(),
        };
        let is_no_name = |c: char| !(c.is_alphanumeric() || c == '_');
        names.split(',').map(move |name| name.trim().split(is_no_name).next().unwrap_or_default())
    })
}

/// A dependency that nobody names makes the first build longer, and the map wrong.
#[test]
fn every_dependency_is_named_in_the_sources() {
    for member in members() {
        let sources = rust_files(member.manifest.parent().unwrap());
        let sources: Vec<String> = sources.iter().map(|path| read(path)).collect();
        for used in &member.uses {
            let path = format!("{}::", used.replace('-', "_"));
            assert!(sources.iter().any(|source| source.contains(&path)), "{}: {used}", member.name);
        }
    }
}

#[test]
fn a_program_has_at_most_120_lines_of_code() {
    let programs: Vec<PathBuf> = members().into_iter().flat_map(|member| member.programs).collect();
    assert!(programs.len() >= 2 * CONCEPTS.len(), "only {programs:?}");
    // One with a folder of its own under src/bin has several files, and each is as short.
    let files = programs.into_iter().flat_map(|path| match path.parent() {
        Some(folder) if folder.parent().is_some_and(|bin| bin.ends_with("bin")) => {
            rust_files(folder)
        }
        _ => vec![path],
    });
    let mut long: Vec<_> = files.map(|path| (lines_of_code(&read(&path)), path)).collect();
    long.retain(|(lines, _)| *lines > 120);
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn a_module_has_at_most_300_lines_of_code() {
    let sources = members().into_iter().map(|member| member.manifest.with_file_name("src"));
    // The zoo has its sources elsewhere: they are programs, and counted as such.
    let sources = sources.filter(|folder| folder.is_dir()).flat_map(|folder| rust_files(&folder));
    let mut long: Vec<_> = sources.map(|path| (lines_of_code(&read(&path)), path)).collect();
    assert!(!long.is_empty());
    long.retain(|(lines, _)| *lines > 300);
    assert!(long.is_empty(), "{long:#?}");
}

/// Neither blank lines nor comments count: a file must not be squeezed to fit. Nor do its tests.
fn lines_of_code(source: &str) -> usize {
    code(source).len()
}

fn code(source: &str) -> Vec<&str> {
    let before_tests = source.lines().take_while(|line| *line != "#[cfg(test)]");
    before_tests.map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).collect()
}

fn dependencies_of(name: &str) -> Vec<String> {
    let found = members().into_iter().find(|member| member.name == name);
    found.unwrap_or_else(|| panic!("there is no package {name}")).uses
}

struct Member {
    name: String,
    manifest: PathBuf,
    /// The packages it names as dependencies of any kind.
    uses: Vec<String>,
    /// The sources of its binaries.
    programs: Vec<PathBuf>,
}

fn members() -> Vec<Member> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    list(&metadata, "packages").map(member).collect()
}

fn member(package: &Value) -> Member {
    let is_program = |target: &&Value| list(target, "kind").any(|kind| kind == "bin");
    let programs = list(package, "targets").filter(is_program);
    Member {
        name: text(&package["name"]),
        manifest: PathBuf::from(text(&package["manifest_path"])),
        uses: list(package, "dependencies").map(|dependency| text(&dependency["name"])).collect(),
        programs: programs.map(|target| PathBuf::from(text(&target["src_path"]))).collect(),
    }
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().unwrap().iter()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files =
        entries.flat_map(|entry| if entry.is_dir() { rust_files(&entry) } else { vec![entry] });
    files.filter(|file| file.extension().is_some_and(|extension| extension == "rs")).collect()
}
