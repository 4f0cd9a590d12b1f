"""Adds to tests/golden/keys.json what keys the installed transformers knows: of config.json for each family of models,
of tokenizer_config.json for each class of tokenizers.

  python tests/golden/make_keys.py      (transformers 4.57.1, and again 5.24.0)

A key of config.json is known if the configuration class takes or writes it, or the code of the model asks the
configuration for it. Tests hold that the engine has decided about each of them.
"""

import inspect
import json
import pathlib
import re
import sys

import transformers
from transformers import CONFIG_MAPPING, AutoConfig, AutoModelForSequenceClassification
from transformers.configuration_utils import PretrainedConfig

FAMILIES = ["bert", "distilbert", "roberta", "xlm-roberta", "electra", "gpt2", "modernbert", "deberta-v2", "llama",
            "mistral", "qwen2", "qwen3", "smollm3", "gemma3_text", "camembert", "mpnet", "albert", "eurobert"]
TOKENIZERS = ["BertTokenizer", "DistilBertTokenizer", "RobertaTokenizer", "XLMRobertaTokenizer", "GPT2Tokenizer",
              "DebertaV2Tokenizer", "ElectraTokenizer", "CamembertTokenizer", "MPNetTokenizer", "AlbertTokenizer",
              "LlamaTokenizer", "GemmaTokenizer", "Qwen2Tokenizer", "PreTrainedTokenizer", "TokenizersBackend"]
ASKED = re.compile(r"""(?<!\w)config\.([a-z_0-9]+)(?!\s*\()|getattr\((?:self\.)?config,\s*["']([a-z_0-9]+)["']""")
# Words that are no keys: attributes of the classes themselves, a module, an example, what is set when a folder is loaded.
OWN = {"_auto_class", "attribute_map", "base_config_key", "base_model_ep_plan", "base_model_fsdp_plan",
       "base_model_pp_plan", "base_model_tp_plan", "extra_config_files", "extra_files", "get_text_confi", "json", "mtp_layer_types",
       "sub_config_name", "sub_configs_defaults", "use_return_dict", "validate_architectur"}
# Arguments of functions of a tokenizer, and of its constructor alone.
CALLS = {"__slow_tokenizer", "_commit_hash", "_from_auto", "_from_pipeline", "_json_padding", "_json_truncation",
         "_spm_precompiled_charsmap", "commit_message", "files_loaded", "ignore_metadata_errors", "is_split_into_words",
         "max_target_length", "model_specific_special_tokens", "organization", "padding", "post_processor", "proxies",
         "repo_id", "repo_path_or_name", "repo_url", "resume_download", "sanitize_control_tokens", "save_jinja_files",
         "src_lang", "subfolder", "tgt_lang", "token", "tokenizer", "tokenizer_object", "tokenizer_padding",
         "tokenizer_truncation", "truncation", "use_auth_token", "use_source_tokenizer", "verbose"}


def parameters(cls):
    """The names that the constructors of a class and of those that it is made from take."""
    names = set()
    for base in cls.__mro__:
        if "__init__" in base.__dict__ and base is not object:
            names |= {name for name, one in inspect.signature(base.__init__).parameters.items()
                      if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY) and name != "self"}
        names |= set(getattr(base, "__dataclass_fields__", {}))
    return names


def asked(cls):
    """The keys that the module of a class asks a configuration for."""
    found = ASKED.findall(inspect.getsource(sys.modules[cls.__module__]))
    return {name for pair in found for name in pair if name}


def of_family(family):
    """Its keys; none if this version does not have the family."""
    if family not in CONFIG_MAPPING:
        return []
    config = AutoConfig.for_model(family)
    model = AutoModelForSequenceClassification._model_mapping[type(config)]
    names = parameters(type(config)) | set(config.to_dict()) | set(type(config).attribute_map) | asked(model)
    names |= asked(type(config)) | asked(PretrainedConfig)
    return sorted(name for name in names - OWN if not callable(getattr(type(config), name, None)))


def of_tokenizer(name):
    cls = getattr(transformers, f"{name}Fast", None) or getattr(transformers, name, None)
    if cls is None:
        return None
    source = "".join(inspect.getsource(base) for base in cls.__mro__ if base.__module__.startswith("transformers"))
    popped = set(re.findall(r"""kwargs\.(?:pop|get|setdefault)\(\s*["']([a-z_]+)["']""", source))
    return sorted((parameters(cls) | popped) - CALLS)


def main():
    path = pathlib.Path(__file__).parent / "keys.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    tokenizers = {name: keys for name in TOKENIZERS if (keys := of_tokenizer(name))}
    known[transformers.__version__] = {"config": {family: of_family(family) for family in FAMILIES},
                                       "tokenizer": tokenizers}
    path.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")


if __name__ == "__main__":
    main()
