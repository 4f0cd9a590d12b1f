//! The macro by which each setting is declared once: `declare!`.
//!
//! From the rows in `settings.rs` it makes [`RawSettings`](super::RawSettings), [`Settings`](super::Settings),
//! [`DEFINITIONS`](super::DEFINITIONS) (flags, help, defaults, ranges) and [`LiveSetting`](super::LiveSetting). A row
//! is
//!
//! ```text
//! /// Help and documentation; the first paragraph is the help on the command line.
//! key("VALUE NAME"): Type = default, unless other_key, in Range, before value, live Name("title", Scale::..);
//! ```
//!
//! `default` is one of
//! - a value: the flag's default, told in the help;
//! - `default`: that of the type, told in the help;
//! - `words`: no words, for a setting written as [`Avoid`](super::Avoid);
//! - `folder`: there is none, the value must be given as a [`ModelSource`](super::ModelSource), and is a path;
//! - `other_folder`: as that, and an [`Option`];
//! - `required`: there is none, the value must be given;
//! - `optional`: there is none, the setting is an [`Option`].
//!
//! The rest may be left out:
//! - `unless other_key`: the default holds only if the other setting is not given, and the two exclude each other;
//! - `in Range`: where the value must lie, see [`Range`](super::range::Range);
//! - `before value`: what runs did that were recorded before the setting existed, where that is not the default;
//! - `live Name(..)`: the setting may change while a run goes on; its name in code, its title on the screen, and the
//!   [`Scale`](super::Scale) on which it is changed.

