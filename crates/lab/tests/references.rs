//! The programs that come with a lab: each starter fails, and each reference solution passes every case, whatever the
//! seed.
//!
//! ```text
//! $ cargo build -p lab --examples          (`cargo test -p lab` does this, `--test` doesn't)
//! $ LAB_SEEDS=100 cargo test -p lab --test references -- --nocapture
//! $ LAB_ONLY=echo cargo test -p lab --test references
//! ```

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

#[expect(dead_code, reason = "the zoo needs more of it")]
mod programs;

use std::env;
use std::io::{self, Write};
use std::path::Path;

use lab::labs::{LABS, Lab};
use programs::{check, example, failures, python, script, seeds, side_by_side, wanted};

/// How many checks run at the same time. With more, we would measure the machine.
const AT_ONCE: usize = 2;

#[test]
fn every_starter_fails_its_lab() {
    let jobs = programs_of_all_labs("starter");
    let reports = side_by_side(AT_ONCE, &jobs, |(lab, _, command)| check(lab, command, 0, None));
    for ((lab, language, _), report) in jobs.iter().zip(reports) {
        assert!(!report.passed(), "the {language} starter of {} passes", lab.name);
        // It is unfinished, not broken: it starts, and the checker says where it fails.
        let said = failures(&report).join("\n");
        assert!(!said.contains("the checker could not"), "{language}: {said}");
    }
}

/// The Rust programs with one seed, the Python programs with another. With LAB_SEEDS, all of them with each seed.
#[test]
fn every_reference_passes_every_case() {
    let mut wrong = Vec::new();
    let all = env::var_os("LAB_SEEDS").is_some();
    for seed in seeds(2) {
        let mut programs = programs_of_all_labs("solution");
        programs.retain(|(_, language, _)| all || (*language == "Rust") == (seed == 0));
        assert!(seed > 0 || !programs.is_empty());
        let reports =
            side_by_side(AT_ONCE, &programs, |(lab, _, command)| check(lab, command, seed, None));
        for ((_, language, _), report) in programs.iter().zip(reports) {
            wrong.extend(failures(&report).iter().map(|failure| format!("{language}: {failure}")));
        }
        writeln!(io::stdout(), "seed {seed}: {} programs", programs.len()).unwrap();
    }
    assert!(wrong.is_empty(), "{} failures:\n{}", wrong.len(), wrong.join("\n"));
}

/// Every beginner does this, so what a program prints is read and discarded, however much it is.
#[test]
fn a_right_program_may_print_what_each_recv_brings() {
    const PRINTING: &str = "
import runpy, socket, sys
def printing(call):
    def wrapped(self, *args):
        result = call(self, *args)
        print('received', repr(result) * 20, file=sys.stderr)
        return result
    return wrapped
for name in 'recv', 'recv_into', 'recvfrom', 'sendall', 'send':
    setattr(socket.socket, name, printing(getattr(socket.socket, name)))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
";
    let Some(python) = python() else { return };
    let labs: Vec<&Lab> = LABS.iter().copied().filter(|lab| wanted(lab)).collect();
    let reports = side_by_side(AT_ONCE, &labs, |lab| {
        let mut command = python_program(&python, lab, "solution");
        command.splice(1..1, ["-c".to_owned(), PRINTING.to_owned()]);
        // Python would pass anything after -c on to the program.
        command.retain(|word| word != "-B");
        check(lab, &command, 0, None)
    });
    let wrong: Vec<String> = reports.iter().flat_map(failures).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The Rust and the Python program of each lab with this name, and the command that starts it.
fn programs_of_all_labs(kind: &str) -> Vec<(&'static Lab, &'static str, Vec<String>)> {
    let python = python();
    let mut programs = Vec::new();
    for &lab in LABS.iter().filter(|lab| wanted(lab)) {
        programs.push((lab, "Rust", example(&format!("{}-{kind}", lab.name))));
        if let Some(python) = &python {
            programs.push((lab, "Python", python_program(python, lab, kind)));
        }
    }
    programs
}

fn python_program(python: &Path, lab: &Lab, kind: &str) -> Vec<String> {
    script(python, &format!("labs/{}/{kind}.py", lab.name))
}

/// A starter says where to begin, and the first hint is a question.
#[test]
fn every_lab_has_its_texts() {
    for lab in LABS {
        let hints: Vec<&str> = lab.texts.hints.split("\n---\n").collect();
        assert_eq!(hints.len(), 3, "{}: hints with a line --- between them", lab.name);
        assert!(hints[0].contains('?'), "{}: the first hint asks something", lab.name);
        let mut ids: Vec<&str> = lab.cases.iter().map(|case| case.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), lab.cases.len(), "{}: two cases have one name", lab.name);
        for text in [lab.texts.starter_python, lab.texts.solution_python] {
            assert!(text.starts_with("\"\"\""), "{}: {text}", lab.name);
        }
        for text in [lab.texts.starter_rust, lab.texts.solution_rust] {
            assert!(text.starts_with("//! "), "{}: {text}", lab.name);
        }
        for (name, text) in [
            ("starter.rs", lab.texts.starter_rust),
            ("starter.py", lab.texts.starter_python),
            ("solution.rs", lab.texts.solution_rust),
            ("solution.py", lab.texts.solution_python),
        ] {
            assert!(text.lines().count() <= 150, "{}: {name} has over 150 lines", lab.name);
        }
    }
}
