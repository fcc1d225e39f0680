//! The ratios of one part as a picture: a bar for each, its spread as a line, and its goal as a mark.

use std::fmt::Write;

use super::Section;
use crate::rounds::{Ratio, Spread};

/// In pixels: a picture as wide as those of the book, names on the left, numbers on the right.
const WIDTH: f64 = 860.0;
const FROM: f64 = 270.0;
const TO: f64 = 700.0;
const LINE: f64 = 24.0;

/// The largest ratio that fits. What is longer is cut off there and ends in an arrow; its number says how long it is.
const MOST: f64 = 2.0;
const ARROW: f64 = 10.0;

/// The colours are those of `timeline`'s pictures.
const LIGHT: [(&str, &str); 5] = [
    ("paper", "#ffffff"),
    ("ink", "#1f2328"),
    ("quiet", "#424a53"),
    ("bar", "#b5daf7"),
    ("goal", "#a4161a"),
];
const DARK: [(&str, &str); 5] = [
    ("paper", "#14181d"),
    ("ink", "#f0f3f6"),
    ("quiet", "#d0d7de"),
    ("bar", "#1d4f80"),
    ("goal", "#ff9b92"),
];

/// The rules, with a name where a theme puts its colour: not every program that shows an SVG knows variables.
const RULES: &str = "\
.paper { fill: paper; }
text { font-family: ui-monospace, SFMono-Regular, Menlo, \"DejaVu Sans Mono\", monospace; font-size: 12px; fill: ink; }
.what { font-weight: 600; }
.key { fill: quiet; font-size: 11px; }
.bar { fill: bar; }
.cut { stroke: paper; stroke-width: 4; }
.spread { stroke: ink; stroke-width: 1.5; }
.more { fill: ink; }
.one { stroke: quiet; stroke-dasharray: 2 3; }
.goal { stroke: goal; stroke-width: 3; }
";

/// `None` if nothing was compared.
pub fn svg(section: &Section) -> Option<String> {
    let rows = section.rows.iter().filter(|row| !row.ratios.is_empty());
    let (mut body, mut about, mut y) = (String::new(), String::new(), 16.0);
    for row in rows.clone() {
        text(&mut body, "what", 16.0, y + 14.0, &row.what);
        y += LINE;
        let end = y + LINE * row.ratios.len() as f64;
        line(&mut body, "one", [x(1.0), y - 2.0], [x(1.0), end - 4.0]);
        for ratio in &row.ratios {
            bar(&mut body, y, ratio);
            let Ratio { name, spread, .. } = ratio;
            let cut = if spread.median > MOST { ", longer than its bar" } else { "" };
            let _ = writeln!(about, "{}: {name} {:.2}{cut}.", row.what, spread.median);
            y += LINE;
        }
        y += 12.0;
    }
    if about.is_empty() {
        return None;
    }
    let mut key =
        "bar: median; line: least to most; dashes: 1, as good as the other; thick mark: the goal"
            .to_owned();
    if rows.flat_map(|row| &row.ratios).any(|ratio| ratio.spread.most > MOST) {
        let _ = write!(key, "; arrow: more than {MOST}");
    }
    text(&mut body, "key", 16.0, y + 10.0, &key);
    let height = y + 26.0;
    let (name, title, about) = (section.name, escape(section.title), escape(about.trim_end()));
    let (light, dark) = (themed(&LIGHT), themed(&DARK));
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" style=\"max-width:100%;height:auto\" role=\"img\" \
         aria-labelledby=\"title-{name} desc-{name}\">\n\
         <title id=\"title-{name}\">{title}</title>\n<desc id=\"desc-{name}\">{about}</desc>\n\
         <style>\n{light}@media (prefers-color-scheme: dark) {{\n{dark}}}\n</style>\n\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\" rx=\"8\"/>\n{body}</svg>\n"
    ))
}

