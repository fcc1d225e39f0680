//! Lists the experiments, and runs them one after the other, each from its claim, or from the reader's prediction, to its
//! verdict.

use crate::experiments::{ALL, Experiment};
use crate::options::Options;
use crate::scene::Scene;
use crate::screen::Screen;
use crate::setup_error::SetupError;
use crate::verdict::Verdict;
use std::io::{self, Write};

/// Prints each one's name and claim, in the order of the course.
pub fn list() -> Result<(), SetupError> {
    let mut screen = Screen::new(false);
    ALL.iter().try_for_each(|one| screen.entry(one.name, one.claim)).map_err(SetupError::Stdout)
}

/// Runs the named ones. True if no claim failed, and everything was saved.
pub fn named(names: &[String], options: &Options) -> Result<bool, SetupError> {
    let mut screen = Screen::new(options.json);
    let mut all_well = true;
    for one in names.iter().flat_map(|name| ALL.iter().filter(move |one| one.name == name)) {
        let (verdict, saved) = run(one, &mut screen, options)?;
        all_well &= verdict.is_fine() && saved;
    }
    Ok(all_well)
}

/// Runs all of them, and prints a table of verdicts. True if no claim failed.
pub fn all(options: &Options) -> Result<bool, SetupError> {
    let mut screen = Screen::new(options.json);
    let mut verdicts = Vec::new();
    for one in ALL {
        // With --all, nothing is saved.
        let (verdict, _) = run(one, &mut screen, options)?;
        verdicts.push((one.name, verdict));
    }
    screen.verdicts(&verdicts).map_err(SetupError::Stdout)?;
    Ok(verdicts.iter().all(|(_, verdict)| verdict.is_fine()))
}

/// Runs one experiment, and says whether everything was saved. An error becomes its verdict, so that the others still
/// run. Only if nobody reads our output is there no point in going on.
fn run(
    one: &Experiment,
    screen: &mut Screen,
    options: &Options,
) -> Result<(Verdict, bool), SetupError> {
    let predicted = match options.predict {
        true => one.prediction.ask(one.name, screen)?,
        false => None,
    };
    screen.claim(one.name, one.claim).map_err(SetupError::Stdout)?;
    let played = play(one, screen, options);
    stage::wait_if_ending();
    let (verdict, came, saved) = match played {
        Ok(played) => played,
        Err(error @ SetupError::Stdout(_)) => return Err(error),
        Err(error) => (Verdict::Stopped(error.to_string()), None, true),
    };
    screen.verdict(&verdict).map_err(SetupError::Stdout)?;
    if let (Some(predicted), Some(came)) = (predicted, came) {
        screen.compare(predicted.says, &came).map_err(SetupError::Stdout)?;
        // If the claim failed, this would explain something that didn't happen.
        if let Verdict::AsStated(_) = verdict {
            screen.text(&format!("{}\n\n", predicted.because)).map_err(SetupError::Stdout)?;
        }
    }
    Ok((verdict, saved))
}

/// The verdict, which of the prediction's choices was right, and whether everything was saved.
fn play(
    one: &Experiment,
    screen: &mut Screen,
    options: &Options,
) -> Result<(Verdict, Option<String>, bool), SetupError> {
    let mut scene = Scene::new(screen, options)?;
    let verdict = (one.run)(&mut scene)?;
    let came = scene.finish()?;
    let saved = match scene.save(one.name, one.claim) {
        Ok(()) => true,
        Err(error @ SetupError::Save { .. }) => {
            // If nobody reads this either, the exit code still says so.
            let _ = writeln!(io::stderr(), "demo: {error}");
            false
        }
        Err(error) => return Err(error),
    };
    Ok((verdict, came, saved))
}
