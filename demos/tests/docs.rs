//! The pages show what is there: blocks are as their sources, links lead to files, chapters stand in the contents,
//! and every experiment on its page.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod pages;
mod typed;

use pages::{book, files, root};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

#[test]
fn every_block_of_the_repository_is_as_its_source() {
    let (good, said) = sync(&root(), &["--check"]);
    assert!(good, "{said}\nrewrite them: cargo run --bin sync-docs");
}

#[test]
fn every_link_and_picture_is_there() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            let file = link.split('#').next().unwrap_or_default();
            let elsewhere = file.contains("://") || file.starts_with("mailto:");
            if elsewhere {
                continue;
            }
            let target =
                if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let is_there = target.exists()
                && link.split_once('#').is_none_or(|(_, anchor)| has_anchor(&target, anchor));
            if !is_there {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "nothing there:\n{}", broken.join("\n"));
}

#[test]
fn every_chapter_stands_in_the_contents() {
    let book = book();
    let contents = fs::read_to_string(book.join("SUMMARY.md")).unwrap();
    let listed: Vec<PathBuf> = links(&contents).iter().map(|link| book.join(link)).collect();
    let mut missing = files(&book, "md");
    missing.retain(|page| !page.ends_with("SUMMARY.md") && !listed.contains(page));
    assert!(missing.is_empty(), "not in SUMMARY.md: {missing:?}");
}

#[test]
fn every_picture_says_what_is_seen() {
    let mut silent = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        // What a reader gets who does not see it, or whose page does not load it.
        for (said, rest) in text.split("![").skip(1).filter_map(|rest| rest.split_once("](")) {
            if said.split(' ').count() < 5 {
                let file = rest.split(')').next().unwrap_or_default();
                silent.push(format!("{}: {file}: \"{said}\"", page.display()));
            }
        }
    }
    assert!(silent.is_empty(), "say it in a sentence:\n{}", silent.join("\n"));
}

#[test]
fn every_experiment_stands_on_its_page() {
    let listed: Vec<String> = demo("", &["list"])
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, claim)| format!("| `{name}` | {} |", claim.trim()))
        .collect();
    assert!(listed.len() >= 30, "{listed:?}");
    // Up to the chapter: name and claim, in the same order, and no other.
    let shown = experiments();
    let rows: Vec<&str> = shown
        .split("\n## ")
        .find(|part| part.starts_with("The claims"))
        .into_iter()
        .flat_map(str::lines)
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| line.rfind(" [").map(|at| &line[..at]))
        .collect();
    assert_eq!(rows, listed);
}

#[test]
fn the_prediction_on_the_page_is_what_is_asked() {
    let said = demo("b\n", &["run", "case1", "--predict"]);
    let port = said.split("127.0.0.1:").nth(1).unwrap();
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    // What a terminal adds: the letter that was typed.
    let said = said.replace(&port, "8888").replace("to skip: ", "to skip: b");
    let shown = experiments();
    assert!(shown.contains(said.trim_end()), "docs/src/experiments.md does not show this:\n{said}");
}

#[test]
fn a_stale_block_is_reported_and_then_rewritten() {
    let tree = Tree::new("<!-- from: code.rs#loop -->\n```rust\nold\n```\nend\n");
    let code = "fn f() {\n    // ANCHOR: loop\n    loop {\n\n        break;\n    }\n    // ANCHOR_END: loop\n}\n";
    tree.write("code.rs", code);

    let (good, said) = sync(&tree.0, &["--check"]);
    assert!(!good && said == "README.md:1: differs from code.rs#loop: run sync-docs\n", "{said}");
    assert!(tree.page().contains("old"), "--check changed the page");

    let (good, said) = sync(&tree.0, &[]);
    assert!(good && said == "README.md:1: now as code.rs#loop\n", "{said}");
    let fresh = "<!-- from: code.rs#loop -->\n```rust\nloop {\n\n    break;\n}\n```\nend\n";
    assert_eq!(tree.page(), fresh);

    assert_eq!(sync(&tree.0, &["--check"]), (true, String::new()));
    assert_eq!(sync(&tree.0, &[]), (true, String::new()));
}