fn bar(body: &mut String, y: f64, Ratio { name, spread, goal, .. }: &Ratio) {
    let Spread { median, least, most } = spread;
    let (middle, tip) = (y + 8.0, |ratio: f64| if ratio > MOST { ARROW } else { 0.0 });
    text(body, "name", 32.0, y + 12.0, name);
    let (end, arrow) = (x(*median), tip(*median));
    let _ = writeln!(
        body,
        "<path class=\"bar\" d=\"M{FROM} {y}H{end:.1}l{arrow} 8l-{arrow} 8H{FROM}z\"/>"
    );
    if *median > MOST {
        line(body, "cut", [end - 16.0, y + 18.0], [end - 8.0, y - 2.0]);
    }
    if *least < MOST {
        let end = x(*most) + tip(*most);
        line(body, "spread", [x(*least), middle], [end, middle]);
        if *most > MOST {
            let _ = writeln!(body, "<path class=\"more\" d=\"M{end:.1} {middle}l-6 -4v8z\"/>");
        }
    }
    if let Some(goal) = goal {
        line(body, "goal", [x(*goal), y - 2.0], [x(*goal), y + 18.0]);
    }
    let goal = goal.map_or(String::new(), |goal| format!(" (≥ {goal})"));
    text(body, "number", TO + ARROW + 6.0, y + 12.0, &format!("{median:.2}{goal}"));
}

fn x(ratio: f64) -> f64 {
    FROM + (TO - FROM) * ratio.min(MOST) / MOST
}

fn text(body: &mut String, class: &str, x: f64, y: f64, words: &str) {
    let words = escape(words);
    let _ = writeln!(body, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{words}</text>");
}

fn line(body: &mut String, class: &str, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2]) {
    let _ = writeln!(
        body,
        "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
    );
}

fn themed(colours: &[(&str, &str)]) -> String {
    colours.iter().fold(RULES.to_owned(), |rules, (name, colour)| {
        rules.replace(&format!(": {name};"), &format!(": {colour};"))
    })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rounds::{Better, Contender, Row, play};

    /// The picture of one ratio, which had these values in the rounds.
    fn drawn(values: [f64; 3]) -> String {
        let mut rounds = values.into_iter();
        let ours = Contender::new("ours", move || Ok(rounds.next().unwrap_or_default()));
        let rounds = play(0, 3, vec![ours, Contender::new("other", || Ok(1.0))]).unwrap();
        let row = Row::new("requests", "/s", Better::More, &rounds, |value| *value)
            .compare("ours", "other", None);
        svg(&Section { name: "one", title: "One", rows: vec![row] }).unwrap()
    }

    #[test]
    fn a_bar_that_is_cut_off_is_marked_and_says_how_long_it_is() {
        let [whole, cut, far] = [[1.9, 1.95, 2.0], [1.9, 2.02, 2.1], [75.0, 75.4, 76.0]].map(drawn);
        for (picture, is_cut, number) in
            [(&whole, false, "1.95"), (&cut, true, "2.02"), (&far, true, "75.40")]
        {
            let marks =
                ["class=\"cut\"", "l10 8l-10 8", "longer than its bar", "arrow: more than 2"];
            for mark in marks {
                assert_eq!(picture.contains(mark), is_cut, "{mark}: {picture}");
            }
            assert!(picture.contains(&format!(">{number}</text>")), "{picture}");
            assert!(picture.contains(&format!("ours / other {number}")), "{picture}");
            let paper = [".cut { stroke: #ffffff;", ".cut { stroke: #14181d;"];
            assert!(paper.iter().all(|rule| picture.contains(rule)), "light and dark: {picture}");
        }
        // The line from least to most has an arrow if it's cut itself, and isn't there if it begins beyond the scale.
        assert!(cut.contains("class=\"more\"") && cut.contains("class=\"spread\""));
        assert!(!whole.contains("class=\"more\"") && !far.contains("class=\"spread\""));
    }
}
