//! `config.json` of a model folder: a JSON object whose keys are kept as they came.

use std::path::{Path, PathBuf};

use pellucid_files::bounded;
use serde_json::{Map, Value, json};

use super::member;
use super::sentence::SentenceModel;
use crate::error::{Error, Result};
use crate::labels::Labels;

const NAME: &str = "config.json";
/// What an adapter is described in.
const ADAPTER: &str = "adapter_config.json";
const SINGLE_LABEL: &str = "single_label_classification";

/// The keys of a `config.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigFile {
    keys: Map<String, Value>,
}

impl ConfigFile {
    /// Where the file is in `folder`.
    #[must_use]
    pub fn path(folder: &Path) -> PathBuf {
        folder.join(NAME)
    }

    /// Reads the file of `folder`.
    ///
    /// # Errors
    /// When the folder or the file is missing, the file is not a JSON object, or an adapter stands beside it.
    pub fn load(folder: &Path) -> Result<Self> {
        if !folder.is_dir() {
            return Err(Error::file(folder, "is not a folder; give a model folder in Hugging Face layout"));
        }
        if !Self::path(folder).exists()
            && let Some(SentenceModel { model, .. }) = SentenceModel::of(folder)?
        {
            let model = folder.join(model);
            let message = format!("is a folder of sentence-transformers; its model is in {}", model.display());
            return Err(Error::file(folder, message));
        }
        let best = folder.join("checkpoints").join("best");
        if !Self::path(folder).exists() && best.is_dir() {
            let why = format!("is the folder of a run; its best model is {}", best.display());
            return Err(Error::file(folder, why));
        }
        if Self::path(folder).exists() && folder.join(ADAPTER).exists() {
            let why = "stands beside a whole model, and transformers with peft would read the model that it adapts instead; remove it if the weights here are meant";
            return Err(Error::file(&folder.join(ADAPTER), why));
        }
        if !Self::path(folder).exists() && folder.join(ADAPTER).exists() {
            let why = "is an adapter of peft without the model that it adapts; save both as one with merge_and_unload().save_pretrained(DIR)";
            return Err(Error::file(&folder.join(ADAPTER), why));
        }
        let text = member::read_text(folder, NAME, bounded::SETTINGS)?;
        Self::parse(&text).map_err(|message| Error::file(&Self::path(folder), message))
    }

