//! The flags of the command line as options of the dashboard.

use pellucid_dashboard::{Mouse, Options, Rights};

use crate::cli::Global;

/// The options for a dashboard that may steer its run.
pub(super) fn options(global: &Global) -> Options {
    Options {
        theme: global.theme.clone(),
        color: Some(global.color),
        glyphs: global.glyphs,
        screen: None,
        fps: global.fps,
        alerts: global.alert,
        mouse: if global.no_mouse { Mouse::Left } else { Mouse::Reported },
        rights: Rights::Steer,
    }
}
