//! Judges many submissions, each in a process of its own.
//!
//! If a submission crashes its check, the others don't notice, and it still has a result: no points, and the reason.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::folder::Found;
use super::held_check::{HeldCheck, NoReport};
use super::lab_file::BUILD_TIMEOUT;
use crate::labs::{Case, Lab};
use crate::play::Submission;
use crate::sandbox::{Limits, end_orphans};
use crate::verdict::{CaseReport, Failure, Outcome, Report};

/// How long the check of one submission may take, not counting the build. A program that hangs in every case is judged
/// in ten seconds, or in 40 more on a machine too busy to run it. This limit is for a check that itself hangs.
pub const CHECK_TIMEOUT: Duration = Duration::from_secs(90);

/// How many checks are started together, if more than one submission is judged at a time.
const WAVE: usize = 32;

/// The results of all submissions.
#[derive(Clone, Debug)]
pub struct Grading {
    /// The seed of every check.
    pub seed: u64,
    /// One entry for each submission, in the order in which they were found.
    pub submissions: Vec<Graded>,
    /// How long all of it took, in seconds.
    pub seconds: f64,
}

/// The result of one submission.
#[derive(Clone, Debug)]
pub struct Graded {
    /// Its name: `alice/echo`.
    pub name: String,
    /// The lab's name, if `lab.toml` gives it.
    pub lab: Option<String>,
    /// One entry for each case of that lab; all of them failed when there is an `error`.
    pub cases: Vec<CaseReport>,
    /// Why it couldn't be judged.
    pub error: Option<String>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

impl Graded {
    /// The points of the cases that passed.
    pub fn score(&self) -> u32 {
        self.cases.iter().map(CaseReport::score).sum()
    }

    /// The points of all cases; 0 if the lab is not known.
    pub fn max_score(&self) -> u32 {
        self.cases.iter().map(|case| case.points).sum()
    }

    /// Whether it was judged, and every case passed.
    pub fn passed(&self) -> bool {
        self.error.is_none() && self.score() == self.max_score()
    }
}

/// How to judge submissions.
#[derive(Clone, Debug)]
pub struct Grader {
    /// The program to run for each: `CHECKER check FOLDER --to-grader --seed SEED`.
    pub checker: PathBuf,
    /// Selects the data and the random cuts.
    pub seed: u64,
    /// How many are judged at the same time.
    pub jobs: usize,
    /// How long the check of one may take, not counting the build.
    pub limit: Duration,
}

impl Grader {
    /// Judges all of them. `tell` is called for each as soon as it is done, with the number that are done so far.
    ///
    /// This happens in waves. While no program of any submission is running, the checks of a wave are started, and
    /// protect themselves from all other programs. Only then is the first of them released. Between two waves,
    /// everything that the submissions have started is ended.
    pub fn grade(&self, found: &[Found], tell: &mut (dyn FnMut(usize, &Graded) + Send)) -> Grading {
        let started = Instant::now();
        let results = Results(Mutex::new((vec![None; found.len()], 0, tell)));
        let mut waiting: Vec<usize> = (0..found.len()).collect();
        let limits = Limits::now();
        while !waiting.is_empty() {
            // No grade is better than one that may be forged or too low.
            let unsafe_now = match end_orphans(&[]) {
                0 if limits == Limits::now() => None,
                0 => Some("an earlier submission changed the grader's limits or priority".into()),
                1 => Some("1 process of an earlier submission could not be ended".to_owned()),
                left => {
                    Some(format!("{left} processes of an earlier submission could not be ended"))
                }
            };
            if let Some(why) = unsafe_now {
                let why = format!("not judged: {why}");
                for place in waiting.drain(..) {
                    let lab = Submission::read(&found[place].folder).ok().map(|(lab, _)| lab);
                    results
                        .add(place, graded(&found[place], lab, Err(why.clone()), Duration::ZERO));
                }
                break;
            }
            let wave: Vec<usize> = waiting.drain(..self.wave().min(waiting.len())).collect();
            let again = self.judge_wave(found, wave, &results);
            waiting.splice(..0, again);
        }
        let submissions = results.0.into_inner().unwrap_or_else(PoisonError::into_inner).0;
        let submissions = submissions.into_iter().flatten().collect();
        Grading { seed: self.seed, submissions, seconds: started.elapsed().as_secs_f64() }
    }

    /// How many checks are started together. The running ones can send signals to the waiting ones. With `-j 1`, no
    /// submission should be able to reach another.
    fn wave(&self) -> usize {
        if self.jobs <= 1 { 1 } else { self.jobs.max(WAVE) }
    }

