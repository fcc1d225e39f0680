//! Each chapter has what a chapter needs, and `docs/src/course.md` is the table of it. `REWRITE=1` writes the table anew.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod pages;

use pages::{book, files, root};
use std::fs;
use std::path::PathBuf;

/// What a chapter holds, counted in its Markdown.
struct Chapter {
    /// `10.1`
    number: String,
    title: String,
    /// Relative to docs/src.
    file: String,
    text: String,
}

#[test]
fn the_table_of_the_course_is_as_the_chapters_are() {
    let page = book().join("course.md");
    let text = fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once("<!-- table -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end of the table -->\n").unwrap();
    let fresh = format!("{before}<!-- table -->\n{}<!-- end of the table -->\n{after}", table());
    if std::env::var_os("REWRITE").is_some() {
        fs::write(page, fresh).unwrap();
    } else {
        assert_eq!(text, fresh, "REWRITE=1 cargo test -p demos --test course writes it anew");
    }
}

#[test]
fn each_chapter_has_what_a_chapter_needs() {
    let mut missing = Vec::new();
    for chapter in chapters() {
        let needs = [
            ("a number", !chapter.number.is_empty()),
            ("its minutes", chapter.minutes().is_some()),
            ("something to run", chapter.text.contains("\n```")),
            ("questions", chapter.questions() > 0),
            ("an answer to each question", chapter.questions() == chapter.answers()),
            ("notes for teachers", chapter.text.contains("<summary>For teachers</summary>")),
            ("its sources", chapter.text.contains("**Sources:**")),
            ("a situation to play with", chapter.text.contains("](playground.md#")),
            ("a word about the lab", chapter.text.contains("\n## Lab\n")),
            ("no mark for a picture that is not there", !chapter.text.contains("<!-- picture:")),
        ];
        let lacks = needs.into_iter().filter(|(_, has)| !has);
        missing.extend(lacks.map(|(what, _)| format!("{}: {what}", chapter.file)));
    }
    assert!(missing.is_empty(), "missing:\n{}", missing.join("\n"));
}

#[test]
fn each_experiment_is_shown_on_one_page() {
    let pages = files(&book(), "md").into_iter();
    let shown: Vec<(String, PathBuf)> = pages
        .flat_map(|page| {
            let text = fs::read_to_string(&page).unwrap();
            experiments(&text).into_iter().map(move |name| (name, page.clone()))
        })
        .collect();
    let mut wrong = Vec::new();
    for entry in fs::read_dir(root().join("demos/transcripts")).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        let pages: Vec<&PathBuf> =
            shown.iter().filter(|(shown, _)| *shown == name).map(|(_, page)| page).collect();
        if pages.len() != 1 {
            wrong.push(format!("{name}: {pages:?}"));
        }
    }
    // The reader has to know what to type.
    for (name, page) in &shown {
        let text = fs::read_to_string(page).unwrap();
        if !text.contains(&format!("scripts/demo.sh {name}")) {
            wrong.push(format!("{name}: {} doesn't say scripts/demo.sh {name}", page.display()));
        }
    }
    wrong.sort();
    assert!(wrong.is_empty(), "not on exactly one page:\n{}", wrong.join("\n"));
}

/// A quiz must come before its answer.
#[test]
fn each_experiment_asks_on_its_page_before_it_is_shown() {
    let pages = files(&book(), "md").into_iter();
    let pages: Vec<String> = pages.map(|page| fs::read_to_string(page).unwrap()).collect();
    let mut wrong = Vec::new();
    for name in demos::ALL.iter().map(|one| one.name) {
        let quiz = format!("\n<!-- quiz: {name} -->\n");
        let transcript = format!("<!-- from: demos/transcripts/{name}.txt");
        let picture = format!("](pictures/{name}.svg)");
        let times: usize = pages.iter().map(|page| page.matches(&quiz).count()).sum();
        let is_first = |page: &String| {
            page.split_once(&quiz).is_some_and(|(before, after)| {
                after.contains(&transcript)
                    && ![&transcript, &picture].iter().any(|shown| before.contains(*shown))
            })
        };
        if times != 1 || !pages.iter().any(is_first) {
            wrong.push(format!("{name}: {times}"));
        }
    }
    assert!(wrong.is_empty(), "no quiz, or several, or one on another page or too late: {wrong:?}");
}

