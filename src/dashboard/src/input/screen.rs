//! The screens of the dashboard by name, in the order of their number keys.

/// A page of the dashboard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Screen {
    /// Curves, progress and health of the training.
    #[default]
    Train,
    /// What one answer is based on.
    Explain,
    /// The validation samples and the answers to them.
    Samples,
    /// Sparsity of each encoder layer.
    Layers,
    /// What happened, and what the worker printed.
    Log,
    /// What the run is trained on.
    Data,
}

impl Screen {
    /// All screens in the order of their number keys.
    pub const ALL: [Screen; 6] =
        [Screen::Train, Screen::Explain, Screen::Samples, Screen::Layers, Screen::Log, Screen::Data];

    /// The name on its tab.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Screen::Train => "Train",
            Screen::Explain => "Explain",
            Screen::Samples => "Samples",
            Screen::Layers => "Layers",
            Screen::Log => "Log",
            Screen::Data => "Data",
        }
    }
}
