//! The flags of `pellucid screenshot`.

use std::path::PathBuf;

use clap::Args;
use pellucid_dashboard::Screen;
use pellucid_dashboard::keymap::Key;
use ratatui::layout::Size;

use super::run::RunArg;

/// `pellucid screenshot`.
#[derive(Debug, Args)]
pub(crate) struct ScreenshotArgs {
    /// The run.
    #[command(flatten)]
    pub run: RunArg,
    /// The screen
    #[arg(long, value_enum, default_value_t)]
    pub screen: Screen,
    /// Keys to press first, written as in keys.toml, separated by spaces
    #[arg(long, value_name = "KEYS", value_delimiter = ' ', value_parser = Key::parse)]
    pub keys: Vec<Key>,
    /// Show the run compared with this one; may be repeated
    #[arg(long, value_name = "RUN", value_parser = super::value::run)]
    pub beside: Vec<String>,
    /// Show the list of runs
    #[arg(long, conflicts_with = "beside")]
    pub list: bool,
    /// Show the runs of its folder as points, this run marked
    #[arg(long, conflicts_with_all = ["beside", "list"])]
    pub frontier: bool,
    /// Columns and rows of the screen
    #[arg(long, value_name = "COLSxROWS", default_value = "120x40", value_parser = terminal_size)]
    pub size: Size,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

fn terminal_size(text: &str) -> Result<Size, String> {
    let size =
        text.split_once('x').and_then(|(columns, rows)| Some(Size::new(columns.parse().ok()?, rows.parse().ok()?)));
    size.filter(|size| size.width > 0 && size.height > 0).ok_or_else(|| "write it as 120x40".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_columns_by_rows() {
        assert_eq!(terminal_size("80x24"), Ok(Size::new(80, 24)));
        for bad in ["80", "80x", "x24", "0x1", "-1x4", "99999x1"] {
            assert!(terminal_size(bad).is_err(), "{bad}");
        }
    }
}
