//! The default bindings: every key, what it does, where, and its words in hints and help.

use std::borrow::Cow;

use ratatui::crossterm::event::KeyCode;

use super::key::{Key, ch, ctrl, on};
use super::{Action, Binding, Needs, Place};
use crate::input::screen::Screen;

const fn bind(
    keys: &'static [Key],
    action: Action,
    place: Place,
    (needs, hint, help): (Needs, &'static str, &'static str),
) -> Binding {
    Binding { keys: Cow::Borrowed(keys), action, place, needs, hint, help }
}

const ANY: Place = Place::Everywhere;
const TRAIN: Place = Place::On(Screen::Train);
const EXPLAIN: Place = Place::On(Screen::Explain);
const SAMPLES: Place = Place::On(Screen::Samples);
const WORDS: Place = Place::Words;
const SUSPECTS: Place = Place::Suspects;
const LAYERS: Place = Place::On(Screen::Layers);
const LOG: Place = Place::On(Screen::Log);
const DATA: Place = Place::On(Screen::Data);

const FREE: Needs = Needs::Nothing;

/// The table.
#[rustfmt::skip]
pub(super) const BINDINGS: &[Binding] = &[
    bind(&[ch('?'), on(KeyCode::F(1))], Action::Help, ANY, (FREE, "help", "show all keys")),
    bind(&[ch('q'), ctrl('c')], Action::Quit, ANY, (FREE, "quit", "leave; a run that goes on can be left running")),
    bind(&[ch('p')], Action::Pause, ANY, (Needs::Training, "pause", "pause the training, or resume it")),
    bind(&[ch('n')], Action::OneStep, ANY, (Needs::Paused, "one step", "one step while the training is paused")),
    bind(&[ch('v')], Action::Values, ANY, (Needs::Training, "set", "change rates and weights while it trains")),
    bind(&[ch('S')], Action::Stop, ANY, (Needs::Training, "stop", "stop the training, after a question")),
    bind(&[ch('c')], Action::Checkpoint, ANY, (Needs::Training, "checkpoint", "write a checkpoint now")),
    bind(&[ch(':'), ctrl('p')], Action::Palette, ANY, (FREE, "more", "find a command by its name")),
    bind(&[ch('1')], Action::Go(Screen::Train), ANY, (FREE, "", "curves, progress and health")),
    bind(&[ch('2')], Action::Go(Screen::Explain), ANY, (FREE, "", "what one answer is based on")),
    bind(&[ch('3')], Action::Go(Screen::Samples), ANY, (FREE, "", "the validation samples and the answers to them")),
    bind(&[ch('4')], Action::Go(Screen::Layers), ANY, (FREE, "", "sparsity of each encoder layer")),
    bind(&[ch('5')], Action::Go(Screen::Log), ANY, (FREE, "", "what happened, and what the worker printed")),
    bind(&[ch('6')], Action::Go(Screen::Data), ANY, (FREE, "", "what the run is trained on")),
    bind(&[ch('!')], Action::Suspects, ANY, (FREE, "", "words that may be shortcuts; answers without them")),
    bind(&[ch('F')], Action::Frontier, ANY, (FREE, "", "accuracy against sparsity or drift, a point per run")),
    bind(&[on(KeyCode::Tab)], Action::NextScreen, ANY, (FREE, "", "the next screen")),
    bind(&[on(KeyCode::BackTab)], Action::PreviousScreen, ANY, (FREE, "", "the screen before")),
    bind(&[ch('t')], Action::Type, ANY, (Needs::Worker, "", "explain a text that you type")),
    bind(&[ch('y')], Action::Copy, ANY, (FREE, "", "copy the values shown to the clipboard")),
    bind(&[ctrl('l')], Action::Redraw, ANY, (FREE, "", "redraw the screen")),
    bind(&[ctrl('z')], Action::Suspend, ANY, (FREE, "", "go to the background; fg comes back")),

    bind(&[ch('P')], Action::Play, ANY, (Needs::Record, "play", "play or pause a record; at its end, play it again")),
    bind(&[ch('<')], Action::StepBack, ANY, (Needs::Record, "back", "one step back in a record")),
    bind(&[ch('>')], Action::StepOn, ANY, (Needs::Record, "on", "one step on in a record")),
    bind(&[ch('(')], Action::EvaluationBack, ANY, (Needs::Record, "", "back to the evaluation before")),
    bind(&[ch(')')], Action::EvaluationOn, ANY, (Needs::Record, "", "on to the next evaluation")),
    bind(&[ch('{')], Action::Slower, ANY, (Needs::Record, "slower", "play half as fast")),
    bind(&[ch('}')], Action::Faster, ANY, (Needs::Record, "faster", "play twice as fast")),
    bind(&[ch('^')], Action::RecordStart, ANY, (Needs::Record, "", "to the start of a record")),
    bind(&[ch('$')], Action::RecordEnd, ANY, (Needs::Record, "", "to the end of a record")),

    bind(&[on(KeyCode::Enter), ch('z')], Action::Full, TRAIN, (FREE, "full", "one chart alone, with its numbers; again: all")),
    bind(&[ch('d')], Action::Measures, TRAIN, (FREE, "meaning", "what the chart marked \u{25b8} measures, and its source")),
    bind(&[ch('+'), ch('=')], Action::ZoomIn, TRAIN, (FREE, "zoom", "show fewer steps, about the cursor or the end")),
    bind(&[on(KeyCode::Left), ch('h')], Action::CursorLeft, TRAIN, (FREE, "read", "read the curves at an earlier step")),
    bind(&[on(KeyCode::Right)], Action::CursorRight, TRAIN, (FREE, "", "read the curves at a later step")),
    bind(&[ch('l')], Action::Scale, TRAIN, (FREE, "log scale", "the chart marked \u{25b8}: logarithmic or linear")),
    bind(&[ch('x')], Action::Axis, TRAIN, (FREE, "x axis", "by step, epoch, time since the start, time of day")),
    bind(&[ch('g')], Action::Charts, TRAIN, (FREE, "charts", "choose which charts are shown")),
    bind(&[ch('s')], Action::Smooth, TRAIN, (FREE, "smooth", "more smoothing; after the most, none")),
    bind(&[ch('b')], Action::Points, TRAIN, (FREE, "", "show or hide the points behind smoothed lines")),
    bind(&[ch('-')], Action::ZoomOut, TRAIN, (FREE, "", "show more steps")),
    bind(&[ch('[')], Action::PanLeft, TRAIN, (FREE, "", "move to earlier steps")),
    bind(&[ch(']')], Action::PanRight, TRAIN, (FREE, "", "move to later steps; at the end it follows")),
    bind(&[ch('0')], Action::Whole, TRAIN, (FREE, "", "show the whole run")),
    bind(&[ch('f'), on(KeyCode::End)], Action::Follow, TRAIN, (FREE, "", "follow the latest steps")),
    bind(&[ch(',')], Action::PointBefore, TRAIN, (FREE, "", "read the point before")),
    bind(&[ch('.')], Action::PointAfter, TRAIN, (FREE, "", "read the point after")),
    bind(&[on(KeyCode::Up), ch('k')], Action::Up, TRAIN, (FREE, "", "the chart above")),
    bind(&[on(KeyCode::Down), ch('j')], Action::Down, TRAIN, (FREE, "", "the chart below; after the last, the next column")),
    bind(&[on(KeyCode::Esc)], Action::Close, TRAIN, (FREE, "", "back to all charts, to the latest values")),

    bind(&[ch('m'), ch('j'), on(KeyCode::Down)], Action::NextMethod, EXPLAIN, (FREE, "method", "the next method")),
    bind(&[ch('M'), ch('k'), on(KeyCode::Up)], Action::PreviousMethod, EXPLAIN, (FREE, "", "the method before")),
    bind(&[on(KeyCode::Right), ch('l')], Action::CursorRight, EXPLAIN, (FREE, "word", "mark the next word")),
    bind(&[on(KeyCode::Left), ch('h')], Action::CursorLeft, EXPLAIN, (FREE, "", "mark the word before")),
    bind(&[ch(' ')], Action::Mask, EXPLAIN, (Needs::Worker, "mask", "what if: mask the word, or put it back")),
    bind(&[ch('r')], Action::Retype, EXPLAIN, (Needs::Worker, "retype", "what if: replace the word")),
    bind(&[ch('t')], Action::Type, EXPLAIN, (Needs::Worker, "type a text", "explain a text that you type")),
    bind(&[ch('d'), on(KeyCode::Delete)], Action::Delete, EXPLAIN, (Needs::Worker, "delete", "what if: leave it out, or put it back")),
    bind(&[ch('u')], Action::Undo, EXPLAIN, (FREE, "undo", "all words as they were")),
    bind(&[on(KeyCode::Backspace)], Action::Restore, EXPLAIN, (Needs::Worker, "", "the marked word as it was")),
    bind(&[ch('w')], Action::View, EXPLAIN, (FREE, "view", "map, table, waterfall, agreement of methods")),
    bind(&[ch('[')], Action::Older, EXPLAIN, (FREE, "older", "the explanation before")),
    bind(&[ch(']')], Action::Newer, EXPLAIN, (FREE, "newer", "the next explanation; the last one follows the run")),
    bind(&[ch('x')], Action::NextClass, EXPLAIN, (Needs::Worker, "class", "explain the next class")),
    bind(&[ch('e'), on(KeyCode::Enter)], Action::Explain, EXPLAIN, (Needs::Worker, "again", "explain the same text with the current weights")),
    bind(&[ch('D')], Action::Figures, EXPLAIN, (Needs::Worker, "", "all figures of the checks (slow for a long text)")),
    bind(&[ch('b')], Action::OtherWeights, EXPLAIN, (Needs::Worker, "", "explain with the best weights, or with the last")),
    bind(&[ch('Y')], Action::CopyData, EXPLAIN, (FREE, "", "copy the explanation as JSON")),
    bind(&[on(KeyCode::Esc)], Action::Close, EXPLAIN, (FREE, "", "cancel what is under way, or unmark the word")),
    bind(&[on(KeyCode::PageUp)], Action::PageUp, EXPLAIN, (FREE, "", "up in a long text")),
    bind(&[on(KeyCode::PageDown)], Action::PageDown, EXPLAIN, (FREE, "", "down in a long text")),

    bind(&[ch('e'), on(KeyCode::Enter)], Action::Explain, SAMPLES, (FREE, "explain", "see what the answer to this sample is based on")),
    bind(&[ch('s')], Action::Sort, SAMPLES, (FREE, "sort", "order: as read, loss, errors, teacher, explanations")),
    bind(&[ch('a')], Action::Survey, SAMPLES, (Needs::Worker, "explain all", "explain all samples shown, or cancel that")),
    bind(&[ch('w')], Action::View, SAMPLES, (FREE, "words", "the words of all samples that are explained")),
    bind(&[ch('m')], Action::NextMethod, SAMPLES, (FREE, "", "whose trust and plausibility are shown")),
    bind(&[on(KeyCode::Esc)], Action::Close, SAMPLES, (FREE, "", "back from the examples of a word to all samples")),
    bind(&[ch('/')], Action::Filter, SAMPLES, (FREE, "filter", "only samples with a text in them; empty: all")),
    bind(&[on(KeyCode::Up), ch('k')], Action::Up, SAMPLES, (FREE, "", "one sample up")),
    bind(&[on(KeyCode::Down), ch('j')], Action::Down, SAMPLES, (FREE, "", "one sample down")),
    bind(&[on(KeyCode::PageUp)], Action::PageUp, SAMPLES, (FREE, "", "one page up")),
    bind(&[on(KeyCode::PageDown), ch(' ')], Action::PageDown, SAMPLES, (FREE, "", "one page down")),
    bind(&[on(KeyCode::Home), ch('g')], Action::First, SAMPLES, (FREE, "", "to the first sample")),
    bind(&[on(KeyCode::End), ch('G')], Action::Last, SAMPLES, (FREE, "", "to the last sample")),

    bind(&[on(KeyCode::Enter), ch('e')], Action::Accept, WORDS, (FREE, "examples", "the samples that have the word")),
    bind(&[ch('x')], Action::NextClass, WORDS, (FREE, "class", "the words of the next class")),
    bind(&[ch('m')], Action::NextMethod, WORDS, (FREE, "method", "by the next method")),
    bind(&[ch('s')], Action::Sort, WORDS, (FREE, "sort", "strongest, most for, most against, most frequent")),
    bind(&[ch('w'), on(KeyCode::Esc)], Action::View, WORDS, (FREE, "samples", "back to the samples")),
    bind(&[ch('f')], Action::Case, WORDS, (FREE, "case", "count words that differ only in case as one or two")),
    bind(&[ch('+'), ch('=')], Action::More, WORDS, (FREE, "rarer", "leave out words of fewer samples")),
    bind(&[ch('-')], Action::Less, WORDS, (FREE, "", "show words of fewer samples too")),
    bind(&[ch('a')], Action::Survey, WORDS, (Needs::Worker, "explain all", "explain all samples, or cancel that")),
    bind(&[on(KeyCode::Up), ch('k')], Action::Up, WORDS, (FREE, "", "one word up")),
    bind(&[on(KeyCode::Down), ch('j')], Action::Down, WORDS, (FREE, "", "one word down")),
    bind(&[on(KeyCode::PageUp)], Action::PageUp, WORDS, (FREE, "", "one page up")),
    bind(&[on(KeyCode::PageDown), ch(' ')], Action::PageDown, WORDS, (FREE, "", "one page down")),
    bind(&[on(KeyCode::Home), ch('g')], Action::First, WORDS, (FREE, "", "to the first word")),
    bind(&[on(KeyCode::End), ch('G')], Action::Last, WORDS, (FREE, "", "to the last word")),

    bind(&[ch(' ')], Action::Mask, SUSPECTS, (FREE, "mask", "what if the word were masked everywhere?")),
    bind(&[ch('e')], Action::Explain, SUSPECTS, (Needs::Worker, "explain without", "explain an example, before and after masking it")),
    bind(&[on(KeyCode::Enter)], Action::Accept, SUSPECTS, (FREE, "examples", "the samples that have the word")),
    bind(&[ch('w'), on(KeyCode::Esc)], Action::View, SUSPECTS, (FREE, "samples", "back to the samples")),
    bind(&[on(KeyCode::Up), ch('k')], Action::Up, SUSPECTS, (FREE, "", "one word up")),
    bind(&[on(KeyCode::Down), ch('j')], Action::Down, SUSPECTS, (FREE, "", "one word down")),

    bind(&[on(KeyCode::Up), ch('k')], Action::Up, LAYERS, (FREE, "", "one layer up")),
    bind(&[on(KeyCode::Down), ch('j')], Action::Down, LAYERS, (FREE, "", "one layer down")),
    bind(&[on(KeyCode::Home), ch('g')], Action::First, LAYERS, (FREE, "", "to the first layer")),
    bind(&[on(KeyCode::End), ch('G')], Action::Last, LAYERS, (FREE, "", "to the last layer")),

    bind(&[ch('w')], Action::OtherPane, LOG, (FREE, "other list", "scroll the other list: events or worker output")),
    bind(&[ch('/')], Action::Search, LOG, (FREE, "search", "search both lists; capitals count if you type some")),
    bind(&[ch('n')], Action::NextMatch, LOG, (FREE, "", "the next line with it")),
    bind(&[ch('N')], Action::PreviousMatch, LOG, (FREE, "", "the previous line with it")),
    bind(&[on(KeyCode::Esc)], Action::Close, LOG, (FREE, "", "end the search")),
    bind(&[ch('l')], Action::Level, LOG, (FREE, "level", "all lines, warnings and errors, errors alone")),
    bind(&[ch('W')], Action::Wrap, LOG, (FREE, "wrap", "long lines on several rows, or cut")),
    bind(&[on(KeyCode::Up), ch('k')], Action::Up, LOG, (FREE, "scroll", "one line up")),
    bind(&[on(KeyCode::Down), ch('j')], Action::Down, LOG, (FREE, "", "one line down")),
    bind(&[on(KeyCode::PageUp)], Action::PageUp, LOG, (FREE, "", "one page up")),
    bind(&[on(KeyCode::PageDown), ch(' ')], Action::PageDown, LOG, (FREE, "", "one page down")),
    bind(&[on(KeyCode::Home), ch('g')], Action::First, LOG, (FREE, "", "to the start")),
    bind(&[on(KeyCode::End), ch('G')], Action::Last, LOG, (FREE, "follow", "to the end, and stay there")),

    bind(&[on(KeyCode::Up), ch('k')], Action::Up, DATA, (FREE, "scroll", "one line up")),
    bind(&[on(KeyCode::Down), ch('j')], Action::Down, DATA, (FREE, "", "one line down")),
    bind(&[on(KeyCode::PageUp)], Action::PageUp, DATA, (FREE, "", "one page up")),
    bind(&[on(KeyCode::PageDown), ch(' ')], Action::PageDown, DATA, (FREE, "", "one page down")),
    bind(&[on(KeyCode::Home), ch('g')], Action::First, DATA, (FREE, "", "to the start")),
    bind(&[on(KeyCode::End), ch('G')], Action::Last, DATA, (FREE, "", "to the end")),

    bind(&[on(KeyCode::Enter)], Action::Accept, Place::Frontier, (FREE, "open", "open the marked run")),
    bind(&[ch('x')], Action::Axis, Place::Frontier, (FREE, "against", "accuracy against the next measure")),
    bind(&[on(KeyCode::Tab)], Action::NextGroup, Place::Frontier, (FREE, "configuration", "the next configuration")),
    bind(&[on(KeyCode::BackTab)], Action::PreviousGroup, Place::Frontier, (FREE, "", "the configuration before")),
    bind(&[on(KeyCode::Right), ch('l')], Action::CursorRight, Place::Frontier, (FREE, "", "the next run to the right")),
    bind(&[on(KeyCode::Left), ch('h')], Action::CursorLeft, Place::Frontier, (FREE, "", "the next run to the left")),
    bind(&[on(KeyCode::Up), ch('k')], Action::Up, Place::Frontier, (FREE, "", "the next run above")),
    bind(&[on(KeyCode::Down), ch('j')], Action::Down, Place::Frontier, (FREE, "", "the next run below")),
    bind(&[ch('?'), on(KeyCode::F(1))], Action::Help, Place::Frontier, (FREE, "measures", "what the measures mean, or the marked run")),
    bind(&[ch('r'), ctrl('l')], Action::Reread, Place::Frontier, (FREE, "", "read the records of all runs again")),
    bind(&[ch('q'), on(KeyCode::Esc), ctrl('c')], Action::Close, Place::Frontier, (FREE, "leave", "leave; from a run, q comes back here")),

    bind(&[ch('d'), on(KeyCode::Enter), ctrl('c')], Action::Detach, Place::Leaving, (FREE, "detach", "leave; the training goes on")),
    bind(&[ch('s')], Action::StopAndLeave, Place::Leaving, (Needs::Training, "stop", "evaluate, write a checkpoint, stop, and leave")),
    bind(&[on(KeyCode::Esc), ch('q'), ch('n')], Action::Close, Place::Leaving, (FREE, "stay", "stay here")),

    bind(&[ch('y'), on(KeyCode::Enter)], Action::ConfirmStop, Place::Stopping, (FREE, "stop", "evaluate, write a checkpoint, stop the training")),
    bind(&[ch('K')], Action::StopNow, Place::Stopping, (FREE, "stop at once", "stop at once: no evaluation, no checkpoint")),
    bind(&[on(KeyCode::Esc), ch('q'), ch('n'), ctrl('c')], Action::Close, Place::Stopping, (FREE, "train on", "let it go on training")),

    bind(&[on(KeyCode::Up), ch('k')], Action::Up, Place::Charts, (FREE, "", "one chart up")),
    bind(&[on(KeyCode::Down), ch('j')], Action::Down, Place::Charts, (FREE, "", "one chart down")),
    bind(&[ch(' '), on(KeyCode::Enter)], Action::Turn, Place::Charts, (FREE, "show or hide", "show or hide this chart")),
    bind(&[ch('r')], Action::Usual, Place::Charts, (FREE, "the usual ones", "show the usual charts again")),
    bind(&[on(KeyCode::Esc), ch('q'), ctrl('c')], Action::Close, Place::Charts, (FREE, "done", "back to the charts")),

    bind(&[on(KeyCode::Down), ch('j')], Action::Down, Place::Measures, (FREE, "more", "further down")),
    bind(&[on(KeyCode::Up), ch('k')], Action::Up, Place::Measures, (FREE, "", "back up")),
    bind(&[on(KeyCode::Esc), ch('d'), ch('q'), ctrl('c')], Action::Close, Place::Measures, (FREE, "close", "back to the charts")),

    bind(&[on(KeyCode::Up), ctrl('p')], Action::Up, Place::Palette, (FREE, "", "one line up")),
    bind(&[on(KeyCode::Down), ctrl('n')], Action::Down, Place::Palette, (FREE, "", "one line down")),
    bind(&[on(KeyCode::Enter)], Action::Accept, Place::Palette, (FREE, "do it", "do what is marked")),
    bind(&[on(KeyCode::Esc), ctrl('c')], Action::Close, Place::Palette, (FREE, "close", "do nothing")),

    bind(&[on(KeyCode::Up)], Action::Up, Place::Values, (FREE, "", "the value above")),
    bind(&[on(KeyCode::Down), on(KeyCode::Tab)], Action::Down, Place::Values, (FREE, "", "the value below")),
    bind(&[on(KeyCode::Left)], Action::Less, Place::Values, (FREE, "less", "a little less")),
    bind(&[on(KeyCode::Right)], Action::More, Place::Values, (FREE, "more", "a little more")),
    bind(&[on(KeyCode::Enter)], Action::Accept, Place::Values, (FREE, "set", "send the new value to the training")),
    bind(&[on(KeyCode::Esc), ctrl('c')], Action::Close, Place::Values, (FREE, "close", "change nothing more")),

    bind(&[on(KeyCode::Enter)], Action::Accept, Place::Typing, (FREE, "done", "take the text")),
    bind(&[on(KeyCode::Esc), ctrl('c')], Action::Close, Place::Typing, (FREE, "cancel", "leave it as it was")),

    bind(&[on(KeyCode::Esc), ch('?'), ch('q'), ctrl('c')], Action::Close, Place::Help, (FREE, "close", "close the help")),
    bind(&[on(KeyCode::Down), ch('j'), on(KeyCode::PageDown)], Action::Down, Place::Help, (FREE, "more", "further down")),
    bind(&[on(KeyCode::Up), ch('k'), on(KeyCode::PageUp)], Action::Up, Place::Help, (FREE, "", "back up")),
];
