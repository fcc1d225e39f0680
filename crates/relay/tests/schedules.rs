//! Schedules and what follows from them, in memory: no socket, no clock.
//!
//! | claim | test |
//! |---|---|
//! | a printed schedule parses to the same | `a_schedule_round_trips` |
//! | what is printed is what was typed | `words_as_typed` |
//! | nonsense is refused with a hint | `nonsense_is_refused` |
//! | bytes in = bytes out, cut where the schedule says, however they arrive | `bytes_in_are_bytes_out` |
//! | the same seed, the same cuts, however the bytes arrive | `a_seed_repeats_its_cuts` |
//! | a limit lets exactly that many pass | `a_limit_is_exact` |
//! | datagrams: as often as said, and the same again | `fates_follow_the_chances` |
//!
//! On a failure proptest shrinks the input, prints it, and writes a line `cc <seed>` to
//! `schedules.proptest-regressions` beside this file, which is then tried first.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence::WithSource;
use relay::{DatagramFates, Decision, Destination, Plan, Schedule};

/// Any schedule, by its text: so each part of the grammar is in it.
fn schedules() -> impl Strategy<Value = Schedule> {
    let size = 1u32..50;
    let cut = prop_oneof![
        prop::collection::vec(size.clone(), 1..4).prop_map(|sizes| join(&sizes)),
        prop::collection::vec(size.clone(), 1..4).prop_map(|sizes| join(&sizes) + ",*"),
        (size, 0u32..50).prop_map(|(least, more)| format!("random:{least}..{}", least + more)),
        Just("*".to_owned()),
    ];
    let delay = prop_oneof![
        any::<u32>().prop_map(|ms| ms.to_string()),
        (0u32..1000, 0u32..1000).prop_map(|(least, more)| format!("{least}..{}", least + more)),
    ];
    let chance = || option::of((0.0..=1.0).prop_map(|p: f64| p.to_string()));
    let number = || option::of(any::<u64>().prop_map(|n| n.to_string()));
    let millis = || option::of(any::<u32>().prop_map(|n| n.to_string()));
    let rate = option::of((1..=u64::MAX).prop_map(|n| n.to_string()));
    let direction = prop::sample::select(vec!["to-server", "to-client", "both"]);
    let stream = (option::of(cut), millis(), option::of(delay), rate, millis());
    let limits = (number(), number(), number());
    let datagram = (chance(), chance(), chance());
    (stream, limits, datagram, option::of(direction), number()).prop_map(
        |(
            (cut, merge, delay, rate, slow),
            (stall, reset, close),
            (drop, duplicate, reorder),
            direction,
            seed,
        )| {
            let words = [
                ("seed", seed),
                ("cut", cut),
                ("merge", merge),
                ("delay", delay),
                ("rate", rate),
                ("slow-close", slow),
                ("stall-after", stall),
                ("reset-after", reset),
                ("close-after", close),
                ("drop", drop),
                ("duplicate", duplicate),
                ("reorder", reorder),
                ("direction", direction.map(str::to_owned)),
            ];
            let words =
                words.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?)));
            words.collect::<Vec<_>>().join(" ").parse().unwrap()
        },
    )
}