macro_rules! declare {
    // The type in checked settings.
    (@type $kind:ty, optional) => { Option<$kind> };
    (@type $kind:ty, words) => { Vec<String> };
    (@type $kind:ty, folder) => { PathBuf };
    (@type $kind:ty, other_folder) => { Option<PathBuf> };
    (@type $kind:ty, $default:tt, $other:ident) => { Option<$kind> };
    (@type $kind:ty, $default:tt) => { $kind };

    // The value in checked settings.
    (@complete $raw:ident, $key:ident, required) => { required(stringify!($key), $raw.$key)? };
    (@complete $raw:ident, $key:ident, optional) => { $raw.$key };
    (@complete $raw:ident, $key:ident, default) => { $raw.$key.unwrap_or_default() };
    (@complete $raw:ident, $key:ident, words) => {
        $raw.$key.map_or(Ok(Vec::new()), |words| words.list(stringify!($key)))?
    };
    (@complete $raw:ident, $key:ident, folder) => { required(stringify!($key), $raw.$key)?.into() };
    (@complete $raw:ident, $key:ident, other_folder) => { $raw.$key.map(PathBuf::from) };
    (@complete $raw:ident, $key:ident, $default:tt, $other:ident) => {
        $raw.$key.or($raw.$other.is_none().then_some($default))
    };
    (@complete $raw:ident, $key:ident, $default:tt) => { $raw.$key.unwrap_or($default) };

    // The way back.
    (@written $settings:ident, $key:ident, optional) => { $settings.$key };
    (@written $settings:ident, $key:ident, words) => { Some(Avoid::Words($settings.$key)) };
    (@written $settings:ident, $key:ident, folder) => { Some($settings.$key.into()) };
    (@written $settings:ident, $key:ident, other_folder) => { $settings.$key.map(ModelSource::from) };
    (@written $settings:ident, $key:ident, $default:tt, $other:ident) => { $settings.$key };
    (@written $settings:ident, $key:ident, $default:tt) => { Some($settings.$key) };

    // The default as the flag takes it.
    (@default $kind:ty, required) => { || None };
    (@default $kind:ty, optional) => { || None };
    (@default $kind:ty, words) => { || None };
    (@default $kind:ty, folder) => { || None };
    (@default $kind:ty, other_folder) => { || None };
    (@default $kind:ty, default) => { || Some(flag_text(&<$kind>::default())) };
    (@default $kind:ty, $default:tt) => {
        || {
            let value: $kind = $default;
            Some(flag_text(&value))
        }
    };

    (@range) => { Range::Any };
    (@range $range:ident) => { Range::$range };

    (@other) => { None };
    (@other $other:ident) => { Some(stringify!($other)) };

    ($($heading:literal {
        $(
            $(#[doc = $doc:literal])+
            $key:ident($value_name:literal): $kind:ty = $default:tt
                $(, unless $other:ident)?
                $(, in $range:ident)?
                $(, before $before:expr)?
                $(, live $live:ident($title:literal, $scale:expr))?;
        )+
    })+) => {
        /// Settings as written: everything optional, nothing checked.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        pub struct RawSettings {
            $($(
                $(#[doc = $doc])+
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $key: Option<$kind>,
            )+)+
        }

        /// Settings that are known to make sense, every value filled in. Paths are absolute.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(try_from = "RawSettings", into = "RawSettings")]
        pub struct Settings {
            $($(
                $(#[doc = $doc])+
                pub $key: declare!(@type $kind, $default $(, $other)?),
            )+)+
        }

        /// All settings, in the order in which the command line's help has them.
        pub static DEFINITIONS: &[Definition] = &[
            $($(
                Definition {
                    key: stringify!($key),
                    flag: {
                        const FLAG: &[u8] = &kebab::<{ stringify!($key).len() }>(stringify!($key));
                        ascii(FLAG)
                    },
                    heading: $heading,
                    value_name: $value_name,
                    doc: &[$($doc),+],
                    form: <$kind as Value>::FORM,
                    excludes: declare!(@other $($other)?),
                    default: declare!(@default $kind, $default),
                    parse: |text| Ok(RawSettings { $key: Some(Value::parse(text)?), ..RawSettings::default() }),
                    range: declare!(@range $($range)?),
                    refuse: |raw, range| raw.$key.as_ref().map_or(Ok(()), |value| value.refuse_outside(range)),
                },
            )+)+
        ];

        impl RawSettings {
            /// The keys of a settings file.
            pub const KEYS: &[&str] = &[$($(stringify!($key)),+),+];

            /// Each value of `self`, or that of `under` where `self` has none.
            fn over(self, under: RawSettings) -> RawSettings {
                RawSettings { $($($key: self.$key.or(under.$key),)+)+ }
            }

            /// Relative paths taken from `folder`.
            fn within(self, folder: &Path) -> RawSettings {
                RawSettings { $($($key: self.$key.map(|value| value.within(folder)),)+)+ }
            }

            /// Paths made absolute, and files read that hold values.
            fn resolved(self) -> Result<RawSettings, SettingsError> {
                Ok(RawSettings {
                    $($($key: self.$key.map(|value| value.resolved(stringify!($key))).transpose()?,)+)+
                })
            }

            /// Fills in what was left out.
            fn complete(self) -> Result<Settings, SettingsError> {
                let raw = self;
                Ok(Settings { $($($key: declare!(@complete raw, $key, $default $(, $other)?),)+)+ })
            }
        }

        /// Settings as recorded with a run. What a version did not know yet is as it was then.
        impl TryFrom<RawSettings> for Settings {
            type Error = SettingsError;

            fn try_from(raw: RawSettings) -> Result<Self, Self::Error> {
                RawSettings { $($($($key: raw.$key.or(Some($before)),)?)+)+ ..raw }.complete()
            }
        }

        impl From<Settings> for RawSettings {
            fn from(settings: Settings) -> Self {
                RawSettings { $($($key: declare!(@written settings, $key, $default $(, $other)?),)+)+ }
            }
        }

        /// A setting that may change while a run goes on. Its name in `setting` events is that of the settings file.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, VariantArray,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum LiveSetting {
            $($($(
                #[doc = concat!("The ", $title, ".")]
                $live,
            )?)+)+
        }

        impl LiveSetting {
            fn live(self) -> Live {
                match self {
                    $($($(
                        Self::$live => Live {
                            key: stringify!($key),
                            title: $title,
                            scale: $scale,
                            value: |settings| &settings.$key,
                            place: |settings| &mut settings.$key,
                        },
                    )?)+)+
                }
            }
        }
    };
}

pub(super) use declare;
