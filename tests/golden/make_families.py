"""Makes tests/golden/families: a tiny random classifier a case, and what transformers computes with it.

  python tests/golden/make_families.py      (torch 2.11.0, transformers 4.57.1, and again 5.24.0; seed 20)

The variants of a family stand for what folders of it differ in. All attention is `eager`, the one that heeds every
key of config.json (`sdpa` does not heed GPT-2's scale_attn_by_inverse_layer_idx). Run it only to change the cases;
the output is committed.
"""

import json
import os
import pathlib
import shutil

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from transformers import AutoConfig, AutoModelForSequenceClassification

here = pathlib.Path(__file__).parent / "families"
SEED = 20
TOLERANCE = 1e-5
# Which of the tokens that are not padding; the first row is the longest.
ROWS = [[1, 4, 8, 10, 3, 6, 2, 9, 5], [1, 7, 2], [1, 5, 5, 0, 2, 11], [1, 2], [3, 9, 4, 10]]
TAKE_TYPES = ("bert", "roberta", "xlm-roberta", "camembert", "electra", "deberta-v2", "albert")

BERT = dict(vocab_size=13, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
            max_position_embeddings=12)
ROBERTA = {**BERT, "vocab_size": 15, "max_position_embeddings": 16, "layer_norm_eps": 1e-5}
DISTILBERT = dict(vocab_size=14, dim=8, n_layers=2, n_heads=2, hidden_dim=16, max_position_embeddings=12)
GPT2 = dict(vocab_size=16, n_embd=8, n_layer=2, n_head=2, n_positions=12, bos_token_id=15, eos_token_id=15)
MODERNBERT = dict(vocab_size=20, hidden_size=8, num_hidden_layers=4, num_attention_heads=2, intermediate_size=12,
                  max_position_embeddings=32, local_attention=4, pad_token_id=17, bos_token_id=15, eos_token_id=16,
                  cls_token_id=15, sep_token_id=16)
DEBERTA = dict(vocab_size=18, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
               max_position_embeddings=16, max_relative_positions=-1, relative_attention=True, position_buckets=4,
               norm_rel_ebd="layer_norm", pos_att_type=["p2c", "c2p"], pooler_dropout=0, pooler_hidden_act="gelu")
DECODER = dict(vocab_size=17, hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_attention_heads=4,
               num_key_value_heads=2, max_position_embeddings=16, pad_token_id=16, bos_token_id=14, eos_token_id=15)
QWEN = {**DECODER, "use_sliding_window": True, "sliding_window": 3, "max_window_layers": 1}
GEMMA3 = {**DECODER, "head_dim": 4, "sliding_window": 3, "query_pre_attn_scalar": 5,
          "layer_types": ["sliding_attention", "full_attention"]}
LLAMA3_ROPE = dict(rope_type="llama3", factor=4.0, low_freq_factor=0.5, high_freq_factor=1.5,
                   original_max_position_embeddings=12)
YARN = dict(rope_type="yarn", factor=2.0, original_max_position_embeddings=8, beta_fast=2.0, beta_slow=0.2)
TRIAGE = dict(id2label={0: "routine", 1: "urgent", 2: "emergency"},
              label2id={"routine": 0, "urgent": 1, "emergency": 2})

