"""Makes tests/golden/bert: a tiny random BERT classifier and its logits, as transformers computes them.

  python tests/golden/make_bert.py          (torch 2.11.0, transformers 4.57.1; seed 20)

Three variants of the configuration stand for what folders differ in: the activation, a pad token that
is not 0, a single token type, another epsilon. Run it only to change the cases; the output is committed.
"""

import json
import pathlib

import torch
import transformers
from safetensors.torch import save_file
from transformers import BertConfig, BertForSequenceClassification

here = pathlib.Path(__file__).parent / "bert"
SEED = 20
VARIANTS = {
    "gelu": dict(hidden_act="gelu"),
    "tanh": dict(hidden_act="gelu_new", pad_token_id=3, type_vocab_size=1, layer_norm_eps=1e-5),
    "relu": dict(hidden_act="relu", num_attention_heads=4, hidden_size=12, intermediate_size=20),
}
ROWS = [[2, 5, 9, 11, 4, 7, 3], [2, 8, 3], [2, 6, 6, 1, 3], [2, 3]]

torch.manual_seed(SEED)
for name, changes in VARIANTS.items():
    options = dict(vocab_size=13, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
                   max_position_embeddings=10, num_labels=3)
    config = BertConfig(**{**options, **changes})
    model = BertForSequenceClassification(config).eval()
    for parameter in model.parameters():
        parameter.data.normal_(0, 0.3) if parameter.dim() > 1 else parameter.data.add_(torch.randn_like(parameter) * 0.1)
    width = max(map(len, ROWS))
    ids = torch.tensor([row + [config.pad_token_id] * (width - len(row)) for row in ROWS])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in ROWS])
    kinds = torch.zeros_like(ids)
    if config.type_vocab_size > 1:
        kinds[0, 4:] = 1
    embedded = model.bert.embeddings.word_embeddings(ids).detach().requires_grad_()
    logits = model(inputs_embeds=embedded, attention_mask=mask, token_type_ids=kinds).logits
    (gradient,) = torch.autograd.grad(logits[0, 1], embedded)
    folder = here / name
    folder.mkdir(parents=True, exist_ok=True)
    config.architectures = ["BertForSequenceClassification"]
    (folder / "config.json").write_text(json.dumps(json.loads(config.to_json_string()), indent=1) + "\n")
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, folder / "model.safetensors",
              metadata={"format": "pt"})
    (folder / "expected.json").write_text(json.dumps({
        "made_by": f"tests/golden/make_bert.py, torch {torch.__version__}, transformers {transformers.__version__}",
        "seed": SEED, "rows": ROWS, "types_of_row_0": kinds[0].tolist(), "logits": logits.tolist(),
        "gradient_times_input_row_0_class_1": (gradient * embedded)[0].sum(-1).tolist(),
        "gradient_norm_row_0_class_1": gradient[0].norm(dim=-1).tolist(),
    }) + "\n")
