//! Checks the arguments before anything runs: you shouldn't have to wait to learn about a typo.

use demos::{ALL, Options};

/// Why this can't be done, and what to try; `None` if it can.
pub fn objection(names: &[String], all: bool, options: &Options) -> Option<String> {
    if names.is_empty() && !all {
        return Some("name an experiment, or --all; scripts/demo.sh lists them".to_owned());
    }
    let unknown = |name: &&String| !ALL.iter().any(|one| one.name == **name);
    if let Some(name) = names.iter().find(unknown) {
        let guess = nearest(name).map(|near| format!("did you mean {near}? "));
        let (name, guess) = (columns::cut(&columns::visible(name), 40), guess.unwrap_or_default());
        return Some(format!(
            "no experiment is called \"{name}\"; {guess}scripts/demo.sh lists them"
        ));
    }
    if options.picture.is_some() && names.len() > 1 {
        return Some("--picture is for one experiment: name one".to_owned());
    }
    // A name alone has an empty parent: this folder.
    let folder = options.picture.as_ref().and_then(|file| file.parent());
    let missing = folder.filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir());
    if let Some(folder) = missing {
        return Some(format!("there is no folder {}", folder.display()));
    }
    None
}

/// The experiment that was most likely meant: one whose name begins with the given name or the other way round, or else
/// the one with the fewest letters to change, if those are at most two and at most half of them.
fn nearest(name: &str) -> Option<&'static str> {
    let names = || ALL.iter().map(|one| one.name);
    let begins = |one: &&str| name.len() > 1 && (one.starts_with(name) || name.starts_with(*one));
    names().find(begins).or_else(|| {
        let near = names().map(|one| (changes(name, one), one)).min()?;
        (near.0 <= 2 && near.0 * 2 <= name.chars().count()).then_some(near.1)
    })
}

/// How many letters must be added, left out or replaced to turn `from` into `to` (the Levenshtein distance).
fn changes(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    // For each beginning of `to`: the changes that make it of the letters of `from` so far.
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for letter in from.chars() {
        let mut diagonal = row[0];
        row[0] += 1;
        for (at, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_nonsense_is_not() {
        let check = |typed: &str, meant: Option<&str>| assert_eq!(nearest(typed), meant, "{typed}");
        check("stiky", Some("sticky"));
        check("case3", Some("case1"));
        check("short", Some("short-read"));
        check("goodby", Some("goodbye"));
        check("ngale", Some("nagle"));
        check("nosuch", None);
        check("x", None);
    }
}
