//! An experiment's question as a quiz: the possible answers, each with its explanation folded away.
//!
//! It's made of `<details>`, which every browser can open, with a mouse or a keyboard, without a script. Of those with the
//! same `name`, only one is open at a time. Folded, they all look alike.

use demos::{ALL, Choice};

/// The pages' own lines are this wide.
const COLUMNS: usize = 140;

/// The lines of the quiz, if there is an experiment of this name.
pub(crate) fn lines(name: &str) -> Option<Vec<String>> {
    let prediction = ALL.iter().find(|one| one.name == name)?.prediction;
    let question = format!("**Predict.** {}", capitalized(prediction.question));
    let mut lines = columns::wrap(&question, 0, 0, COLUMNS);
    lines.push(String::new());
    for (letter, choice) in ('a'..).zip(prediction.choices) {
        let Choice { says, because, is_right } = choice;
        lines.push(format!("<details name=\"quiz-{name}\"><summary>{letter}) {says}</summary>"));
        lines.push(String::new());
        let verdict = if *is_right { "Yes." } else { "No." };
        lines.extend(columns::wrap(&format!("**{verdict}** {because}"), 0, 0, COLUMNS));
        lines.push(String::new());
        lines.push("</details>".to_owned());
    }
    Some(lines)
}

/// In the terminal, the question follows the name of its experiment; on a page, it starts a sentence.
fn capitalized(question: &str) -> String {
    let mut letters = question.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