CASES = {
    "bert": {
        "gelu": BERT,
        "gelu_new": {**BERT, "hidden_act": "gelu_new", "pad_token_id": 3, "type_vocab_size": 1, "layer_norm_eps": 1e-5},
        "relu": {**BERT, "hidden_act": "relu", "num_attention_heads": 4, "hidden_size": 12, "intermediate_size": 20,
                 **TRIAGE},
        "silu": {**BERT, "hidden_act": "silu"},
    },
    "distilbert": {
        "default": DISTILBERT,
        # Two classes under their default names: config.json then has no id2label.
        "relu": {**DISTILBERT, "activation": "relu", "pad_token_id": 5, "sinusoidal_pos_embds": True, "num_labels": 2},
    },
    "roberta": {
        "default": {**ROBERTA, "type_vocab_size": 1},
        "pad3": {**ROBERTA, "pad_token_id": 3, "type_vocab_size": 2},
    },
    "xlm-roberta": {"default": {**ROBERTA, "type_vocab_size": 1, **TRIAGE}},
    "electra": {
        "same_width": {**BERT, "embedding_size": 8, "hidden_act": "relu"},
        "narrow": {**BERT, "embedding_size": 6},
    },
    "gpt2": {
        "default": {**GPT2, "pad_token_id": 15},
        "relu": {**GPT2, "pad_token_id": 0, "n_inner": 20, "activation_function": "relu", "num_labels": 5},
        "inverse_layer": {**GPT2, "pad_token_id": 15, "scale_attn_by_inverse_layer_idx": True},
    },
    "modernbert": {
        "cls": {**MODERNBERT, "classifier_pooling": "cls"},
        "mean": {**MODERNBERT, "classifier_pooling": "mean", "local_rope_theta": None, **TRIAGE},
        "bias": {**MODERNBERT, "classifier_pooling": "mean", "norm_bias": True, "attention_bias": True,
                 "mlp_bias": True, "classifier_bias": True, "num_hidden_layers": 5, "local_attention": 3},
    },
    "deberta-v2": {
        "v3": {**DEBERTA, "type_vocab_size": 0, "position_biased_input": False, "share_att_key": True,
               **TRIAGE},
        # The longest row reaches beyond max_relative_positions.
        "own_keys": {**DEBERTA, "type_vocab_size": 2, "position_biased_input": True, "share_att_key": False,
                     "embedding_size": 6, "pad_token_id": 2, "position_buckets": 8, "max_relative_positions": 6},
    },
    "camembert": {"default": {**ROBERTA, "type_vocab_size": 1}},
    "mpnet": {
        "default": {**ROBERTA, "pad_token_id": 1},
        # Longer than the distances that have a row of their own.
        "long": {**ROBERTA, "pad_token_id": 1, "max_position_embeddings": 160, "relative_attention_num_buckets": 34,
                 "num_attention_heads": 4, **TRIAGE},
    },
    "albert": {
        "shared": {**BERT, "embedding_size": 6, "num_hidden_layers": 3},
        "groups": {**BERT, "embedding_size": 8, "num_hidden_layers": 5, "num_hidden_groups": 2, "hidden_act": "relu",
                   "pad_token_id": 3, "type_vocab_size": 1, "layer_norm_eps": 1e-5, "classifier_dropout_prob": 0.2},
    },
    "llama": {
        "bands": {**DECODER, "head_dim": 8, "rope_theta": 10.0, "rope_scaling": LLAMA3_ROPE, **TRIAGE},
        "bias": {**DECODER, "num_key_value_heads": 4, "attention_bias": True, "mlp_bias": True, "hidden_act": "gelu",
                 "rms_norm_eps": 1e-5, "rope_scaling": {"type": "linear", "factor": 2.0}},
    },
    "mistral": {
        "window": {**DECODER, "sliding_window": 3, "head_dim": 6},
        "yarn": {**DECODER, "sliding_window": None, "head_dim": 8, "rope_theta": 50.0, "rope_scaling": YARN,
                 "pad_token_id": 3},
    },
    "qwen2": {
        "full": {**DECODER, "num_attention_heads": 2, "num_key_value_heads": 1,
                 "rope_scaling": {"rope_type": "dynamic", "factor": 2.0}},
        "window": QWEN,
    },
    "qwen3": {"window": {**QWEN, "head_dim": 4}, "bias": {**DECODER, "head_dim": 6, "attention_bias": True, **TRIAGE}},
    "smollm3": {
        "default": {**DECODER, "no_rope_layer_interval": 2, "use_sliding_window": True, "sliding_window": 3},
        "layers": {**DECODER, "no_rope_layers": [0, 1], "attention_bias": True, "mlp_bias": True, "sliding_window": 2,
                   "layer_types": ["full_attention", "sliding_attention"]},
    },
    "gemma3_text": {
        "default": GEMMA3,
        "scaled": {**GEMMA3, "rope_scaling": {"rope_type": "linear", "factor": 8.0}, "rope_theta": 20.0,
                   "rope_local_base_freq": 5.0, "attention_bias": True, "pad_token_id": 0},
    },
}