fn join(sizes: &[u32]) -> String {
    sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// One direction, in memory: the bytes arrive in these parts, and leave in the pieces returned. The
/// last step is the one that ended it.
fn pass(plan: &mut Plan, stream: &[u8], arrivals: &[usize]) -> (Vec<Vec<u8>>, Decision) {
    let (mut came, mut gone) = (0, 0);
    let mut pieces = Vec::new();
    let mut arrivals = arrivals.iter().cycle();
    loop {
        match plan.next(came - gone) {
            Decision::Send(n) => {
                assert!(n > 0 && n <= came - gone, "what has not come cannot be sent");
                pieces.push(stream[gone..gone + n].to_vec());
                plan.passed(n);
                gone += n;
            }
            Decision::Wait if came < stream.len() => {
                came = stream.len().min(came + arrivals.next().unwrap());
            }
            end => return (pieces, end),
        }
    }
}

/// Between which bytes pieces begin.
fn cuts(pieces: &[Vec<u8>]) -> Vec<usize> {
    let mut at = 0;
    pieces
        .iter()
        .map(|piece| {
            at += piece.len();
            at
        })
        .collect()
}

proptest! {
    // The default looks for a lib.rs beside the test and complains that there is none.
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(WithSource("proptest-regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_schedule_round_trips(schedule in schedules()) {
        let text = schedule.to_string();
        prop_assert_eq!(text.parse::<Schedule>().unwrap(), schedule, "{}", text);
    }

    #[test]
    fn bytes_in_are_bytes_out(
        schedule in schedules(),
        stream in prop::collection::vec(any::<u8>(), 0..600),
        arrivals in prop::collection::vec(1usize..100, 1..5),
        connection in 0u64..3,
    ) {
        let limits = [schedule.stall_after, schedule.reset_after, schedule.close_after];
        for toward in [Destination::Server, Destination::Client] {
            let covered = schedule.direction.covers(toward);
            let limit = limits.into_iter().flatten().min().filter(|_| covered);
            let (pieces, end) = pass(&mut Plan::new(&schedule, toward, connection), &stream, &arrivals);
            let much = limit.map_or(stream.len(), |limit| stream.len().min(limit as usize));
            prop_assert_eq!(pieces.concat(), &stream[..much]);
            let reached = limit.is_some_and(|limit| stream.len() as u64 >= limit);
            prop_assert_eq!(reached, end != Decision::Wait);
        }
    }

    #[test]
    fn a_seed_repeats_its_cuts(
        schedule in schedules(),
        arrivals in prop::collection::vec(1usize..100, 1..5),
        connection in 0u64..3,
    ) {
        let mut schedule = schedule;
        (schedule.stall_after, schedule.reset_after, schedule.close_after) = (None, None, None);
        let stream = [0; 500];
        let run = |arrivals: &[usize]| {
            cuts(&pass(&mut Plan::new(&schedule, Destination::Client, connection), &stream, arrivals).0)
        };
        let whole = run(&[500]);
        // There may be more cuts, where the bytes ran out, but none may be missing.
        let parts = run(&arrivals);
        if schedule.rate.is_none() {
            prop_assert!(whole.iter().all(|cut| parts.contains(cut)), "{:?} {:?}", whole, parts);
        }
        prop_assert_eq!(run(&[500]), whole);
    }
}

#[test]
fn words_as_typed() {
    for text in [
        "idle",
        "cut=1 delay=25 direction=to-client seed=7",
        "cut=3,1,*",
        "cut=3,1 merge=20 delay=20..30 rate=1000 slow-close=5 stall-after=0 reset-after=1 close-after=2 seed=0",
        "cut=random:1..7 seed=0",
        "drop=0.2 duplicate=0.1 reorder=1 seed=4",
    ] {
        assert_eq!(text.parse::<Schedule>().unwrap().to_string(), text);
    }
    for (typed, printed) in [
        ("", "idle"),
        ("delay=25ms", "delay=25"),
        ("delay=7..7 cut=* direction=both drop=0", "delay=7"),
    ] {
        assert_eq!(typed.parse::<Schedule>().unwrap().to_string(), printed);
    }
}

#[test]
fn nonsense_is_refused() {
    for (text, help) in [
        ("cut=0", "1 or more"),
        ("cut=", "size of a piece"),
        ("cut=1,", "3,1,*"),
        ("cut=,*", "3,1,*"),
        ("cut=3,*,1", "3,1,*"),
        ("cut=random:7..1", "random:1..7"),
        ("cut=random:0..3", "random:1..7"),
        ("delay=30..20", "shorter time first"),
        ("delay=-1", "milliseconds"),
        ("delay=25s", "25ms"),
        ("rate=0", "1 or more"),
        ("drop=1.1", "from 0 to 1"),
        ("drop=NaN", "from 0 to 1"),
        ("direction=up", "to-server, to-client or both"),
        ("reset-after=1k", "number of bytes"),
        ("seed=x", "number"),
        ("cat=1", "cut=1"),
        ("cut", "size of a piece"),
    ] {
        let said = text.parse::<Schedule>().unwrap_err().to_string();
        assert!(said.contains(help), "{text}: {said}");
    }
}

#[test]
fn a_limit_is_exact() {
    for (schedule, end) in [
        ("stall-after=7 cut=3", Decision::Stall),
        ("reset-after=7 close-after=8", Decision::Reset),
        ("close-after=7 reset-after=7 stall-after=9", Decision::Reset),
        ("close-after=7 delay=3", Decision::Close),
    ] {
        let mut plan = Plan::new(&schedule.parse().unwrap(), Destination::Server, 0);
        let (pieces, step) = pass(&mut plan, &[b'x'; 100], &[5]);
        assert_eq!((pieces.concat().len(), step), (7, end), "{schedule}");
    }
}

#[test]
fn fates_follow_the_chances() {
    let fates =
        |text: &str, toward| DatagramFates::new(&text.parse().unwrap(), toward, 0).take(10_000);
    let text = "drop=0.3 duplicate=0.2 reorder=0.1 direction=to-server seed=5";
    let all: Vec<_> = fates(text, Destination::Server).collect();
    assert_eq!(all, fates(text, Destination::Server).collect::<Vec<_>>());
    let count = |copies| all.iter().filter(|fate| fate.copies == copies).count();
    // With a fixed seed nothing is left to chance: any fair generator stays within these bounds.
    assert!((2800..3200).contains(&count(0)), "{}", count(0));
    assert!((1200..1600).contains(&count(2)), "{}", count(2));
    let late = all.iter().filter(|fate| fate.late).count();
    assert!((550..850).contains(&late), "{late}");
    assert!(fates(text, Destination::Client).all(|fate| fate.copies == 1 && !fate.late));
    // One more probability does not shift the others.
    let lost =
        |text| fates(text, Destination::Server).map(|fate| fate.copies == 0).collect::<Vec<_>>();
    assert_eq!(lost(text), lost("drop=0.3 seed=5"));
}
