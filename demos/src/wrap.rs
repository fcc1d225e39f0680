//! Breaks what is longer than a line, between words.

/// The words in lines of at most `columns`, one after the other; `used` columns of the first are taken already. A word
/// longer than a line stays whole.
pub fn lines<'a>(words: impl Iterator<Item = &'a str>, used: usize, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut left = columns.saturating_sub(used);
    for word in words {
        let wide = width(word);
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if wide < left => {
                *line += " ";
                *line += word;
                left -= 1;
            }
            _ => {
                lines.push(word.to_owned());
                left = columns;
            }
        }
        left = left.saturating_sub(wide);
    }
    lines
}

/// Prose in lines of at most `columns`: the first begins behind `used` of them, the others behind `indent`, which are
/// no more.
pub fn prose(text: &str, used: usize, indent: usize, columns: usize) -> String {
    let lines = lines(text.split(' '), used.saturating_sub(indent), columns.saturating_sub(indent));
    lines.join(&format!("\n{:indent$}", ""))
}

/// Columns on a terminal. Chinese takes two a character; that everything beyond ASCII does is too careful, and never
/// too wide.
pub fn width(text: &str) -> usize {
    text.chars().map(|char| if char.is_ascii() { 1 } else { 2 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_too_long_and_no_word_is_broken() {
        assert_eq!(prose("one two three", 2, 2, 20), "one two three");
        assert_eq!(prose("one two three", 2, 2, 15), "one two three");
        assert_eq!(prose("one two three", 2, 2, 14), "one two\n  three");
        assert_eq!(prose("one two three", 5, 2, 12), "one two\n  three");
        assert_eq!(prose("one two three", 6, 2, 12), "one\n  two three");
        assert_eq!(prose("a verylongword b", 1, 1, 5), "a\n verylongword\n b");
        assert_eq!(prose("你好 你好", 0, 0, 8), "你好\n你好");
    }
}
