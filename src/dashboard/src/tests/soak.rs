//! A day of events through the reducer and the screens: memory stays where it was.

use pellucid_client::FromRun;
use pellucid_protocol::event::Alert;
use pellucid_protocol::{Event, Record};
use serde_json::json;

use super::{size, styles};
use crate::msg::Msg;
use crate::picture::frame;
use crate::state::State;
use crate::theme::Level;
use crate::update::update;
use crate::{Screen, fixture};

/// Ten steps a second for a day.
const DAY: u64 = 864_000;
/// Steps after which the run is taken up again from its first checkpoint, so that the points of its charts, which are
/// all kept, do not become more.
const ROUND: u64 = 7200;
/// Rounds whose alerts, evaluations and the like fill the lists that keep the last ten thousand of them.
const FULL: u64 = 110;
/// Growth that is allowed, as a share.
const FLAT: f64 = 0.01;

#[test]
#[ignore = "a day in half a minute: `make chaos` asks for it"]
fn a_day_of_events_leaves_memory_flat() {
    // As the program does.
    crate::app::allocator::give_back_soon();
    let mut state = State::new(fixture::START, size(200, 50), Screen::Train);
    let (styles, mut events) = (styles(Level::Ansi256), 0u64);
    let mut sizes = Vec::new();
    for record in (0..FULL).flat_map(round_of).filter(|record| !matches!(record.event, Event::Step(_))) {
        update(&mut state, Msg::Run(FromRun::Records(vec![record])));
    }
    for round in FULL..FULL + DAY / ROUND {
        for record in round_of(round) {
            update(&mut state, Msg::Run(FromRun::Records(vec![record])));
            events += 1;
            if events.is_multiple_of(1000) {
                state.screen = Screen::ALL[(events / 1000) as usize % Screen::ALL.len()];
                update(&mut state, Msg::LogTail(vec![format!("line {events}"); 50]));
                update(&mut state, Msg::Tick(fixture::START + events as f64 / 10.0));
                drop(frame(&state, &styles, state.size));
            }
        }
        sizes.push(resident());
    }
    // The first tenth fills what is there to be filled.
    let (early, last) = (sizes[sizes.len() / 10] as f64, sizes[sizes.len() - 1] as f64);
    let growth = last / early - 1.0;
    println!(
        "{}",
        json!({"chaos": "soak/dashboard", "events": events, "mib_early": early / 1_048_576.0,
            "mib_last": last / 1_048_576.0, "growth": growth, "sound": growth < FLAT})
    );
    assert!(growth < FLAT, "memory grew by {:.2} %", growth * 100.0);
}

fn round_of(round: u64) -> impl Iterator<Item = Record> {
    let mut started = fixture::started(ROUND);
    if let Event::Started(started) = &mut started.event {
        started.resumed = (round > 0).then_some(0);
    }
    let steps = (1..=ROUND).flat_map(|step| {
        let alert = Alert::warning(step, format!("step {step} of round"));
        let more = [
            step.is_multiple_of(100).then(|| fixture::eval(step)),
            step.is_multiple_of(900).then(|| fixture::explained(step, 4)),
            step.is_multiple_of(600).then(|| fixture::setting(step, "running")),
            step.is_multiple_of(1200).then(|| fixture::record(step, Event::Alert(alert))),
        ];
        std::iter::once(fixture::step(step)).chain(more.into_iter().flatten())
    });
    std::iter::once(started).chain(steps)
}

/// Bytes of memory in use.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size() as u64
}
