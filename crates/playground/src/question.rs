//! The page asks in JSON, and gets its answers in JSON.

use crate::play::{Situation, play};
use crate::replay::{Choice, replay};
use crate::shown::Refusal;
use serde::Deserialize;

/// What the page asks for.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Question {
    /// What it needs to show a run: elements, style, and how wide a picture can be.
    Page {},
    /// Play this.
    Play(Situation),
    /// Show what was recorded.
    Replay(Choice),
}

/// Answers one question from the page. If that's not possible, the answer has an `error`: what was expected, and what came.
///
/// ```
/// let answer = playground::answer(r#"{"play": {"messages": "hi", "framing": "none", "cut": "0", "reads": "1"}}"#);
/// assert!(answer.starts_with(r#"{"field":"cut","error":"expected * (all in one piece)"#), "{answer}");
/// ```
pub fn answer(question: &str) -> String {
    let shown = match serde_json::from_str(question) {
        Ok(Question::Page {}) => {
            let style = format!(
                ":host {{ {} }}\n:host([data-theme=dark]) {{ {} }}\n{}",
                timeline::LIGHT,
                timeline::DARK,
                timeline::STEPS_CSS
            );
            let page = serde_json::json!({
                "html": timeline::STEPS_HTML,
                "style": style,
                "widest": timeline::WIDTH,
            });
            return page.to_string();
        }
        Ok(Question::Play(situation)) => play(&situation),
        Ok(Question::Replay(choice)) => replay(&choice),
        Err(error) => Err(Refusal::of(&error)),
    };
    let answer = match shown {
        Ok(shown) => serde_json::to_string(&shown),
        Err(refusal) => serde_json::to_string(&refusal),
    };
    answer.unwrap_or_else(|error| serde_json::json!({ "error": error.to_string() }).to_string())
}
