//! The parts of a set: training, validation, test.

/// The part of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Split {
    /// What a model learns from.
    Train,
    /// What tells when to stop.
    Valid,
    /// What measures it.
    Test,
}

impl Split {
    /// All of them; those that must not leak into training come first.
    pub(crate) const ALL: [Self; 3] = [Self::Test, Self::Valid, Self::Train];

    /// The name of its file, without the ending.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }

    /// How many texts it has.
    pub(crate) fn size(self) -> usize {
        if self == Self::Train { 2000 } else { 400 }
    }
}
