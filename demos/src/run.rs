//! Runs experiments one after the other, each from its claim, or from the reader's prediction, to its verdict.

use crate::experiments::{ALL, Experiment};
use crate::interrupt;
use crate::options::Options;
use crate::scene::Scene;
use crate::screen::Screen;
use crate::trouble::Trouble;
use crate::verdict::Verdict;

/// Those that were named. Whether nothing spoke against any of them.
pub fn named(names: &[String], options: &Options) -> Result<bool, Trouble> {
    let mut screen = Screen::new(options.json);
    let mut all_well = true;
    for one in names.iter().flat_map(|name| ALL.iter().filter(move |one| one.name == name)) {
        all_well &= run(one, &mut screen, options)?.is_fine();
    }
    Ok(all_well)
}

/// All of them, and a table of verdicts. Whether nothing spoke against any of them.
pub fn all(options: &Options) -> Result<bool, Trouble> {
    let mut screen = Screen::new(options.json);
    let mut verdicts = Vec::new();
    for one in ALL {
        verdicts.push((one.name, run(one, &mut screen, options)?));
    }
    screen.table(&verdicts).map_err(Trouble::Stdout)?;
    Ok(verdicts.iter().all(|(_, verdict)| verdict.is_fine()))
}

/// One experiment. What stops it is its verdict too, so that the others still run; only when nobody reads us any more
/// there is no point in going on.
fn run(one: &Experiment, screen: &mut Screen, options: &Options) -> Result<Verdict, Trouble> {
    let mut predicted = None;
    if let Some(prediction) = one.prediction.filter(|_| options.predict) {
        predicted = prediction.ask(one.name, screen)?;
    }
    screen.claim(one.name, one.claim).map_err(Trouble::Stdout)?;
    let mut came = None;
    let played = play(one, screen, options, &mut came);
    interrupt::wait_if_told();
    let verdict = match played {
        Ok(verdict) => verdict,
        Err(trouble @ Trouble::Stdout(_)) => return Err(trouble),
        Err(trouble) => Verdict::Stopped(trouble.to_string()),
    };
    screen.verdict(&verdict).map_err(Trouble::Stdout)?;
    if let (Some(predicted), Some(came)) = (predicted, came) {
        screen.compare(predicted, &came).map_err(Trouble::Stdout)?;
    }
    Ok(verdict)
}

fn play(
    one: &Experiment,
    screen: &mut Screen,
    options: &Options,
    came: &mut Option<String>,
) -> Result<Verdict, Trouble> {
    let mut scene = Scene::new(screen, options)?;
    let verdict = (one.run)(&mut scene)?;
    *came = scene.finish(one.name, one.claim)?;
    Ok(verdict)
}
