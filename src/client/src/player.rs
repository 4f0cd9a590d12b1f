//! Plays the record of a run: at its own pace times a speed, or step by step, forwards and backwards.

mod recording;

use std::time::Duration;

use pellucid_record::RunDir;
use pellucid_record::log_reader::LogReader;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::recording::Recording;
use super::follow::read_all;
use super::{Ends, FromRun, Gone};

/// Between two looks at which records are due.
const FRAME: Duration = Duration::from_millis(50);
/// Longest wait for the next record, in seconds of the viewer's: nights on which a run was held are skipped.
const LONGEST_WAIT: f64 = 3.0;
/// Speed of a record that was opened at its end, when it is played from its start.
const USUAL: f64 = 10.0;
/// Slowest and fastest.
const SPEEDS: (f64, f64) = (1.0 / 64.0, 1e6);
/// Records that are passed on at once.
const SLICE: usize = 20_000;

/// What can be asked of a record that is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Play {
    /// Go on, or hold.
    Toggle,
    /// So many steps on, or back.
    Steps(i64),
    /// So many evaluations on, or back.
    Evals(i64),
    /// Twice as fast.
    Faster,
    /// Half as fast.
    Slower,
    /// To the start.
    First,
    /// To the end.
    Last,
}

/// How a record is being played.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Playback {
    /// Seconds of the record a second.
    pub speed: f64,
    /// Whether it moves.
    pub motion: Motion,
}

/// Whether a record that is played moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// It does.
    Playing,
    /// It is held somewhere.
    Held,
    /// There is nothing more.
    AtEnd,
}

/// Plays the record of `run` from its start at `speed`; without a speed it is opened at its end.
pub(super) async fn play(
    run: RunDir,
    speed: Option<f64>,
    ends: Ends,
    mut asked: UnboundedReceiver<Play>,
) -> Option<RunDir> {
    // The one error is that the screen has let go; there is nothing left to do then.
    let _ = open(&run, speed, ends, &mut asked).await;
    Some(run)
}

async fn open(run: &RunDir, speed: Option<f64>, ends: Ends, asked: &mut UnboundedReceiver<Play>) -> Result<(), Gone> {
    let why = "this is a record; `pellucid attach` speaks to a run that goes on";
    let (mut ends, mut first) = (ends, None);
    if speed.is_none() {
        // All at once, as fast as it can be; one by one only when that is asked for.
        ends = read_all(run, ends).await?;
        ends.say(FromRun::ViewOnly(why.to_owned())).await?;
        ends.say(FromRun::Playback(Playback { speed: USUAL, motion: Motion::AtEnd })).await?;
        first = Some(next(&mut ends, asked).await?);
    } else {
        ends.say(FromRun::Opened(run.clone())).await?;
        ends.say(FromRun::ViewOnly(why.to_owned())).await?;
    }
    let path = run.events();
    let mut log = LogReader::new(&path);
    let read = tokio::task::spawn_blocking(move || log.read_pieces(u64::MAX)).await;
    let pieces = match read.map_err(std::io::Error::from).flatten() {
        Ok(pieces) => pieces,
        Err(error) => return ends.say(FromRun::ViewOnly(format!("cannot read {}: {error}", path.display()))).await,
    };
    let mut player = Player::new(Recording::new(pieces), speed);
    let moved = match first {
        Some(play) => {
            player.seek(player.recording.len());
            player.heed(play)
        }
        None => player.seek(0),
    };
    pass_on(&player, moved, &ends).await?;
    turns(&mut player, &mut ends, asked).await
}

/// What is asked next. Commands are for runs that go on.
async fn next(ends: &mut Ends, asked: &mut UnboundedReceiver<Play>) -> Result<Play, Gone> {
    loop {
        tokio::select! {
            play = asked.recv() => return play.ok_or(Gone),
            command = ends.commands.recv() => {
                let refused = FromRun::Answered(command.ok_or(Gone)?, Some("this is a record".to_owned()));
                ends.say(refused).await?;
            }
        }
    }
}

/// Waits for the clock and for what is asked, as long as somebody looks.
async fn turns(player: &mut Player, ends: &mut Ends, asked: &mut UnboundedReceiver<Play>) -> Result<(), Gone> {
    let mut frame = interval(FRAME);
    frame.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = Instant::now();
    loop {
        let moved = tokio::select! {
            now = frame.tick(), if player.motion() == Motion::Playing => {
                let passed = now.saturating_duration_since(before);
                before = now;
                player.pass(passed.as_secs_f64())
            }
            play = next(ends, asked) => {
                before = Instant::now();
                player.heed(play?)
            }
        };
        pass_on(player, moved, ends).await?;
    }
}

async fn pass_on(player: &Player, moved: Moved, ends: &Ends) -> Result<(), Gone> {
    let from = match moved {
        Moved::On(from) => from,
        Moved::Back => {
            ends.say(FromRun::Rewound).await?;
            0
        }
    };
    for start in (from..player.at).step_by(SLICE) {
        let end = player.at.min(start + SLICE);
        ends.say(FromRun::Logged(player.recording.between(start, end))).await?;
    }
    ends.say(FromRun::Playback(Playback { speed: player.speed, motion: player.motion() })).await
}

