//! The flags of `pellucid screenshot`.

use std::path::PathBuf;

use clap::Args;
use pellucid_dashboard::Screen;
use pellucid_dashboard::keymap::Key;

use super::RunArg;

/// `pellucid screenshot`.
#[derive(Debug, Args)]
pub(crate) struct ScreenshotArgs {
    /// The run.
    #[command(flatten)]
    pub run: RunArg,
    /// Which screen
    #[arg(long, value_enum, default_value_t)]
    pub screen: Screen,
    /// Keys that are pressed first, written as in keys.toml, with spaces between
    #[arg(long, value_name = "KEYS", value_delimiter = ' ', value_parser = Key::parse)]
    pub keys: Vec<Key>,
    /// Compare it with this run, given once or more often, instead of showing it alone
    #[arg(long, value_name = "RUN")]
    pub beside: Vec<String>,
    /// Show the list of runs instead
    #[arg(long, conflicts_with = "beside")]
    pub list: bool,
    /// Show all runs beside it as points of one picture instead, this one marked
    #[arg(long, conflicts_with_all = ["beside", "list"])]
    pub frontier: bool,
    /// Columns and rows
    #[arg(long, value_name = "COLSxROWS", default_value = "120x40", value_parser = terminal_size)]
    pub size: (u16, u16),
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

fn terminal_size(text: &str) -> Result<(u16, u16), String> {
    let parts = text.split_once('x').and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
    parts.filter(|&(columns, rows)| columns > 0 && rows > 0).ok_or_else(|| "give it as 120x40".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_columns_by_rows() {
        assert_eq!(terminal_size("80x24"), Ok((80, 24)));
        for bad in ["80", "80x", "x24", "0x1", "-1x4", "99999x1"] {
            assert!(terminal_size(bad).is_err(), "{bad}");
        }
    }
}
