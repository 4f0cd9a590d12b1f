//! Plays the log of a run: at its own pace times a speed, or step by step, forwards and backwards.

mod recording;

use std::time::Duration;

use pellucid_record::RunDir;
use pellucid_record::log::reader::LogReader;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::recording::Recording;
use super::follow::read_all;
use super::link::{Closed, FromRun, Motion, Play, Playback, TaskEnd};

/// Between two checks which records are due.
const FRAME: Duration = Duration::from_millis(50);
/// Longest wait for the next record, in seconds as the viewer sees them: long pauses of a run are skipped.
const LONGEST_WAIT: f64 = 3.0;
/// Speed of playing if none was chosen.
const DEFAULT_SPEED: f64 = 10.0;
/// Slowest and fastest speed.
const SPEEDS: (f64, f64) = (1.0 / 64.0, 1e6);
/// Most records that are passed on at once.
const MOST_AT_ONCE: usize = 20_000;

/// Plays the log of `run` from its start at `speed`; without a speed, opens it at its end.
pub(super) async fn play(
    run: RunDir,
    speed: Option<f64>,
    task_end: TaskEnd,
    mut requests: UnboundedReceiver<Play>,
) -> Option<RunDir> {
    // The only error is that the screen has dropped its link; nothing is left to do then.
    let _ = open(&run, speed, task_end, &mut requests).await;
    Some(run)
}

async fn open(
    run: &RunDir,
    speed: Option<f64>,
    task_end: TaskEnd,
    requests: &mut UnboundedReceiver<Play>,
) -> Result<(), Closed> {
    let why = "this is a record; `pellucid attach` speaks to a run that goes on";
    let (mut task_end, mut first) = (task_end, None);
    if speed.is_none() {
        // The whole log is passed on at once; the player starts only with the first request.
        task_end = read_all(run, task_end).await?;
        task_end.send(FromRun::ViewOnly(why.to_owned())).await?;
        task_end.send(FromRun::Playback(Playback { speed: DEFAULT_SPEED, motion: Motion::AtEnd })).await?;
        first = Some(next(&mut task_end, requests).await?);
    } else {
        task_end.send(FromRun::Opened(run.clone())).await?;
        task_end.send(FromRun::ViewOnly(why.to_owned())).await?;
    }
    let path = run.events();
    let mut log = LogReader::new(&path);
    let read = tokio::task::spawn_blocking(move || log.read_pieces(u64::MAX)).await;
    let pieces = match read.map_err(std::io::Error::from).flatten() {
        Ok(pieces) => pieces,
        Err(error) => {
            return task_end.send(FromRun::ViewOnly(format!("cannot read {}: {error}", path.display()))).await;
        }
    };
    let mut player = Player::new(Recording::new(pieces), speed);
    let movement = match first {
        Some(play) => {
            player.seek(player.recording.len());
            player.apply(play)
        }
        None => player.seek(0),
    };
    pass_on(&player, movement, &task_end).await?;
    play_on(&mut player, &mut task_end, requests).await
}

/// The next request. Commands are refused: they need a run that goes on.
async fn next(task_end: &mut TaskEnd, requests: &mut UnboundedReceiver<Play>) -> Result<Play, Closed> {
    loop {
        tokio::select! {
            play = requests.recv() => return play.ok_or(Closed),
            command = task_end.commands.recv() => {
                let refused = FromRun::Answered(command.ok_or(Closed)?, Some("this is a record".to_owned()));
                task_end.send(refused).await?;
            }
        }
    }
}

/// Plays, and carries out requests, until the screen drops its link.
async fn play_on(
    player: &mut Player,
    task_end: &mut TaskEnd,
    requests: &mut UnboundedReceiver<Play>,
) -> Result<(), Closed> {
    let mut frame = interval(FRAME);
    frame.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = Instant::now();
    loop {
        let movement = tokio::select! {
            now = frame.tick(), if player.motion() == Motion::Playing => {
                let passed = now.saturating_duration_since(before);
                before = now;
                player.pass(passed.as_secs_f64())
            }
            play = next(task_end, requests) => {
                before = Instant::now();
                player.apply(play?)
            }
        };
        pass_on(player, movement, task_end).await?;
    }
}

