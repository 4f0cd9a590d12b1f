//! What a classifier begins with that is made from a folder of sentence-transformers.

use std::path::Path;

use pellucid_intake::model_folder::sentence::{SentenceModel, SentencePooling};

use super::architecture::Pooling;
use super::config::ModelConfig;
use super::weights::load;
use crate::error::Result;

/// The configuration of a classifier that is made from `folder`, whose own is `config`, and a note for people. A folder
/// of sentence-transformers without a classification head hands its pooling on to families that can be told it.
///
/// # Errors
/// When the files of sentence-transformers cannot be read.
pub fn starting(folder: &Path, config: ModelConfig) -> Result<(ModelConfig, Option<String>)> {
    let Some(model) = SentenceModel::of(folder)? else { return Ok((config, None)) };
    if load::out_layer(folder, &config.architecture).is_ok() {
        return Ok((config, None));
    }
    let Some(pooling) = &model.pooling else { return Ok((config, None)) };
    let told = pooled(pooling).and_then(|pooling| config.pooling(pooling));
    let config = told.unwrap_or(config);
    let classifier = config.architecture.names.classifier;
    let reads = match config.architecture.head.pooling {
        Pooling::First => "the first token",
        Pooling::Last => "the last token",
        Pooling::Mean => "the mean over the tokens",
        Pooling::Late => "all tokens",
    };
    let outcome = match pooled(pooling) == Some(config.architecture.head.pooling) {
        true => format!("{classifier} begins with that"),
        false => format!("{classifier} reads {reads} instead"),
    };
    let unused = match model.further.as_slice() {
        [] => String::new(),
        further => format!("; not used: {}", further.join(", ")),
    };
    let note = format!("sentence-transformers: {pooling} stands for a text in this folder; {outcome}{unused}");
    Ok((config, Some(note)))
}

/// The pooling of a classifier that is that of a folder.
fn pooled(pooling: &SentencePooling) -> Option<Pooling> {
    match pooling {
        SentencePooling::First => Some(Pooling::First),
        SentencePooling::Last => Some(Pooling::Last),
        SentencePooling::Mean => Some(Pooling::Mean),
        SentencePooling::Other(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const SIZES: &str = r#""vocab_size":9,"hidden_size":8,"num_hidden_layers":2,"num_attention_heads":2,
        "intermediate_size":8,"max_position_embeddings":16"#;

    /// The pooling that a classifier of a family begins with in a folder that pools so, and the note.
    fn begun(family: &str, mode: &str) -> (Pooling, String) {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        fs::create_dir(folder.path().join("1_Pooling")).unwrap();
        write("1_Pooling/config.json", &format!(r#"{{"{mode}":true}}"#));
        write(
            "modules.json",
            r#"[{"path":"","type":"m.Transformer"},{"path":"1_Pooling","type":"m.Pooling"},
            {"path":"2_Dense","type":"m.Dense"}]"#,
        );
        let config = ModelConfig::parse(&format!(r#"{{"model_type":"{family}",{SIZES}}}"#)).unwrap();
        let (config, note) = starting(folder.path(), config).unwrap();
        (config.architecture.head.pooling, note.unwrap())
    }

    #[test]
    fn a_family_with_a_key_for_it_takes_the_pooling_and_others_say_what_they_read() {
        for family in ["modernbert", "eurobert"] {
            assert_eq!(begun(family, "pooling_mode_mean_tokens").0, Pooling::Mean);
            let (pooling, note) = begun(family, "pooling_mode_cls_token");
            assert_eq!(pooling, Pooling::First);
            assert!(note.contains("begins with that; not used: Dense"), "{note}");
        }
        let (pooling, note) = begun("bert", "pooling_mode_mean_tokens");
        assert_eq!(pooling, Pooling::First);
        assert_eq!(
            note,
            "sentence-transformers: the mean over the tokens stands for a text in this folder; \
             BertForSequenceClassification reads the first token instead; not used: Dense"
        );
        assert!(begun("modernbert", "pooling_mode_max_tokens").1.contains("max_tokens stands for"));
    }
}
