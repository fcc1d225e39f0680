//! For a terminal: everyone's points, what failed, and how often each case failed.

use std::fmt::Write;

use crate::desk::grade::Grading;
use crate::verdict::{Outcome, escape, escape_lines};

pub(super) fn render(grading: &Grading) -> String {
    let mut text = String::new();
    for graded in &grading.submissions {
        let name = escape(&graded.name);
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{name}: {} of {} points", graded.score(), graded.max_score());
        if let Some(error) = &graded.error {
            let _ = writeln!(text, "  {}", escape_lines(error).replace('\n', "\n  "));
            continue;
        }
        for case in &graded.cases {
            if let Outcome::Failed(failure) = &case.outcome {
                let _ =
                    writeln!(text, "  ✗ {} ({}): {}", case.id, case.points, escape(&failure.what));
            }
        }
    }
    let all = grading.submissions.len();
    let full = grading.submissions.iter().filter(|graded| graded.passed()).count();
    let unjudged = grading.submissions.iter().filter(|graded| graded.error.is_some()).count();
    let _ = writeln!(
        text,
        "\nsubmissions: {all}, with all points: {full}, not judged: {unjudged} (seed {}, {:.1} s)",
        grading.seed, grading.seconds
    );
    for (case, failed, judged) in failures(grading) {
        let _ = writeln!(text, "  {failed} of {judged} failed {case}");
    }
    text
}

/// The cases that somebody failed, in the order of the labs: the name, how many failed, and how many were judged.
fn failures(grading: &Grading) -> Vec<(String, usize, usize)> {
    let mut counts: Vec<(String, usize, usize)> = Vec::new();
    for graded in grading.submissions.iter().filter(|graded| graded.error.is_none()) {
        for case in &graded.cases {
            let name = format!("{}/{}", graded.lab.as_deref().unwrap_or_default(), case.id);
            let failed = usize::from(case.outcome != Outcome::Passed);
            match counts.iter_mut().find(|count| count.0 == name) {
                Some(count) => *count = (name, count.1 + failed, count.2 + 1),
                None => counts.push((name, failed, 1)),
            }
        }
    }
    counts.retain(|count| count.1 > 0);
    counts
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn it_tells_of_each_and_of_all() {
        let mut grading = samples::grading();
        grading.submissions[2].name = "d\u{1b}".to_owned();
        grading.submissions[2].error = Some("there is no lab.toml".to_owned());
        assert_eq!(
            render(&grading),
            "alice: 3 of 3 points\n\
             bob: 1 of 3 points\n  ✗ cut-everywhere (2): the stream ended after 3 of 5 bytes\n\
             d\\u{1b}: 0 of 0 points\n  there is no lab.toml\n\
             carol: 0 of 3 points\n  the build command ended with exit code 1: cc\n    stderr: no\n\n\
             submissions: 4, with all points: 1, not judged: 2 (seed 7, 1.5 s)\n  \
             1 of 2 failed echo/cut-everywhere\n"
        );
    }
}
