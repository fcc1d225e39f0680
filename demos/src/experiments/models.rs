//! One client after another, or all at once: four clients of one second each, on each of the five models.
//!
//! The second is the work (`sleep 1`), and nothing is decided by a close time: served in turn, four of them take four
//! seconds at least; served at once, less than three.

use crate::experiments::Experiment;
use crate::scene::{Actor, Scene};
use crate::trouble::Trouble;
use crate::typed::Typed;
use crate::verdict::{Findings, Verdict};
use std::time::{Duration, Instant};

pub const EXPERIMENT: Experiment = Experiment {
    name: "models",
    claim: "four clients of 1 s each take 4 s on the serial server, about 1 s on the others",
    prediction: None,
    run,
};

const CLIENTS: u32 = 4;
const MODELS: [[&str; 2]; 5] = [
    ["--model", "serial"],
    ["--model", "threads"],
    ["--model", "pool"],
    ["--model", "processes"],
    ["--model", "events"],
];

fn run(scene: &mut Scene) -> Result<Verdict, Trouble> {
    let client = Typed::new("threaded-client", &["-c", "sleep 1"]);
    scene.terminals(&[&Typed::new("threaded-server", &MODELS[0]), &client])?;
    scene.then(
        "and at the same time in terminals 3, 4 and 5; then all again with the other models",
    )?;
    scene.blank()?;
    let mut findings = Findings::default();
    for model in MODELS {
        let name = model[1];
        let server = scene.server(name, &Typed::new("threaded-server", &model), "127.0.0.1")?;
        let took = serve_all(scene, &client, &server.address()?)?;
        server.stop()?;
        scene.lane(
            name,
            format!("{CLIENTS} clients of 1 s each took {:.1} s", took.as_secs_f64()),
        )?;
        let in_turn = Duration::from_secs(1) * CLIENTS;
        match name {
            "serial" => findings.holds(took >= in_turn, "serial to take 4 s at least", took),
            _ => findings.holds(
                took < in_turn - Duration::from_secs(1),
                &format!("{name} to take less than 3 s"),
                took,
            ),
        }
    }
    Ok(findings.verdict("in turn 4 s at least, at once less than 3"))
}

/// Starts all clients, and waits until each has its answer.
fn serve_all(scene: &mut Scene, client: &Typed, address: &str) -> Result<Duration, Trouble> {
    let start = Instant::now();
    let start_one = |_| scene.client("client", client, address);
    let clients: Vec<Actor> = (0..CLIENTS).map(start_one).collect::<Result<_, _>>()?;
    for client in clients {
        client.end()?;
    }
    Ok(start.elapsed())
}