fn table() -> String {
    let mut rows = String::from(
        "| chapter | experiments | pictures | Python | labs | questions | minutes |\n|---|---|---|---|---|---|---|\n",
    );
    let code = |names: Vec<String>| match names.is_empty() {
        true => "–".to_owned(),
        false => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    };
    let number = |count: usize| if count == 0 { "–".to_owned() } else { count.to_string() };
    let (mut all_questions, mut all_minutes) = (0, 0);
    for chapter in chapters() {
        let (minutes, planned) = chapter.minutes().unwrap_or_default();
        let labs =
            chapter.labs().iter().map(|lab| format!("[{lab}](labs/{lab}.md)")).collect::<Vec<_>>();
        let labs = if labs.is_empty() { "–".to_owned() } else { labs.join(", ") };
        rows += &format!(
            "| [{} {}]({}) | {} | {} | {} | {labs} | {} | {minutes}{} |\n",
            chapter.number,
            chapter.title,
            chapter.file,
            code(experiments(&chapter.text)),
            number(chapter.pictures()),
            number(chapter.python()),
            chapter.questions(),
            if planned { " (planned)" } else { "" },
        );
        all_questions += chapter.questions();
        all_minutes += minutes;
    }
    rows + &format!("| all of them | | | | | {all_questions} | {all_minutes} |\n")
}

impl Chapter {
    /// How long it takes to read and to run, and whether that's only planned: `*About 15 minutes (planned).*`
    fn minutes(&self) -> Option<(u32, bool)> {
        let line = self.text.lines().find(|line| line.starts_with("*About "))?;
        Some((line.split(' ').nth(1)?.parse().ok()?, line.contains("(planned)")))
    }

    fn pictures(&self) -> usize {
        self.text.matches("](pictures/").count() + self.text.matches("](speed/").count()
    }

    /// How many Python programs it shows.
    fn python(&self) -> usize {
        self.text.matches("```python").count()
    }

    fn labs(&self) -> Vec<&str> {
        let links = self.text.split("](labs/").skip(1);
        let names = links.filter_map(|rest| rest.split(".md").next());
        let mut labs: Vec<&str> = Vec::new();
        for name in names.filter(|name| !["index", "zoo", "instructors", "new-lab"].contains(name))
        {
            if !labs.contains(&name) {
                labs.push(name);
            }
        }
        labs
    }

    fn questions(&self) -> usize {
        self.questions_part().lines().filter(|line| is_numbered(line)).count()
    }

    fn answers(&self) -> usize {
        self.questions_part().matches("<summary>Answer").count()
    }

    fn questions_part(&self) -> &str {
        let part = self.text.split("\n## Questions\n").nth(1).unwrap_or_default();
        part.split("\n## ").next().unwrap_or_default()
    }
}

/// The experiments whose transcripts a page shows.
fn experiments(text: &str) -> Vec<String> {
    let marks = text.split("<!-- from: demos/transcripts/").skip(1);
    marks.map(|rest| rest.split(".txt").next().unwrap_or_default().to_owned()).collect()
}

/// `3. Which call waits?`
fn is_numbered(line: &str) -> bool {
    line.split_once(". ").is_some_and(|(number, _)| number.parse::<u32>().is_ok())
}

/// The chapters, as SUMMARY.md has them: everything before the labs.
fn chapters() -> Vec<Chapter> {
    let summary = fs::read_to_string(book().join("SUMMARY.md")).unwrap();
    let (chapters, _) = summary.split_once("\n# Labs\n").unwrap();
    let files = chapters.lines().filter_map(|line| {
        let (_, target) = line.trim_start().strip_prefix("- [")?.split_once("](")?;
        Some(target.trim_end_matches(')').to_owned())
    });
    let chapter = |file: String| {
        let text = fs::read_to_string(book().join(&file)).unwrap();
        let heading = text.lines().next().unwrap_or_default().trim_start_matches("# ");
        let (number, title) = heading.split_once(' ').unwrap_or_default();
        let is_number = number.starts_with(|first: char| first.is_ascii_digit());
        let number = if is_number { number.trim_end_matches('.') } else { "" };
        Chapter { number: number.to_owned(), title: title.to_owned(), file, text }
    };
    let chapters: Vec<Chapter> = files.filter(|file| file != "course.md").map(chapter).collect();
    assert!(chapters.len() >= 15, "SUMMARY.md lists {} chapters", chapters.len());
    chapters
}
