//! The flags that are settings of a run: those of a settings file with `-` for `_`.

use std::ffi::OsStr;

use clap::builder::{
    BoolishValueParser, PathBufValueParser, PossibleValuesParser, StringValueParser, TypedValueParser, ValueParser,
};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, ValueHint};
use pellucid_protocol::RawSettings;
use pellucid_protocol::settings::reading::Reading;
use pellucid_protocol::settings::{DEFINITIONS, Definition, Form, READING};

/// The settings of a run, as flags: one for each definition.
#[derive(Debug, Clone, Default)]
pub(crate) struct SettingFlags(RawSettings);

impl SettingFlags {
    /// The settings as written.
    #[must_use]
    pub(crate) fn raw(self) -> RawSettings {
        self.0
    }
}

impl Args for SettingFlags {
    fn augment_args(command: Command) -> Command {
        DEFINITIONS.iter().fold(command.allow_negative_numbers(true), |command, known| command.arg(flag(known)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches).map(|()| flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for known in DEFINITIONS {
            if let Some(given) = matches.get_one::<RawSettings>(known.key) {
                self.0 = given.clone().or(std::mem::take(&mut self.0));
            }
        }
        Ok(())
    }
}

/// The settings that say how a data file is read, as flags of other commands.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadingFlags(RawSettings);

impl ReadingFlags {
    /// How the file is read.
    #[must_use]
    pub(crate) fn reading(&self) -> Reading {
        self.0.reading()
    }
}

fn of_reading() -> impl Iterator<Item = &'static Definition> {
    DEFINITIONS
        .iter()
        .filter(|known| known.heading == READING && !["yes_many_classes", "drop_leaks"].contains(&known.key))
}

impl Args for ReadingFlags {
    fn augment_args(command: Command) -> Command {
        of_reading().fold(command, |command, known| command.arg(flag(known)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ReadingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches).map(|()| flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for known in of_reading() {
            if let Some(given) = matches.get_one::<RawSettings>(known.key) {
                self.0 = given.clone().or(std::mem::take(&mut self.0));
            }
        }
        Ok(())
    }
}

/// The flag of a setting. Its value is settings of which this one alone is given.
fn flag(known: &'static Definition) -> Arg {
    let flag = Arg::new(known.key)
        .long(known.flag)
        .value_name(known.value_name)
        .help(known.help())
        .help_heading(known.heading)
        .value_parser(parser(known));
    let flag = match known.form {
        Form::Path => flag.value_hint(ValueHint::AnyPath),
        Form::Switch => flag.num_args(0..=1).require_equals(true).default_missing_value("true"),
        Form::Text | Form::Choice(_) => flag,
    };
    known.excludes.into_iter().fold(flag, |flag, other| flag.conflicts_with(other))
}

fn parser(known: &'static Definition) -> ValueParser {
    let parse = move |text: &OsStr| known.parse(text);
    match known.form {
        Form::Text => StringValueParser::new().try_map(move |text| parse(text.as_ref())).into(),
        Form::Switch => BoolishValueParser::new().try_map(move |on| parse(on.to_string().as_ref())).into(),
        Form::Path => PathBufValueParser::new().try_map(move |path| parse(path.as_ref())).into(),
        Form::Choice(names) => PossibleValuesParser::new(names).try_map(move |name| parse(name.as_ref())).into(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Action, Cli};

    fn parse(rest: &str) -> RawSettings {
        let cli = Cli::try_parse_from(format!("pellucid train {rest}").trim().split(' ')).unwrap();
        let Some(Action::Train(train)) = cli.action else { panic!("{cli:?}") };
        train.settings.raw()
    }

    #[test]
    fn every_setting_has_its_flag() {
        for known in DEFINITIONS {
            let text = match known.form {
                Form::Choice(names) => names.last().map(|name| (*name).to_owned()).unwrap(),
                Form::Path => "a/b".to_owned(),
                Form::Switch => "true".to_owned(),
                Form::Text if known.key == "delimiter" => ";".to_owned(),
                Form::Text => known.default().unwrap_or_else(|| "5".to_owned()),
            };
            let between = if known.form == Form::Switch { '=' } else { ' ' };
            let raw = parse(&format!("--{}{between}{text}", known.flag));
            assert_eq!(raw, known.parse(OsStr::new(&text)).unwrap(), "{}", known.key);
            let written = serde_json::to_value(&raw).unwrap();
            assert_eq!(written.as_object().unwrap().keys().collect::<Vec<_>>(), [known.key]);
        }
    }

    /// Other programs rely on these.
    #[test]
    fn no_flag_is_lost() {
        let raw = parse(
            "--model a --train b --valid c --teacher d --epochs 1 --batch-size 2 --max-tokens 3 --long windows --stride 1 --window-pooling max --grouping length --lr 4 \
             --optimizer sgd --momentum 5 --clip-norm 6 --warmup 7 --seed 8 --l1 9 --l1-form subgradient --l2 10 \
             --l2-form coupled --kd-alpha 11 --kd-temperature 12 --eval-every 13 --probe 14 --threads 15 \
             --device cuda:1 --run-dir e --patience 16 --accumulate 17 --class-weights a=1 --label-smoothing 18 \
             --schedule cosine --layer-decay 19 --freeze layers:2 --checkpoint-every 20 --keep 21 --precision bf16 \
             --l1-exempt none --group-l1 22 --l2-anchor start --l2-exempt biases --rrr 23 --avoid a,b --consistency 24 \
             --consistency-to start --attribution-every 25 --attribution-rows 26 --masking 27 --probe-share 28 --probe-data f \
             --test 0.1 --text-column a --pair-column b --label-column c --id-column d --group-column e --rationale-column f \
             --no-header --delimiter ; --encoding latin1 --skip-bad 29 --label-map a=b --yes-many-classes --drop-leaks \
             --folds 30 --fold 31 --private",
        );
        let written = serde_json::to_value(&raw).unwrap();
        assert_eq!(written.as_object().unwrap().len(), DEFINITIONS.len() - 1, "all but max_steps");
        assert_eq!(parse("--max-steps 5").max_steps, Some(5));
    }

    #[test]
    fn flags_read_as_the_values_of_a_file() {
        let raw = parse(
            "--lr 4 --epochs 1 --device cuda:1 --class-weights a=1 --freeze layers:2 --l1-exempt none --avoid a,b \
             --schedule cosine --model a",
        );
        let file = r#"
            lr = 4.0
            epochs = 1
            device = "cuda:1"
            class_weights = { a = 1.0 }
            freeze = ["layers:2"]
            l1_exempt = []
            avoid = "a,b"
            schedule = "cosine"
            model = "a"
        "#;
        assert_eq!(raw, toml::from_str(file).unwrap());
    }

    #[test]
    fn what_is_no_value_is_refused_by_its_flag() {
        let refused = |rest: &str| {
            let error = Cli::try_parse_from(format!("pellucid train {rest}").split(' ')).unwrap_err().to_string();
            error.lines().next().unwrap().to_owned()
        };
        assert_eq!(refused("--lr fast"), "error: invalid value 'fast' for '--lr <LR>': invalid float literal");
        assert_eq!(refused("--seed -1"), "error: invalid value '-1' for '--seed <N>': invalid digit found in string");
        assert_eq!(refused("--schedule up"), "error: invalid value 'up' for '--schedule <SCHEDULE>'");
        let both = refused("--epochs 1 --max-steps 2");
        assert_eq!(both, "error: the argument '--epochs <N>' cannot be used with '--max-steps <N>'");
    }

    #[test]
    fn a_number_below_zero_reaches_the_check() {
        assert_eq!(parse("--l1 -1").check().unwrap_err().to_string(), "--l1: must be 0 or more, not -1");
        assert_eq!(parse("--lr=-1e-3").lr, Some(-1e-3));
    }
}
