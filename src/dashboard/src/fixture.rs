//! A screen of the recorded run for tests.

use pellucid_client::FromRun;
pub(crate) use pellucid_fixture::*;
use ratatui::layout::Size;

use crate::input::screen::Screen;
use crate::msg::Msg;
use crate::state::State;
use crate::update::update;

/// A screen of a live run after `steps` steps, with all its files read.
pub(crate) fn live(steps: u64, size: Size, screen: Screen) -> State {
    let now = time(steps);
    let mut state = State::new(now, size, screen);
    let log = ["[W] a warning that libtorch prints", "evaluating on 600 samples", "checkpoint written in 31 ms"];
    let messages = [
        Msg::Run(FromRun::Records(records(steps))),
        Msg::Run(FromRun::Connected),
        Msg::Samples(Ok(samples())),
        Msg::Predictions(steps / 100 * 100, Ok(predictions())),
        Msg::LogTail(log.map(str::to_owned).to_vec()),
        Msg::Tick(now),
    ];
    for message in messages {
        update(&mut state, message);
    }
    state
}