/// How far a record has been played.
struct Player {
    recording: Recording,
    /// Records that are seen.
    at: usize,
    /// The time of the record that it is.
    clock: f64,
    speed: f64,
    holds: bool,
}

/// Where a player has moved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moved {
    /// On from this record.
    On(usize),
    /// Back: all is to be seen anew.
    Back,
}

impl Player {
    fn new(recording: Recording, speed: Option<f64>) -> Self {
        let holds = speed.is_none();
        Self { recording, at: 0, clock: 0.0, speed: speed.unwrap_or(USUAL).clamp(SPEEDS.0, SPEEDS.1), holds }
    }

    fn motion(&self) -> Motion {
        match (self.at >= self.recording.len(), self.holds) {
            (true, _) => Motion::AtEnd,
            (false, true) => Motion::Held,
            (false, false) => Motion::Playing,
        }
    }

    fn seek(&mut self, to: usize) -> Moved {
        let (from, to) = (self.at, to.min(self.recording.len()));
        self.at = to;
        self.clock = self.recording.time(to.saturating_sub(1)).unwrap_or(0.0);
        if to < from { Moved::Back } else { Moved::On(from) }
    }

    /// So many seconds of the viewer's have passed.
    fn pass(&mut self, seconds: f64) -> Moved {
        let from = self.at;
        self.clock += seconds * self.speed;
        if let Some(next) = self.recording.time(from)
            && next - self.clock > LONGEST_WAIT * self.speed
        {
            self.clock = next - LONGEST_WAIT * self.speed;
        }
        // A clock that was set back between two starts holds nothing up.
        while self.recording.time(self.at).is_some_and(|next| next <= self.clock) {
            self.at += 1;
        }
        Moved::On(from)
    }

    fn heed(&mut self, play: Play) -> Moved {
        match play {
            Play::Toggle if self.motion() == Motion::AtEnd => {
                self.holds = false;
                return self.seek(0);
            }
            Play::Toggle => self.holds = !self.holds,
            Play::Faster => self.speed = (self.speed * 2.0).min(SPEEDS.1),
            Play::Slower => self.speed = (self.speed / 2.0).max(SPEEDS.0),
            Play::First => return self.jump(0),
            Play::Last => return self.jump(self.recording.len()),
            Play::Steps(count) => return self.jump(self.stop(count, self.recording.steps())),
            Play::Evals(count) => return self.jump(self.stop(count, self.recording.evals())),
        }
        Moved::On(self.at)
    }

    /// To a place where it stays.
    fn jump(&mut self, to: usize) -> Moved {
        self.holds = true;
        self.seek(to)
    }

    /// The place `count` of these `stops` on or back.
    fn stop(&self, count: i64, stops: &[usize]) -> usize {
        let behind = stops.partition_point(|&stop| stop <= self.at);
        let before = stops.partition_point(|&stop| stop < self.at);
        let index = if count >= 0 { behind as i64 + count - 1 } else { before as i64 + count };
        match usize::try_from(index) {
            Ok(index) => stops.get(index).copied().unwrap_or(self.recording.len()),
            // Before the first one there is the start of the run.
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
        assert_eq!((player.seek(usize::MAX), player.motion()), (Moved::On(0), Motion::AtEnd));
        let mut seen = Vec::new();
        for play in [Play::Steps(-1), Play::Steps(-1), Play::Evals(-1), Play::Steps(1), Play::Steps(3), Play::Evals(-9)]
        {
            player.heed(play);
            seen.push(step_of(&player));
        }
        assert_eq!(seen, [10, 9, 5, 6, 9, 0]);
        assert_eq!(player.at, 1, "the start is seen");
        assert_eq!(player.heed(Play::Evals(1)), Moved::On(1));
        assert!(matches!(played(&player).last().unwrap().event, Event::Eval(_)), "an evaluation is seen at its step");
        player.heed(Play::Steps(99));
        assert_eq!(player.motion(), Motion::AtEnd);
        assert_eq!((player.heed(Play::First), player.at), (Moved::Back, 0));
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
        player.heed(Play::Toggle);
        assert_eq!(player.motion(), Motion::Held);
        player.heed(Play::Toggle);
        player.heed(Play::Faster);
        player.pass(100.0);
        assert_eq!((player.motion(), player.speed), (Motion::AtEnd, 4.0));
        assert_eq!(
            (player.heed(Play::Toggle), player.motion()),
            (Moved::Back, Motion::Playing),
            "from the start again"
        );
    }

    #[test]
    fn an_empty_record_is_no_trouble() {
        let mut player = player(Vec::new(), Some(1.0));
        for play in [Play::Steps(1), Play::Steps(-1), Play::Evals(-1), Play::Toggle, Play::Last, Play::First] {
            assert_ne!(player.heed(play), Moved::Back);
        }
        player.pass(1.0);
        assert_eq!(player.motion(), Motion::AtEnd);
    }
}
