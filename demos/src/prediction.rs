//! `--predict`: you say first what will happen. Once you have guessed, you look more closely.

use crate::screen::Screen;
use crate::setup_error::SetupError;
use std::io::{self, BufRead};

/// A question about what an experiment will show, asked before its claim gives the answer away.
#[derive(Clone, Copy)]
pub struct Prediction {
    /// Says what will be done, and asks what will happen.
    pub question: &'static str,
    /// The possible answers; the experiment says with [`Scene::came`](crate::scene::Scene::came) which it was.
    pub choices: &'static [&'static str],
}

impl Prediction {
    /// Asks until it gets one of the letters; `None` for Enter alone, or at the end of the input.
    pub fn ask(&self, name: &str, screen: &mut Screen) -> Result<Option<&'static str>, SetupError> {
        screen.question(name, self.question).map_err(SetupError::Stdout)?;
        for (letter, choice) in ('a'..).zip(self.choices) {
            screen.choice(letter, choice).map_err(SetupError::Stdout)?;
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