#[test]
fn a_quiz_is_kept_as_its_experiment_has_it() {
    let tree = Tree::new("before\n\n<!-- quiz: case1 -->\nold\n<!-- end of quiz -->\nafter\n");
    let (good, said) = sync(&tree.0, &["--check"]);
    let stale = "README.md:3: differs from the experiment case1: run sync-docs\n";
    assert!(!good && said == stale, "{said}");

    let (good, said) = sync(&tree.0, &[]);
    assert!(good && said == "README.md:3: now as the experiment case1\n", "{said}");
    assert_eq!(sync(&tree.0, &["--check"]), (true, String::new()));
    let page = tree.page();
    let begins = "before\n\n<!-- quiz: case1 -->\n**Predict.** A client sends `hello`, then `hi`, and closes. ";
    let ends = "\n\n</details>\n<!-- end of quiz -->\nafter\n";
    assert!(page.starts_with(begins) && page.ends_with(ends), "{page}");
    let right = "\n<details name=\"quiz-case1\"><summary>b) info_1: hellohi, info_2: (nothing)</summary>\n\n**Yes.** TCP keeps";
    assert!(page.contains(right), "{page}");
    assert_eq!(page.matches("\n\n**No.** ").count(), 2, "{page}");
    assert!(page.lines().all(|line| line.len() <= 140), "{page}");
}

#[test]
fn a_quiz_that_cannot_be_written_is_an_error_and_changes_nothing() {
    // The page, the message.
    let cases = [
        (
            "<!-- quiz: case9 -->\n\n<!-- end of quiz -->\n",
            "README.md:1: no experiment is called case9\n",
        ),
        (
            "<!-- quiz: case1 -->\nold\n",
            "README.md:1: no line `<!-- end of quiz -->` below the mark, or another mark comes first\n",
        ),
        // The end of another quiz isn't this one's, and what's in between isn't old text.
        (
            "<!-- quiz: case1 -->\nold\n\nA paragraph.\n\n<!-- quiz: case9 -->\n<!-- end of quiz -->\n",
            "README.md:1: no line `<!-- end of quiz -->` below the mark, or another mark comes first\n\
             README.md:6: no experiment is called case9\n",
        ),
        (
            "<!-- quiz: case1 -->\nold\n<!-- from: f -->\n```\nold\n```\n<!-- end of quiz -->\n",
            "README.md:1: no line `<!-- end of quiz -->` below the mark, or another mark comes first\n\
             README.md:3: f: No such file or directory (os error 2)\n",
        ),
    ];
    for (page, message) in cases {
        let tree = Tree::new(page);
        for options in [&["--check"][..], &[]] {
            assert_eq!(sync(&tree.0, options), (false, message.to_owned()));
            assert_eq!(tree.page(), page);
        }
    }
}

#[test]
fn what_a_mark_can_name() {
    // The file, the mark's source, the block.
    let cases = [
        ("one\n  two\n", "f", "one\n  two\n"),
        ("  kept\n", "f", "  kept\n"),
        ("# ANCHOR: a\nx = 1\n# ANCHOR_END: a\ny = 2\n", "f#a", "x = 1\n"),
        ("<!-- ANCHOR: a -->\n<p>\n<!-- ANCHOR_END: a -->\n", "f#a", "<p>\n"),
        (
            "// ANCHOR: a\n1\n// ANCHOR: b\n2\n// ANCHOR_END: a\n3\n// ANCHOR_END: b\n",
            "f#a",
            "1\n2\n",
        ),
        ("// ANCHOR: a\n1\n// ANCHOR_END: a\n", "f", "1\n"),
        (
            "use a;\n\n/// Why.\nfn f(\n    a: A,\n) -> B {\n    c\n}\n\nfn f2() {\n}\n",
            "f#f",
            "/// Why.\nfn f(\n    a: A,\n) -> B {\n    c\n}\n",
        ),
        ("pub const A: u8 = 1;\nconst B: u8 = 2;\n", "f#B", "const B: u8 = 2;\n"),
        (
            "def f(a,\n    b):\n    c\n\n    d\n\n\nf()\n",
            "f#f",
            "def f(a,\n    b):\n    c\n\n    d\n",
        ),
        ("// ANCHOR: ab\n1\n// ANCHOR_END: ab\n// ANCHOR: a\n2\n// ANCHOR_END: a\n", "f#a", "2\n"),
    ];
    for (file, source, block) in cases {
        let tree = Tree::new(&format!("<!-- from: {source} -->\n```text\n```\n"));
        tree.write("f", file);
        let (good, said) = sync(&tree.0, &[]);
        assert!(good, "{file:?}: {said}");
        assert_eq!(tree.page(), format!("<!-- from: {source} -->\n```text\n{block}```\n"));
    }
}

