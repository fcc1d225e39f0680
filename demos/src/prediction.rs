//! `--predict`: you say first what will happen. Once you have guessed, you look more closely.
//!
//! The chapter that shows the experiment asks the same question, as a quiz: `sync-docs` writes it there.

use crate::screen::Screen;
use crate::setup_error::SetupError;
use std::io::{self, BufRead};

/// A question about what an experiment will show, asked before its claim gives the answer away.
#[derive(Clone, Copy)]
pub struct Prediction {
    /// Says what will be done, and asks what will happen.
    pub question: &'static str,
    /// The possible answers, one of them right. After its run, the experiment reports with `Scene::came` which one came true.
    pub choices: &'static [Choice],
}

/// A possible answer.
pub struct Choice {
    /// What will happen, if you believe this.
    pub says: &'static str,
    /// Why it comes true; or the belief behind it, and what's true instead. One to three sentences.
    pub because: &'static str,
    /// Whether it comes true.
    pub is_right: bool,
}

/// The choice that comes true.
pub const fn right(says: &'static str, because: &'static str) -> Choice {
    Choice { says, because, is_right: true }
}

/// A choice that doesn't come true.
pub const fn wrong(says: &'static str, because: &'static str) -> Choice {
    Choice { says, because, is_right: false }
}

impl Prediction {
    /// Asks until it gets one of the letters; `None` for Enter alone, or at the end of the input.
    pub(crate) fn ask(
        &self,
        name: &str,
        screen: &mut Screen,
    ) -> Result<Option<&'static Choice>, SetupError> {
        screen.question(name, self.question).map_err(SetupError::Stdout)?;
        for (letter, choice) in ('a'..).zip(self.choices) {
            screen.choice(letter, choice.says).map_err(SetupError::Stdout)?;
        }
        let mut prompt = "your letter, or Enter alone to skip: ";
        loop {
            screen.your_turn(prompt).map_err(SetupError::Stdout)?;
            prompt = "your letter: ";
            let mut line = Vec::new();
            io::stdin().lock().read_until(b'\n', &mut line).map_err(SetupError::Stdin)?;
            if line.trim_ascii().is_empty() {
                screen.text("(no answer)\n\n").map_err(SetupError::Stdout)?;
                return Ok(None);
            }
            let typed = columns::cut(&columns::visible_bytes(line.trim_ascii()), 20).to_lowercase();
            let letters = ('a'..).map(String::from).zip(self.choices);
            let chosen = letters.into_iter().find(|(letter, _)| *letter == typed);
            if let Some((_, choice)) = chosen {
                screen.blank().map_err(SetupError::Stdout)?;
                return Ok(Some(choice));
            }
            let last = ('a'..).nth(self.choices.len().saturating_sub(1)).unwrap_or('a');
            let wanted = format!("expected a letter from a to {last}, got \"{typed}\"\n");
            screen.text(&wanted).map_err(SetupError::Stdout)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Choice;
    use crate::experiments::ALL;
    use std::collections::BTreeSet;
    use std::fs;

    fn choices() -> impl Iterator<Item = (&'static str, &'static Choice)> {
        ALL.iter().flat_map(|one| one.prediction.choices.iter().map(|choice| (one.name, choice)))
    }

    #[test]
    fn each_question_has_one_right_answer_and_several_to_choose_from() {
        for one in ALL {
            let choices = one.prediction.choices;
            let right = choices.iter().filter(|choice| choice.is_right).count();
            let different: BTreeSet<_> = choices.iter().map(|choice| choice.says).collect();
            assert_eq!(right, 1, "{}", one.name);
            assert!(choices.len() >= 3 && different.len() == choices.len(), "{}", one.name);
        }
    }

    /// If it were the same letter most of the time, nobody would have to think.
    #[test]
    fn no_letter_is_right_for_half_of_the_questions() {
        for letter in 0..3 {
            let is_right = |one: &&crate::Experiment| one.prediction.choices[letter].is_right;
            let times = ALL.iter().filter(is_right).count();
            assert!(2 * times < ALL.len() && 5 * times > ALL.len(), "{letter}: {times}");
        }
    }

    #[test]
    fn each_choice_has_a_short_explanation_of_its_own() {
        let mut known = BTreeSet::new();
        for (name, Choice { says, because, .. }) in choices() {
            let words = because.split(' ').count();
            assert!((8..=45).contains(&words), "{name}, {says}: {words} words");
            assert!(because.ends_with('.'), "{name}, {says}: {because}");
            assert!(known.insert(because), "{name}, {says}: another choice has the same one");
        }
    }

    /// A terminal shows the text as it is, and a page shows it as Markdown, so the only markup is that of code.
    #[test]
    fn a_question_reads_the_same_in_a_terminal_and_on_a_page() {
        let markup = ['*', '<', '>', '&', '[', '\\', '\n'];
        for one in ALL {
            let explanations = one.prediction.choices.iter().map(|choice| choice.because);
            for text in explanations.chain([one.prediction.question]) {
                let parts: Vec<&str> = text.split('`').collect();
                let plain = parts.iter().step_by(2).all(|part| !part.contains(markup));
                assert!(parts.len() % 2 == 1 && plain, "{}: {text}", one.name);
            }
            for Choice { says, .. } in one.prediction.choices {
                assert!(!says.contains(markup) && !says.contains('`'), "{}: {says}", one.name);
            }
        }
    }

    /// The numbers in a sentence about "our run" come from its transcript, or from the question.
    #[test]
    fn numbers_of_our_run_are_in_its_transcript() {
        let mut found = 0;
        for one in ALL {
            let transcript = format!("{}/transcripts/{}.txt", env!("CARGO_MANIFEST_DIR"), one.name);
            let transcript = fs::read_to_string(transcript).unwrap();
            let known: BTreeSet<String> =
                numbers(&transcript).chain(numbers(one.prediction.question)).collect();
            for choice in one.prediction.choices {
                let plain: String = choice.because.split('`').step_by(2).collect();
                let quoted = plain.split(". ").filter(|sentence| sentence.contains("our run"));
                for number in quoted.flat_map(numbers) {
                    found += 1;
                    let because = choice.because;
                    assert!(known.contains(&number), "{}: {number}: {because}", one.name);
                }
            }
        }
        assert!(found > 20, "{found}");
    }

    #[test]
    fn a_number_is_a_whole_one() {
        let found: Vec<String> =
            numbers("got 4,096 of 100000 (in 5.0 s, IPv4), --reads 2,5.").collect();
        assert_eq!(found, ["4096", "100000", "5.0", "2", "5"]);
    }

    /// The numbers in a text, each without the commas that group its digits.
    fn numbers(text: &str) -> impl Iterator<Item = String> {
        let words = text.split(|char: char| !char.is_alphanumeric() && !",.".contains(char));
        let numbers = words
            .map(|word| word.trim_matches([',', '.']))
            .filter(|word| word.starts_with(|first: char| first.is_ascii_digit()));
        numbers.flat_map(|number| match number.split(',').skip(1).all(|digits| digits.len() == 3) {
            true => vec![number.replace(',', "")],
            false => number.split(',').map(str::to_owned).collect(),
        })
    }
}
