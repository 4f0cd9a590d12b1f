"""Compares pellucid with transformers, live: the same model folders and the same texts through both.

  python tests/parity/parity.py [--pellucid target/release/pellucid] [--model DIR --texts FILE.tsv]

For every folder of tests/golden/families, in a copy that has a tokenizer of made-up words: the logits of
`pellucid predict` beside those of transformers. A table has the largest difference of the folder as it is, of what
`pellucid train` saves of it when no weight has moved, which transformers must answer like the original, and of the
checkpoint of two steps; both must load there with no weight missing or left over. With --model, the same of that folder
after three steps on the first 40 texts of --texts (sentence, tab, label). Ends with 1 if anything differs by more than
1e-4 or is refused. Needs torch 2.11.0, and transformers 4.57.1 or 5.24.0; the former compares the folders that it wrote,
the latter those of the former as well, after it has saved them again in its own layout.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import string
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedTokenizerFast

LIMIT = 1e-4
SEED = 20
TEXTS = 40
LONGEST = 512
FAMILIES = pathlib.Path(__file__).parent.parent / "golden" / "families"
# Special tokens by their role; a word stands for every other id. GPT-2 has one token for all roles and adds none.
OF_BERT = dict(pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]")
OF_ROBERTA = dict(pad_token="<pad>", unk_token="<unk>", cls_token="<s>", sep_token="</s>", mask_token="<mask>")
OF_GPT2 = dict(pad_token="<|endoftext|>", unk_token="<|endoftext|>")
SPECIALS = {"roberta": OF_ROBERTA, "xlm-roberta": OF_ROBERTA, "camembert": OF_ROBERTA, "mpnet": OF_ROBERTA, "gpt2": OF_GPT2}
TAKE_TYPES = ("bert", "electra", "deberta-v2", "albert")
NEW = transformers.__version__ >= "5"


def is_readable(folder):
    """Whether a transformers of the installed major version wrote the folder: that one reads all of it."""
    major = json.loads((folder / "config.json").read_text())["transformers_version"].split(".")[0]
    return major == transformers.__version__.split(".")[0]


class Failed(Exception):
    """What one of the two programs said instead of an answer."""


def add_tokenizer(folder):
    """Saves a tokenizer for the folder's config.json and returns its words."""
    config = AutoConfig.from_pretrained(folder)
    if config.model_type == "qwen2" and NEW:
        return add_letters(folder, config)
    specials = SPECIALS.get(config.model_type, OF_BERT)
    others = [token for token in range(config.vocab_size) if token != config.pad_token_id]
    vocabulary = {specials["pad_token"]: config.pad_token_id}
    for name in specials.values():
        if name not in vocabulary:
            vocabulary[name] = others.pop(0)
    words = [f"w{token}" for token in others]
    vocabulary.update(zip(words, others))
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=specials["unk_token"]))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    if "cls_token" in specials:
        first, last = specials["cls_token"], specials["sep_token"]
        second = 1 if config.model_type in TAKE_TYPES else 0
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{first} $A {last}", pair=f"{first} $A {last} $B:{second} {last}:{second}",
            special_tokens=[(name, vocabulary[name]) for name in (first, last)])
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    if config.model_type not in TAKE_TYPES:
        inputs.remove("token_type_ids")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_input_names=inputs, **specials).save_pretrained(folder)
    return words


def add_letters(folder, config):
    """The same of the tokenizer of Qwen2, which transformers 5 makes anew of its vocabulary: each letter is a token."""
    others = [token for token in range(config.vocab_size) if token != config.pad_token_id]
    letters = ["\u0120", *string.ascii_letters[:len(others) - 1]]
    vocabulary = dict(zip(letters, others)) | {"<|endoftext|>": config.pad_token_id}
    transformers.Qwen2Tokenizer(vocab=vocabulary, merges=[]).save_pretrained(folder)
    return letters[1:]


def made_up(words, labels, count, chance):
    """Rows of one to seven words; the labels take turns, so that each occurs."""
    return [{"text": " ".join(chance.choices(words, k=chance.randint(1, 7))), "label": labels[index % len(labels)]}
            for index in range(count)]