    /// Parses the text of the file.
    ///
    /// # Errors
    /// When it is not a JSON object.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        Ok(Self { keys: super::json::parse(text)? })
    }

    /// All keys, known or not.
    #[must_use]
    pub fn keys(&self) -> &Map<String, Value> {
        &self.keys
    }

    /// The `model_type`, e.g. `bert`.
    #[must_use]
    pub fn family(&self) -> Option<&str> {
        self.keys.get("model_type").and_then(Value::as_str)
    }

    /// Class names, unless they are the placeholders `LABEL_0`, `LABEL_1`, ...
    #[must_use]
    pub fn labels(&self) -> Option<Labels> {
        let names = self.class_names().ok()?.filter(|names| names.len() >= 2)?;
        let placeholders = names.iter().enumerate().all(|(index, name)| *name == format!("LABEL_{index}"));
        (!placeholders).then(|| Labels::new(names))
    }

    /// How many classes it says there are, if it says so.
    ///
    /// # Errors
    /// When `id2label` does not name the classes 0, 1, 2, ..., or two of them alike, or `num_labels` is another number: to
    /// transformers 4 the one counts, to transformers 5 the other.
    pub fn classes(&self) -> std::result::Result<Option<usize>, String> {
        let number = self.keys.get("num_labels").and_then(Value::as_u64).and_then(|number| number.try_into().ok());
        match (self.class_names()?.map(|names| names.len()), number) {
            (Some(named), Some(number)) if named != number => {
                Err(format!("num_labels is {number}, but id2label names {named} classes; correct one of them"))
            }
            (named, number) => Ok(named.or(number)),
        }
    }

    /// The names of `id2label`, in the order of the classes.
    fn class_names(&self) -> std::result::Result<Option<Vec<String>>, String> {
        let map = match self.keys.get("id2label") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Object(map)) => map,
            Some(_) => return Err("id2label is no object of class numbers and names".to_owned()),
        };
        let name = |index: usize| match map.get(&index.to_string()) {
            Some(Value::String(name)) => Ok(name.clone()),
            Some(Value::Number(name)) => Ok(name.to_string()),
            Some(other) => Err(format!("id2label names class {index} `{other}`, which is no name")),
            None => Err(format!("id2label has {} classes, but none of number {index}", map.len())),
        };
        let names = (0..map.len()).map(name).collect::<std::result::Result<Vec<_>, _>>()?;
        match names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
            Some((at, name)) => Err(format!("id2label gives class {at} the name `{name}` of another; give it its own")),
            None => Ok(Some(names)),
        }
    }

    /// Refuses a model that answers with anything but one of several classes.
    ///
    /// # Errors
    /// Naming the key that says so.
    pub fn check_single_label(&self) -> std::result::Result<(), String> {
        let task = self.keys.get("problem_type").filter(|task| !task.is_null());
        match task.map(|task| task.as_str().map_or_else(|| task.to_string(), str::to_owned)) {
            Some(task) if task != SINGLE_LABEL => Err(format!(
                "problem_type `{task}` is not supported: only models that give one of several classes are, {SINGLE_LABEL}"
            )),
            _ => Ok(()),
        }
    }

    /// The same, with `architecture` as the only entry of `architectures`.
    #[must_use]
    pub fn with_architecture(mut self, architecture: &str) -> Self {
        self.keys.insert("architectures".into(), json!([architecture]));
        self
    }

    /// The same, with the text `value` under `key`.
    #[must_use]
    pub fn with_text(mut self, key: &str, value: &str) -> Self {
        self.keys.insert(key.into(), json!(value));
        self
    }

    /// The same, for a classifier of single labels that has these classes.
    #[must_use]
    pub fn with_labels(mut self, labels: &Labels) -> Self {
        let names = labels.names();
        let by_index: Map<_, _> = names.iter().enumerate().map(|(i, name)| (i.to_string(), json!(name))).collect();
        let by_name: Map<_, _> = names.iter().enumerate().map(|(i, name)| (name.clone(), json!(i))).collect();
        self.keys.insert("problem_type".into(), json!(SINGLE_LABEL));
        self.keys.remove("num_labels");
        self.keys.insert("id2label".into(), Value::Object(by_index));
        self.keys.insert("label2id".into(), Value::Object(by_name));
        self
    }

    /// The text of the file, for weights stored as `dtype`.
    #[must_use]
    pub fn to_json(&self, dtype: &str) -> String {
        let mut keys = self.keys.clone();
        keys.insert("torch_dtype".into(), json!(dtype));
        format!("{:#}\n", Value::Object(keys))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_are_kept_and_labels_come_back() {
        let file = ConfigFile::parse(r#"{"model_type":"bert","future_key":[1]}"#).unwrap();
        assert_eq!((file.family(), file.labels()), (Some("bert"), None));
        let labels = Labels::new(vec!["no".into(), "yes".into()]);
        let text = file.with_labels(&labels).with_architecture("BertForSequenceClassification").to_json("float32");
        let back = ConfigFile::parse(&text).unwrap();
        assert_eq!(back.labels(), Some(labels));
        assert_eq!(back.keys()["future_key"], json!([1]));
        assert_eq!(back.keys()["architectures"], json!(["BertForSequenceClassification"]));
    }

    #[test]
    fn placeholders_are_no_names() {
        let of = |names: &str| ConfigFile::parse(&format!("{{\"id2label\":{names}}}")).unwrap().labels();
        assert_eq!(of(r#"{"0":"LABEL_0","1":"LABEL_1"}"#), None);
        assert_eq!(of(r#"{"0":"LABEL_1","1":"LABEL_0"}"#).map(|labels| labels.len()), Some(2));
        assert_eq!((of(r#"{"0":"only"}"#), of(r#"{"1":"a","2":"b"}"#)), (None, None));
        assert_eq!(of(r#"{"0":1,"1":2}"#), Some(Labels::new(vec!["1".into(), "2".into()])));
    }

    #[test]
    fn classes_are_counted_or_said_to_be_none() {
        let of = |keys: &str| ConfigFile::parse(&format!("{{{keys}}}")).unwrap().classes();
        assert_eq!(of(r#""id2label":{"0":"a","1":"b"},"num_labels":2"#), Ok(Some(2)));
        assert_eq!(of(r#""id2label":{"0":"a","1":"b"},"num_labels":null"#), Ok(Some(2)));
        assert_eq!((of(r#""id2label":null,"num_labels":3"#), of("")), (Ok(Some(3)), Ok(None)));
        for (keys, why) in [
            (r#""id2label":["a","b"]"#, "id2label is no object"),
            (r#""id2label":{"0":"a","1":"b"},"num_labels":7"#, "num_labels is 7, but id2label names 2 classes"),
            (r#""id2label":{"0":"a","2":"b"}"#, "id2label has 2 classes, but none of number 1"),
            (r#""id2label":{"0":"a","1":"b","2":"a"}"#, "id2label gives class 2 the name `a` of another"),
            (r#""id2label":{"0":"a","1":null}"#, "id2label names class 1 `null`"),
        ] {
            assert!(of(keys).unwrap_err().starts_with(why), "{keys}");
        }
    }

    #[test]
    fn what_gives_several_labels_or_a_number_is_refused_by_its_key() {
        let of = |task: &str| ConfigFile::parse(&format!("{{\"problem_type\":{task}}}")).unwrap().check_single_label();
        assert_eq!((of("null"), of("\"single_label_classification\"")), (Ok(()), Ok(())));
        for task in ["\"multi_label_classification\"", "\"regression\"", "\"other\"", "7"] {
            let why = of(task).unwrap_err();
            assert!(why.contains("problem_type") && why.contains(task.trim_matches('"')), "{why}");
        }
    }

    #[test]
    fn an_adapter_beside_a_whole_model_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(ConfigFile::path(folder.path()), "{}").unwrap();
        ConfigFile::load(folder.path()).unwrap();
        std::fs::write(folder.path().join("adapter_config.json"), "{}").unwrap();
        let message = ConfigFile::load(folder.path()).unwrap_err().to_string();
        assert!(message.contains("adapter_config.json: stands beside a whole model"), "{message}");
        std::fs::remove_file(ConfigFile::path(folder.path())).unwrap();
        let message = ConfigFile::load(folder.path()).unwrap_err().to_string();
        assert!(message.contains("is an adapter of peft") && message.contains("merge_and_unload"), "{message}");
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let message = || ConfigFile::load(folder.path()).unwrap_err().to_string();
        assert!(message().contains("config.json: "), "{}", message());
        let best = folder.path().join("checkpoints/best");
        std::fs::create_dir_all(&best).unwrap();
        assert!(message().contains("is the folder of a run; its best model is ") && message().ends_with("best"));
        for text in ["[]", "{", &"[".repeat(100_000)] {
            std::fs::write(ConfigFile::path(folder.path()), text).unwrap();
            assert!(message().contains("config.json: ") && message().lines().count() == 1, "{}", message());
        }
        let missing = ConfigFile::load(&folder.path().join("nowhere")).unwrap_err().to_string();
        assert!(missing.ends_with("nowhere: is not a folder; give a model folder in Hugging Face layout"), "{missing}");
    }
}