#[test]
fn a_mark_that_cannot_be_followed_is_an_error_and_changes_nothing() {
    // The mark, the file, a part of the reason.
    let cases = [
        ("<!-- from: g -->\n", "x\n", "No such file"),
        ("<!-- from: f\n", "x\n", "No such file"),
        ("<!-- from: f#a -->\n", "x\n", "no line `ANCHOR: a`"),
        ("<!-- from: f#a -->\n", "// ANCHOR: a\nx\n", "no line `ANCHOR_END: a`"),
        ("<!-- from: f#a -->\n", "// ANCHOR: a\n\n// ANCHOR_END: a\n", "empty"),
        ("<!-- from: f#a -->\n", "// ANCHOR_END: a\nx\n// ANCHOR: a\n", "ends before"),
        (
            "<!-- from: f#a -->\n",
            "// ANCHOR: a\n1\n// ANCHOR_END: a\n// ANCHOR: a\n2\n// ANCHOR_END: a\n",
            "more than one line `ANCHOR: a`",
        ),
        ("<!-- from: f -->\n", "", "empty"),
        ("<!-- from: f -->\n", "```\n", "more backticks"),
        ("<!-- from: f -->\n\n", "x\n", "no fenced block"),
        ("<!-- from: f -->\n<!-- from: f#a -->\n", "x\n", "no fenced block"),
        ("```\nold\n```\n<!-- from: f -->", "x\n", "never closed"),
        // A line that opens a block closes none, so this one goes on to the end of the next.
        (
            "<!-- from: f -->\n```text\nold\n\nA paragraph.\n\n<!-- from: f -->\n```text\n",
            "x\n",
            "another mark comes first",
        ),
    ];
    for (mark, file, reason) in cases {
        let page = match reason {
            "never closed" => format!("{mark}\n```\nold\n"),
            _ => format!("{mark}```\nold\n```\n"),
        };
        let tree = Tree::new(&page);
        tree.write("f", file);
        for options in [&["--check"][..], &[]] {
            let (good, said) = sync(&tree.0, options);
            let named = said.starts_with("README.md:") && said.contains(reason);
            assert!(!good && named, "{page:?}: {said}");
            assert_eq!(tree.page(), page);
        }
    }
}

#[test]
fn a_mark_with_nothing_below_is_an_error() {
    let tree = Tree::new("<!-- from: f -->\n");
    tree.write("f", "x\n");
    let said = "README.md:1: no fenced block directly below the mark\n".to_owned();
    assert_eq!(sync(&tree.0, &[]), (false, said));
}

#[test]
fn a_mark_inside_a_block_is_text() {
    let page = "````text\n<!-- from: nothing -->\n```\n````\n  ```\n  <!-- from: nothing -->\n  ```\n\
                ```text\n<!-- quiz: nothing -->\n```\n";
    let tree = Tree::new(page);
    assert_eq!(sync(&tree.0, &[]), (true, String::new()));
    assert_eq!(tree.page(), page);
}

#[test]
fn a_block_in_a_list_keeps_its_place_and_other_pages_are_found() {
    let tree = Tree::new("");
    tree.write("f", "one\n\n  two\n");
    for page in ["docs/src/deep/page.md", "crates/tool/README.md"] {
        tree.write(page, "- item\n\n  <!-- from: f -->\n  ```\n  ```\n");
        let (good, said) = sync(&tree.0, &[]);
        assert!(good && said == format!("{page}:3: now as f\n"), "{said}");
        let fresh = "- item\n\n  <!-- from: f -->\n  ```\n  one\n\n    two\n  ```\n";
        assert_eq!(fs::read_to_string(tree.0.join(page)).unwrap(), fresh);
    }
}