    /// Judges these, and returns those whose check was killed before it began.
    fn judge_wave(&self, found: &[Found], wave: Vec<usize>, results: &Results) -> Vec<usize> {
        let mut held = Vec::new();
        for place in wave {
            let submission = Submission::read(&found[place].folder);
            let lab = submission.as_ref().ok().map(|(lab, _)| *lab);
            let check =
                submission.map_err(|error| error.to_string()).and_then(|(lab, submission)| {
                    let check = HeldCheck::start(&self.checker, &found[place].folder, self.seed)?;
                    Ok((lab, submission, check))
                });
            match check {
                Ok(check) => held.push((place, check)),
                Err(why) => {
                    results.add(place, graded(&found[place], lab, Err(why), Duration::ZERO));
                }
            }
        }
        // All of them have started. Now each says when it has protected itself.
        let mut ready = Vec::new();
        for (place, (lab, submission, check)) in held {
            match check.wait_ready() {
                Ok(check) => ready.push((place, lab, submission, check)),
                Err(why) => {
                    results.add(place, graded(&found[place], Some(lab), Err(why), Duration::ZERO));
                }
            }
        }
        let checks = Mutex::new(ready.iter().map(|(.., check)| check.pid()).collect::<Vec<u32>>());
        let jobs = self.jobs.clamp(1, ready.len().max(1));
        // Before the first one is released, no program has run that could have killed it. So each wave judges at least
        // one.
        let first = ready.first().map(|(place, ..)| *place);
        let next = Mutex::new(ready.into_iter());
        let again = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(|| {
                    loop {
                        let next = next.lock().unwrap_or_else(PoisonError::into_inner).next();
                        let Some((place, lab, submission, check)) = next else { return };
                        let (started, pid) = (Instant::now(), check.pid());
                        let build = submission.build.map_or(Duration::ZERO, |_| BUILD_TIMEOUT);
                        let result = check.judge(lab, self.seed, self.limit + build);
                        // If it was killed, the processes that it left behind must not disturb the next check.
                        let mut checks = checks.lock().unwrap_or_else(PoisonError::into_inner);
                        checks.retain(|other| *other != pid);
                        end_orphans(&checks);
                        drop(checks);
                        let result = match result {
                            Ok(report) => Ok(report),
                            Err(NoReport::Because(why)) => Err(why),
                            Err(NoReport::NeverBegan) if first == Some(place) => {
                                Err("the check ended before it began".to_owned())
                            }
                            Err(NoReport::NeverBegan) => {
                                again.lock().unwrap_or_else(PoisonError::into_inner).push(place);
                                continue;
                            }
                        };
                        let found = &found[place];
                        results.add(place, graded(found, Some(lab), result, started.elapsed()));
                    }
                });
            }
        });
        again.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The results so far, in the order in which the submissions were found; how many there are; and the function to tell.
struct Results<'a>(Mutex<(Vec<Option<Graded>>, usize, Tell<'a>)>);
type Tell<'a> = &'a mut (dyn FnMut(usize, &Graded) + Send);

impl Results<'_> {
    fn add(&self, place: usize, graded: Graded) {
        let mut results = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        results.1 += 1;
        let number = results.1;
        (results.2)(number, &graded);
        results.0[place] = Some(graded);
    }
}

fn graded(
    found: &Found,
    lab: Option<&Lab>,
    result: Result<Report, String>,
    took: Duration,
) -> Graded {
    let (cases, error) = match result {
        Ok(report) => (report.cases, None),
        Err(error) => (lab.map_or_else(Vec::new, |lab| unjudged(lab, &error)), Some(error)),
    };
    Graded {
        name: found.name.clone(),
        lab: lab.map(|lab| lab.name.to_owned()),
        cases,
        error,
        seconds: took.as_secs_f64(),
    }
}

/// Every case of the lab, failed for the same reason.
fn unjudged(lab: &Lab, error: &str) -> Vec<CaseReport> {
    let first = error.lines().next().unwrap_or_default();
    let failure = Failure {
        what: format!("the submission could not be judged: {first}"),
        ..Failure::default()
    };
    let failed = |case: &Case| CaseReport {
        id: case.id.to_owned(),
        rule: case.rule.to_owned(),
        points: case.points,
        outcome: Outcome::Failed(Box::new(failure.clone())),
        seconds: 0.0,
    };
    lab.cases.iter().map(failed).collect()
}
