//! One page: finds its marks, and puts the text that they name into the blocks below them.

use crate::quiz;
use std::fs;
use std::path::Path;

/// A page as it should be, and where it differed. Lines count from 1.
pub(crate) struct Page {
    /// The whole text. A block whose mark is wrong stays as it was.
    pub(crate) text: String,
    /// The marks whose blocks differed, with what they name.
    pub(crate) stale: Vec<(usize, String)>,
    /// The marks that cannot be followed, with the reason.
    pub(crate) problems: Vec<(usize, String)>,
}

/// Follows every mark of a page; paths in marks start at `root`.
pub(crate) fn sync(root: &Path, text: &str) -> Page {
    let lines: Vec<&str> = text.lines().collect();
    let mut page = Page { text: String::new(), stale: Vec::new(), problems: Vec::new() };
    let mut at = 0;
    while at < lines.len() {
        if let Some(name) = mark(lines[at], "quiz:") {
            page.push(lines[at]);
            at += 1; // from here on the mark's number, counted from 1, is `at`
            at += page.sync_quiz(name, &lines[at..], at);
            continue;
        }
        let source = mark(lines[at], "from:");
        if source.is_some() {
            page.push(lines[at]);
            at += 1;
        }
        let Some(fence) = lines.get(at).and_then(|line| Fence::opened_by(line)) else {
            if source.is_some() {
                page.problems.push((at, "no fenced block directly below the mark".to_owned()));
            } else {
                page.push(lines[at]);
                at += 1;
            }
            continue;
        };
        page.push(lines[at]);
        let rest = &lines[at + 1..];
        // Only a block of which nothing will be replaced may show a mark.
        let ends = |line: &str| fence.is_closed_by(line) || source.is_some() && is_mark(line);
        let end = rest.iter().position(|line| ends(line));
        let Some(length) = end.filter(|&end| fence.is_closed_by(rest[end])) else {
            let reason = "this fenced block is never closed, or another mark comes first";
            page.problems.push((at + 1, reason.to_owned()));
            rest.iter().for_each(|line| page.push(line));
            break;
        };
        let block = &rest[..length];
        match source.map(|source| (source, excerpt(root, source, &fence))) {
            Some((source, Ok(fresh))) => {
                if !fresh.iter().eq(block) {
                    page.stale.push((at, source.to_owned()));
                }
                fresh.iter().for_each(|line| page.push(line));
            }
            Some((source, Err(reason))) => {
                page.problems.push((at, format!("{source}: {reason}")));
                block.iter().for_each(|line| page.push(line));
            }
            None => block.iter().for_each(|line| page.push(line)),
        }
        page.push(rest[length]);
        at += length + 2;
    }
    page
}

impl Page {
    /// Pushes the quiz of this experiment in place of the lines at the front of `rest`, whose mark is on line `at`. Returns how
    /// many lines it replaced.
    fn sync_quiz(&mut self, name: &str, rest: &[&str], at: usize) -> usize {
        let end = rest.iter().position(|line| *line == END_OF_QUIZ || is_mark(line));
        let Some(length) = end.filter(|&end| rest[end] == END_OF_QUIZ) else {
            let reason =
                format!("no line `{END_OF_QUIZ}` below the mark, or another mark comes first");
            self.problems.push((at, reason));
            return 0;
        };
        let block = &rest[..length];
        match quiz::lines(name) {
            Some(fresh) => {
                if !fresh.iter().eq(block) {
                    self.stale.push((at, format!("the experiment {name}")));
                }
                fresh.iter().for_each(|line| self.push(line));
            }
            None => {
                self.problems.push((at, format!("no experiment is called {name}")));
                block.iter().for_each(|line| self.push(line));
            }
        }
        length
    }

    fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }
}

const END_OF_QUIZ: &str = "<!-- end of quiz -->";

/// What a line names after `kind`, if it is a mark of that kind: `from:` names a file, `quiz:` an experiment.
fn mark<'a>(line: &'a str, kind: &str) -> Option<&'a str> {
    let name = line.trim().strip_prefix("<!--")?.trim_start().strip_prefix(kind)?;
    // A mark without its end is still a mark. It names the whole line, which doesn't exist, so it's reported.
    Some(name.strip_suffix("-->").map_or(line, str::trim))
}

fn is_mark(line: &str) -> bool {
    ["from:", "quiz:"].iter().any(|kind| mark(line, kind).is_some())
}

/// The line that opened a fenced block (CommonMark 0.31, section 4.5; backticks only).
struct Fence<'a> {
    indent: &'a str,
    ticks: usize,
}