async fn pass_on(player: &Player, movement: Movement, task_end: &TaskEnd) -> Result<(), Closed> {
    let from = match movement {
        Movement::On(from) => from,
        Movement::Back => {
            task_end.send(FromRun::Rewound).await?;
            0
        }
    };
    for start in (from..player.at).step_by(MOST_AT_ONCE) {
        let end = player.at.min(start + MOST_AT_ONCE);
        task_end.send(FromRun::Logged(player.recording.between(start, end))).await?;
    }
    task_end.send(FromRun::Playback(Playback { speed: player.speed, motion: player.motion() })).await
}

/// A player and how far it has come.
struct Player {
    recording: Recording,
    /// Number of records that were passed on.
    at: usize,
    /// The current time of the run, in seconds since 1970.
    clock: f64,
    speed: f64,
    is_held: bool,
}

/// What has to be passed on after a player has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Movement {
    /// The records from this one on.
    On(usize),
    /// All records from the start, since the player went back.
    Back,
}

impl Player {
    fn new(recording: Recording, speed: Option<f64>) -> Self {
        let is_held = speed.is_none();
        Self { recording, at: 0, clock: 0.0, speed: speed.unwrap_or(DEFAULT_SPEED).clamp(SPEEDS.0, SPEEDS.1), is_held }
    }

    fn motion(&self) -> Motion {
        match (self.at >= self.recording.len(), self.is_held) {
            (true, _) => Motion::AtEnd,
            (false, true) => Motion::Held,
            (false, false) => Motion::Playing,
        }
    }

    fn seek(&mut self, to: usize) -> Movement {
        let (from, to) = (self.at, to.min(self.recording.len()));
        self.at = to;
        self.clock = self.recording.time(to.saturating_sub(1)).unwrap_or(0.0);
        if to < from { Movement::Back } else { Movement::On(from) }
    }

    /// Moves on after `seconds`, as the viewer sees them, have passed.
    fn pass(&mut self, seconds: f64) -> Movement {
        let from = self.at;
        self.clock += seconds * self.speed;
        if let Some(next) = self.recording.time(from)
            && next - self.clock > LONGEST_WAIT * self.speed
        {
            self.clock = next - LONGEST_WAIT * self.speed;
        }
        // If the clock was set back between two records, the later one is due at once.
        while self.recording.time(self.at).is_some_and(|next| next <= self.clock) {
            self.at += 1;
        }
        Movement::On(from)
    }

    fn apply(&mut self, play: Play) -> Movement {
        match play {
            Play::Toggle if self.motion() == Motion::AtEnd => {
                self.is_held = false;
                return self.seek(0);
            }
            Play::Toggle => self.is_held = !self.is_held,
            Play::Faster => self.speed = (self.speed * 2.0).min(SPEEDS.1),
            Play::Slower => self.speed = (self.speed / 2.0).max(SPEEDS.0),
            Play::First => return self.jump(0),
            Play::Last => return self.jump(self.recording.len()),
            Play::Steps(count) => return self.jump(self.stop(count, self.recording.steps())),
            Play::Evals(count) => return self.jump(self.stop(count, self.recording.evals())),
        }
        Movement::On(self.at)
    }

    /// Moves to a record and pauses there.
    fn jump(&mut self, to: usize) -> Movement {
        self.is_held = true;
        self.seek(to)
    }