def written(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(program, *arguments, cwd):
    done = subprocess.run([program, *map(str, arguments)], cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"ended with {done.returncode} and said nothing"]
        raise Failed(f"refused: {said[-1]}".replace(f"{cwd}/", ""))
    return done.stdout


def of_pellucid(program, folder, rows, work):
    lines = run(program, "predict", "--model", folder, "--data", written(work / "texts.jsonl", rows), "--json",
                "--device", "cpu", cwd=work).splitlines()
    told = [json.loads(line) for line in lines]
    if [row["text"] for row in told] != [row["text"] for row in rows]:
        raise Failed(f"predict gave {len(told)} other rows than the {len(rows)} texts")
    return torch.tensor([row["logits"] for row in told])


def of_transformers(folder, rows):
    # `sdpa` does not heed GPT-2's scale_attn_by_inverse_layer_idx.
    model, told = AutoModelForSequenceClassification.from_pretrained(
        folder, attn_implementation="eager", dtype=torch.float32, output_loading_info=True)
    wrong = {kind: sorted(names) for kind, names in told.items() if names}
    if wrong:
        raise Failed(f"transformers: {wrong}")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    longest = min(LONGEST, getattr(model.config, "max_position_embeddings", LONGEST))
    batch = tokenizer([row["text"] for row in rows], return_tensors="pt", padding=True, truncation=True,
                      max_length=longest)
    with torch.no_grad():
        return model.eval()(**batch).logits


def difference(program, folder, rows, work):
    ours = of_pellucid(program, folder, rows, work)
    theirs = of_transformers(folder, rows)
    if ours.shape != theirs.shape:
        raise Failed(f"logits of shape {list(ours.shape)}, of transformers {list(theirs.shape)}")
    return (ours - theirs).abs().max().item()


def train(program, folder, rows, valid, steps, size, work, *more):
    """The folder of the last checkpoint."""
    run(program, "train", "--headless", "--json", "--model", folder, "--train", written(work / "train.jsonl", rows),
        "--valid", written(work / "valid.jsonl", valid), "--max-steps", steps, "--batch-size", size, "--probe", 0,
        "--threads", 1, "--device", "cpu", "--run-dir", work / "run", *more, cwd=work)
    return work / "run" / "checkpoints" / "last"


class Table:
    """A row for each folder, a column for each of the three things that are compared."""

    COLUMNS = ("as it is", "saved again", "after two steps")

    def __init__(self):
        self.right, self.told, self.largest = True, [], [0.0] * len(self.COLUMNS)
        print(f"transformers {transformers.__version__}, largest difference of logits")
        self.line("folder", self.COLUMNS)

    def line(self, name, cells):
        print(f"{name:26}" + "".join(f"{cell:>17}" for cell in cells), flush=True)

    def row(self, name, finds):
        self.line(name, [self.cell(f"{name}, {self.COLUMNS[place]}", place, find) for place, find in enumerate(finds)])

    def cell(self, name, place, find):
        """What `find` gives, or that it gives nothing, for a reason that is told at the end; empty if nothing is asked."""
        if find is None:
            return ""
        try:
            largest = find()
        except Failed as error:
            said = str(error)
        except Exception as error:
            said = f"{type(error).__name__}: {error}".splitlines()[0]
        else:
            self.largest[place] = max(self.largest[place], largest)
            # NaN is not within the limit.
            if largest <= LIMIT:
                return f"{largest:.1e}"
            said = f"{largest:.1e} is more than {LIMIT:.0e}"
        self.right = False
        self.told.append(f"{name}: {said}")
        return "WRONG"

    def end(self):
        self.line("largest", [f"{largest:.1e}" for largest in self.largest])
        print("".join(f"{line}\n" for line in self.told), end="")


def base_of(golden, folder):
    """A copy of `golden` in `folder`, as the installed transformers writes it; whether it can be read at all."""
    if is_readable(golden):
        shutil.copytree(golden, folder)
    elif NEW:
        AutoModelForSequenceClassification.from_pretrained(golden).save_pretrained(folder)
    return folder.is_dir()


def compare_golden(program, golden, work, table):
    folder = work / "model"
    try:
        if not base_of(golden, folder):
            return
    except Exception as error:
        # transformers 5 does not open a ModernBERT without a base for its local layers.
        return table.line(golden.name, [f"   not opened by transformers: {type(error).__name__}"])
    chance = random.Random(SEED)
    words = add_tokenizer(folder)
    config = AutoConfig.from_pretrained(folder)
    labels = [config.id2label[index] for index in range(config.num_labels)]
    rows, valid = (made_up(words, labels, count, chance) for count in (TEXTS, 8))

    def trained(name, *more):
        place = work / name
        place.mkdir()
        return train(program, folder, rows, valid, 2, 4, place, *more)

    def saved_again():
        # So small a rate moves no weight: what is saved is what was loaded, in the files of this program.
        again = trained("still", "--lr", "1e-30")
        return max(difference(program, again, rows, work), (of_transformers(again, rows) - of_transformers(folder, rows)).abs().max().item())

    table.row(golden.name, [lambda: difference(program, folder, rows, work), saved_again,
                            lambda: difference(program, trained("two"), rows, work)])


def compare_real(program, folder, texts, work, table):
    lines = [line.split("\t") for line in texts.read_text().splitlines()]
    rows = [{"text": line[0], "label": line[1]} for line in lines if line[1] != "label"][:TEXTS]
    table.row(folder.name, [None, None, lambda: difference(
        program, train(program, folder, rows[8:], rows[:8], 3, 8, work), rows, work)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pellucid", type=pathlib.Path, default="target/release/pellucid", metavar="PROGRAM")
    parser.add_argument("--only", default="", metavar="WORD", help="the folders with this in their names")
    parser.add_argument("--model", type=pathlib.Path, metavar="DIR", help="a real model folder")
    parser.add_argument("--texts", type=pathlib.Path, metavar="FILE", help="its texts: sentence, tab, label")
    asked = parser.parse_args()
    if (asked.model is None) != (asked.texts is None):
        parser.error("--model and --texts go together")
    program = asked.pellucid.resolve()
    if not program.is_file():
        parser.error(f"{program} is not there; make build")
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    table = Table()
    for golden in sorted(folder for folder in FAMILIES.iterdir() if asked.only in folder.name):
        with tempfile.TemporaryDirectory() as work:
            compare_golden(program, golden, pathlib.Path(work), table)
    if asked.model:
        with tempfile.TemporaryDirectory() as work:
            compare_real(program, asked.model.resolve(), asked.texts, pathlib.Path(work), table)
    table.end()
    sys.exit(0 if table.right else 1)


if __name__ == "__main__":
    main()