# What only transformers 5 has, or writes otherwise.
ROPE = dict(rope_type="default", rope_theta=20.0)
CASES_OF_FIVE = {
    "llama": {"five": {**DECODER, "rope_parameters": {**YARN, "rope_theta": 50.0}, "head_dim": 8}},
    "gemma3_text": {"five": {**GEMMA3, "rope_parameters": {
        "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 20.0}, "sliding_attention": ROPE}}},
    "eurobert": {
        "late": {**DECODER, "rope_parameters": ROPE},
        "mean": {**DECODER, "classifier_pooling": "mean", "num_key_value_heads": 4, "attention_bias": True},
        "bos": {**DECODER, "classifier_pooling": "bos", "mlp_bias": True, "hidden_act": "gelu", **TRIAGE},
    },
}
IS_FIVE = transformers.__version__.startswith("5")

OF_BERT = ["embeddings.word_embeddings.weight", "embeddings.LayerNorm.weight",
           "encoder.layer.0.attention.self.query.weight", "encoder.layer.0.attention.output.LayerNorm.bias",
           "encoder.layer.1.output.dense.weight"]
HEAD = ["classifier.dense.weight", "classifier.out_proj.weight"]
WATCHED = {
    "bert": [f"bert.{name}" for name in [*OF_BERT, "pooler.dense.weight"]] + ["classifier.weight"],
    "distilbert": ["distilbert.embeddings.word_embeddings.weight", "distilbert.embeddings.LayerNorm.weight",
                   "distilbert.transformer.layer.0.attention.q_lin.weight",
                   "distilbert.transformer.layer.0.sa_layer_norm.bias",
                   "distilbert.transformer.layer.1.ffn.lin2.weight", "pre_classifier.weight", "classifier.weight"],
    "roberta": [f"roberta.{name}" for name in [*OF_BERT, "embeddings.position_embeddings.weight"]] + HEAD,
    "xlm-roberta": [f"roberta.{name}" for name in OF_BERT] + HEAD,
    "electra": [f"electra.{name}" for name in OF_BERT] + HEAD,
    "gpt2": ["transformer.wte.weight", "transformer.wpe.weight", "transformer.h.0.attn.c_attn.weight",
             "transformer.h.0.ln_1.weight", "transformer.h.1.mlp.c_proj.weight", "transformer.ln_f.bias",
             "score.weight"],
    "modernbert": ["model.embeddings.tok_embeddings.weight", "model.embeddings.norm.weight",
                   "model.layers.0.attn.Wqkv.weight", "model.layers.1.attn.Wqkv.weight",
                   "model.layers.1.attn_norm.weight", "model.layers.1.mlp.Wi.weight", "head.dense.weight",
                   "classifier.weight"],
    "deberta-v2": [f"deberta.{name}" for name in [
        "embeddings.word_embeddings.weight", "embeddings.LayerNorm.weight", "encoder.rel_embeddings.weight",
        "encoder.LayerNorm.weight", "encoder.layer.0.attention.self.query_proj.weight",
        "encoder.layer.1.output.dense.weight"]] + ["pooler.dense.weight", "classifier.weight"],
}


DECODED = [f"model.{name}" for name in [
    "embed_tokens.weight", "layers.0.self_attn.q_proj.weight", "layers.0.self_attn.k_proj.weight",
    "layers.0.input_layernorm.weight", "layers.1.self_attn.v_proj.weight", "layers.1.mlp.gate_proj.weight",
    "layers.1.mlp.down_proj.weight", "norm.weight"]] + ["score.weight"]
NORMS_OF_HEADS = ["model.layers.0.self_attn.q_norm.weight", "model.layers.1.self_attn.k_norm.weight"]
WATCHED |= {
    "camembert": WATCHED["xlm-roberta"],
    "mpnet": [f"mpnet.{name}" for name in [
        "embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight",
        "encoder.relative_attention_bias.weight", "encoder.layer.0.attention.attn.q.weight",
        "encoder.layer.0.attention.LayerNorm.bias", "encoder.layer.1.output.dense.weight"]] + HEAD,
    "albert": [f"albert.{name}" for name in [
        "embeddings.word_embeddings.weight", "embeddings.LayerNorm.weight",
        "encoder.embedding_hidden_mapping_in.weight"]
        + [f"encoder.albert_layer_groups.0.albert_layers.0.{part}" for part in [
            "attention.query.weight", "attention.dense.bias", "ffn.weight", "full_layer_layer_norm.weight"]]]
        + ["albert.pooler.weight", "classifier.weight"],
    **dict.fromkeys(["llama", "mistral", "qwen2", "smollm3"], DECODED),
    "eurobert": DECODED[:-1] + ["dense.weight", "classifier.weight"],
    "qwen3": DECODED + NORMS_OF_HEADS,
    "gemma3_text": DECODED + NORMS_OF_HEADS + ["model.layers.0.post_attention_layernorm.weight",
                                               "model.layers.1.post_feedforward_layernorm.weight"],
}


def random_model(family, options):
    torch.manual_seed(SEED)
    options = options if "id2label" in options else {"num_labels": 3, **options}
    config = AutoConfig.for_model(family, **options)
    if family == "modernbert":
        config.reference_compile = False
    model = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager").eval()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.data.normal_(0, 0.3)
        else:
            parameter.data.add_(torch.randn_like(parameter) * 0.1)
    return model


def batch_of(model, family, rows):
    """Rows padded on the right; the end of the first row, the longest, has token type 1 where there is one."""
    config, width = model.config, max(map(len, rows))
    batch = {
        "input_ids": torch.tensor([row + [config.pad_token_id] * (width - len(row)) for row in rows]),
        "attention_mask": torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows]),
    }
    if family in TAKE_TYPES:
        batch["token_type_ids"] = torch.zeros_like(batch["input_ids"])
        if config.type_vocab_size > 1:
            batch["token_type_ids"][0, 4:] = 1
    return batch


def embedding_gradient(model, batch, row, label):
    """The word embeddings and the gradient of a logit in them, with the ids given: positions may depend on those."""
    kept = []

    def keep(module, inputs, output):
        output.retain_grad()
        kept.append(output)

    table = model.get_input_embeddings()
    hook = table.register_forward_hook(keep)
    model(**batch).logits[row, label].backward()
    hook.remove()
    model.zero_grad()
    # Gemma multiplies what the table has; the gradient is in the table's numbers.
    scale = float(getattr(table, "embed_scale", 1.0))
    return kept[0][row].detach() / scale, kept[0].grad[row] * scale


def check(model, family, rows, folder, logits):
    """Each row alone, and the folder as it is loaded again, give these logits."""
    for index, row in enumerate(rows):
        alone = batch_of(model, family, [row])
        if index > 0 and "token_type_ids" in alone:
            alone["token_type_ids"].zero_()
        difference = (model(**alone).logits[0] - logits[index]).abs().max().item()
        assert difference < TOLERANCE, f"{folder.name}: row {index} alone differs by {difference}"
    again, told = AutoModelForSequenceClassification.from_pretrained(
        folder, attn_implementation="eager", output_loading_info=True)
    assert not any(told.values()), told
    assert torch.equal(again.eval()(**batch_of(again, family, rows)).logits, logits), folder.name


def make(family, variant, options):
    model = random_model(family, options)
    config, folder = model.config, here / f"{family}-{variant}"
    real = [token for token in range(config.vocab_size) if token != config.pad_token_id]
    rows = [[real[index] for index in row] for row in ROWS]
    labels = [(1 - index) % config.num_labels for index in range(len(rows))]
    batch = batch_of(model, family, rows)
    types = batch.get("token_type_ids", torch.zeros_like(batch["input_ids"]))[0].tolist()
    logits = model(**batch).logits
    torch.nn.functional.cross_entropy(logits, torch.tensor(labels)).backward()
    gradients = {name: model.get_parameter(name).grad.abs().sum().item() for name in WATCHED[family]}
    assert min(gradients.values()) > 1e-3, f"{folder.name}: {gradients}"
    model.zero_grad()
    embedded, gradient = embedding_gradient(model, batch_of(model, family, rows[:1]), 0, 1)
    model.save_pretrained(folder)
    (folder / "expected.json").write_text(json.dumps({
        "made_by": f"tests/golden/make_families.py, torch {torch.__version__}, transformers {transformers.__version__}",
        "seed": SEED, "rows": rows, "types_of_row_0": types, "labels": labels, "logits": logits.tolist(),
        # The sum over hidden is next to 0 where a norm follows the words at once (ModernBERT, DeBERTa-v3).
        "gradient_row_0_class_1": gradient.tolist(),
        "gradient_times_input_row_0_class_1": (gradient * embedded).sum(-1).tolist(),
        "gradient_norm_row_0_class_1": gradient.norm(dim=-1).tolist(),
        "parameter_gradients": gradients,
    }) + "\n")
    check(model, family, rows, folder, logits)
    size = sum(file.stat().st_size for file in folder.iterdir())
    assert size < 40_000, f"{folder.name}: {size} bytes"
    print(f"{folder.name:24} {config.num_labels} labels, {model.num_parameters():5} parameters, {size:6} bytes")


if __name__ == "__main__":
    for family, variants in (CASES_OF_FIVE if IS_FIVE else CASES).items():
        for variant, options in variants.items():
            shutil.rmtree(here / f"{family}-{variant}", ignore_errors=True)
            make(family, variant, options)