    /// The stop that is `count` stops away, backwards if negative.
    fn stop(&self, count: i64, stops: &[usize]) -> usize {
        let behind = stops.partition_point(|&stop| stop <= self.at);
        let before = stops.partition_point(|&stop| stop < self.at);
        let index = if count >= 0 { behind as i64 + count - 1 } else { before as i64 + count };
        match usize::try_from(index) {
            Ok(index) => stops.get(index).copied().unwrap_or(self.recording.len()),
            // The start of the run comes before the first stop.
            Err(_) => self.recording.len().min(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use pellucid_fixture as fixture;
    use pellucid_protocol::{Event, Record};
    use pellucid_record::Piece;

    use super::*;

    /// A start, ten steps a second apart with an evaluation after every fifth, and the end.
    fn records() -> Vec<Record> {
        let mut all = vec![fixture::started(10)];
        for number in 1..=10 {
            all.push(fixture::step(number));
            if number % 5 == 0 {
                all.push(fixture::eval(number));
            }
        }
        all.push(fixture::ended(10, pellucid_protocol::event::Outcome::Finished, None));
        for (index, record) in all.iter_mut().enumerate() {
            record.time = 100.0 + index as f64;
        }
        all
    }

    fn player(records: Vec<Record>, speed: Option<f64>) -> Player {
        Player::new(recording::as_read(&records), speed)
    }

    fn played(player: &Player) -> Vec<Record> {
        player.recording.between(0, player.at).into_iter().flat_map(Piece::into_records).collect()
    }

    fn step_of(player: &Player) -> u64 {
        let step = |record: &Record| if let Event::Step(step) = &record.event { Some(step.step) } else { None };
        played(player).iter().rev().find_map(step).unwrap_or(0)
    }

    #[test]
    fn it_goes_step_by_step_and_evaluation_by_evaluation() {
        let mut player = player(records(), None);
        assert_eq!((player.seek(usize::MAX), player.motion()), (Movement::On(0), Motion::AtEnd));
        let mut seen = Vec::new();
        for play in [Play::Steps(-1), Play::Steps(-1), Play::Evals(-1), Play::Steps(1), Play::Steps(3), Play::Evals(-9)]
        {
            player.apply(play);
            seen.push(step_of(&player));
        }
        assert_eq!(seen, [10, 9, 5, 6, 9, 0]);
        assert_eq!(player.at, 1, "the start is seen");
        assert_eq!(player.apply(Play::Evals(1)), Movement::On(1));
        assert!(matches!(played(&player).last().unwrap().event, Event::Eval(_)), "an evaluation is seen at its step");
        player.apply(Play::Steps(99));
        assert_eq!(player.motion(), Motion::AtEnd);
        assert_eq!((player.apply(Play::First), player.at), (Movement::Back, 0));
    }

    #[test]
    fn it_plays_at_its_speed_and_skips_long_pauses() {
        let mut all = records();
        all.iter_mut().skip(6).for_each(|record| record.time += 1e6);
        let mut player = player(all, Some(2.0));
        player.seek(0);
        player.pass(1.0);
        assert_eq!(player.at, 3, "two seconds of the record: those at 0, 1 and 2");
        player.pass(1.5);
        assert_eq!(player.at, 6);
        player.pass(0.5);
        player.pass(LONGEST_WAIT);
        assert_eq!(player.at, 7, "the pause is cut short");
        player.apply(Play::Toggle);
        assert_eq!(player.motion(), Motion::Held);
        player.apply(Play::Toggle);
        player.apply(Play::Faster);
        player.pass(100.0);
        assert_eq!((player.motion(), player.speed), (Motion::AtEnd, 4.0));
        assert_eq!(
            (player.apply(Play::Toggle), player.motion()),
            (Movement::Back, Motion::Playing),
            "from the start again"
        );
    }

    #[test]
    fn an_empty_record_is_no_trouble() {
        let mut player = player(Vec::new(), Some(1.0));
        for play in [Play::Steps(1), Play::Steps(-1), Play::Evals(-1), Play::Toggle, Play::Last, Play::First] {
            assert_ne!(player.apply(play), Movement::Back);
        }
        player.pass(1.0);
        assert_eq!(player.motion(), Motion::AtEnd);
    }
}