#[test]
fn anchors_are_found() {
    assert_eq!(slug("10. Fix 2: the `length` prefix"), "10-fix-2-the-length-prefix");
    assert_eq!(slug("[Crates](x.md) & ß-Test, 粘包"), "crates--ß-test-粘包");
    let tree = Tree::new("# A\n```\n# B\n```\n## A\n<a id=\"c\"></a>\n");
    let has = |anchor: &str| has_anchor(&tree.0.join("README.md"), anchor);
    assert!(has("a") && has("a-1") && has("c") && !has("b") && !has("a-2"));
}

#[test]
fn links_are_found() {
    let text = "[a](b.md) ![p](c d.svg \"title\") `[no](x)`\n```\n[no](y)\n```\n<img src=\"e.png\" alt=\"\">\n[r]: f.md\n";
    assert_eq!(links(text), ["b.md", "c d.svg", "e.png", "f.md"]);
}

/// Whether a page has a heading with this anchor, which a repository browser and mdBook make of its text. Other files are
/// not looked into.
fn has_anchor(page: &Path, anchor: &str) -> bool {
    if page.extension().is_none_or(|extension| extension != "md") {
        return true;
    }
    let text = fs::read_to_string(page).unwrap();
    let mut in_block = false;
    let mut seen: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        }
        if !in_block
            && let Some(heading) =
                line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#'))
        {
            let slug = slug(heading);
            // The second heading of the same text.
            let same = seen.iter().filter(|known| **known == slug).count();
            seen.push(slug.clone());
            if anchor == if same == 0 { slug } else { format!("{slug}-{same}") } {
                return true;
            }
        }
    }
    text.contains(&format!("id=\"{anchor}\""))
}

/// Links in a heading count with their text.
fn slug(heading: &str) -> String {
    let mut text = String::new();
    let mut rest = heading;
    while let Some((before, link)) = rest.split_once("](") {
        text += before;
        rest = link.split_once(')').map_or("", |(_, rest)| rest);
    }
    text += rest;
    let kept = text.trim().to_lowercase();
    let kept = kept.chars().filter(|char| char.is_alphanumeric() || " -_".contains(*char));
    kept.map(|char| if char == ' ' { '-' } else { char }).collect()
}

/// Where links and pictures of a page lead, outside code.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        }
        if in_block {
            continue;
        }
        // Every other piece between backticks is code.
        let prose: String = line.split('`').step_by(2).collect();
        for (open, close) in [("](", ')'), ("src=\"", '"'), ("href=\"", '"')] {
            for rest in prose.split(open).skip(1) {
                let target = rest.split(close).next().unwrap_or_default();
                links.push(target.split(" \"").next().unwrap_or_default().to_owned());
            }
        }
        if let Some((_, target)) = prose.split_once("]: ").filter(|_| prose.starts_with('[')) {
            links.push(target.trim().to_owned());
        }
    }
    links
}

/// The pages that readers see: those that sync-docs keeps, and the other texts of the root.
fn pages() -> Vec<PathBuf> {
    let mut pages = files(&book(), "md");
    for folder in ["crates", "."] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let entry = entry.unwrap().path();
            let page = if entry.is_dir() { entry.join("README.md") } else { entry };
            if page.extension().is_some_and(|extension| extension == "md") && page.exists() {
                pages.push(page);
            }
        }
    }
    pages
}

fn experiments() -> String {
    fs::read_to_string(book().join("experiments.md")).unwrap()
}

/// What `demo` says when this is typed.
fn demo(typed: &str, args: &[&str]) -> String {
    let output = typed::demo(typed, args);
    assert!(output.status.success(), "demo {args:?}: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Runs sync-docs; true when it was content, and what it said on either stream.
fn sync(root: &Path, options: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sync-docs"));
    let output = command.arg("--root").arg(root).args(options).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// A small repository with one page, removed at the end.
struct Tree(PathBuf);

impl Tree {
    fn new(page: &str) -> Tree {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("docs-{}-{number}", std::process::id());
        let tree = Tree(Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder));
        tree.write("README.md", page);
        tree
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn page(&self) -> String {
        fs::read_to_string(self.0.join("README.md")).unwrap()
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // Nothing depends on it: the folder is in target/.
        let _ = fs::remove_dir_all(&self.0);
    }
}