impl<'a> Fence<'a> {
    fn opened_by(line: &'a str) -> Option<Fence<'a>> {
        let opening = line.trim_start();
        let info = opening.trim_start_matches('`');
        let ticks = opening.len() - info.len();
        let indent = &line[..line.len() - opening.len()];
        (ticks >= 3 && !info.contains('`')).then_some(Fence { indent, ticks })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let line = line.trim();
        line.len() >= self.ticks && line.bytes().all(|byte| byte == b'`')
    }
}

/// The lines that the block should have.
fn excerpt(root: &Path, source: &str, fence: &Fence<'_>) -> Result<Vec<String>, String> {
    let (path, name) =
        source.split_once('#').map_or((source, None), |(path, name)| (path, Some(name)));
    let text = fs::read_to_string(root.join(path)).map_err(|error| error.to_string())?;
    let mut lines: Vec<&str> = text.lines().collect();
    if let Some(name) = name {
        lines = between(&lines, name)?.to_vec();
    }
    lines.retain(|line| anchor(line).is_none());
    if lines.iter().all(|line| line.trim().is_empty()) {
        return Err("it is empty".to_owned());
    }
    if lines.iter().any(|line| fence.is_closed_by(line)) {
        return Err("it would close the block: open it with more backticks".to_owned());
    }
    let common = match name {
        Some(_) => common_indent(&lines),
        None => 0,
    };
    Ok(lines
        .into_iter()
        .map(|line| indented(fence.indent, line.get(common..).unwrap_or_default()))
        .collect())
}

fn between<'a, 'b>(lines: &'b [&'a str], name: &str) -> Result<&'b [&'a str], String> {
    if let Some(item) = item(lines, name) {
        return Ok(item);
    }
    let start = only(lines, Anchor::Start(name))?;
    let end = only(lines, Anchor::End(name))?;
    lines.get(start + 1..end).ok_or_else(|| "the anchor ends before it starts".to_owned())
}

/// The function, type or constant of this name, with the comment above it. It begins in the first
/// column, as formatted code does, and ends where the first column is used again: in Rust by its
/// closing brace, in Python by what comes next.
fn item<'a, 'b>(lines: &'b [&'a str], name: &str) -> Option<&'b [&'a str]> {
    let head = lines.iter().position(|line| declares(line, name))?;
    let above = lines[..head].iter().rev();
    let start =
        head - above.take_while(|line| line.starts_with("///") || line.starts_with("#[")).count();
    let python = ["def ", "class "].iter().any(|word| lines[head].starts_with(word));
    let rest = &lines[head..];
    let length = if python {
        let next =
            rest[1..].iter().position(|line| !line.is_empty() && !line.starts_with([' ', ')']));
        let length = next.map_or(rest.len(), |next| next + 1);
        length - rest[..length].iter().rev().take_while(|line| line.is_empty()).count()
    } else {
        rest.iter()
            .position(|line| *line == "}" || !line.starts_with(' ') && line.ends_with(';'))?
            + 1
    };
    Some(&lines[start..head + length])
}

fn declares(line: &str, name: &str) -> bool {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let words = ["fn ", "struct ", "enum ", "trait ", "const ", "def ", "class "];
    let rest = words.iter().find_map(|word| line.strip_prefix(word));
    rest.and_then(|rest| rest.strip_prefix(name))
        .is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_'))
}

/// The position of the one line with this anchor.
fn only(lines: &[&str], wanted: Anchor<'_>) -> Result<usize, String> {
    let mut found = lines.iter().enumerate().filter(|(_, line)| anchor(line) == Some(wanted));
    let what = match wanted {
        Anchor::Start(name) => format!("ANCHOR: {name}"),
        Anchor::End(name) => format!("ANCHOR_END: {name}"),
    };
    match (found.next(), found.next()) {
        (Some((at, _)), None) => Ok(at),
        (None, _) => Err(format!("there is no line `{what}`, and no item of that name")),
        (Some(_), Some(_)) => Err(format!("there is more than one line `{what}`")),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Anchor<'a> {
    Start(&'a str),
    End(&'a str),
}

/// The anchor that a line sets, if the line is a comment with an anchor in it and nothing else.
fn anchor(line: &str) -> Option<Anchor<'_>> {
    let line = line.trim();
    let comment = ["//", "#", "<!--"].iter().find_map(|opening| line.strip_prefix(opening))?;
    let comment = comment.strip_suffix("-->").unwrap_or(comment).trim();
    match comment.split_once(": ")? {
        ("ANCHOR", name) => Some(Anchor::Start(name)),
        ("ANCHOR_END", name) => Some(Anchor::End(name)),
        _ => None,
    }
}

/// The spaces that every line with something on it begins with.
fn common_indent(lines: &[&str]) -> usize {
    let lines = lines.iter().filter(|line| !line.trim().is_empty());
    lines.map(|line| line.len() - line.trim_start_matches(' ').len()).min().unwrap_or(0)
}

fn indented(indent: &str, line: &str) -> String {
    if line.is_empty() { String::new() } else { format!("{indent}{line}") }
}
