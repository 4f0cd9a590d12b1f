"""Explanations computed with torch, transformers and lime alone, in the units in which `pellucid explain --json` has
them: one score a token, special ones included; for LIME one a distinct word.

  grad       L2 norm over the hidden axis of d logit / d word embedding
  gxi        sum over the hidden axis of gradient x word embedding
  ig         Gauss-Legendre, 50 nodes; baseline: every token that is not special is the padding token
  occlusion  p(text) - p(text with token i masked)
  lime       LimeTextExplainer, words between whitespace, the mean of several seeds
  shapley    exact, from all maskings of the tokens that are not special
"""

import itertools
import math

import numpy as np
import torch

LONGEST = 512
IG_NODES = 50
BATCH = 64


class Text:
    """A text as a model sees it, and the class that is explained: the predicted one."""

    def __init__(self, model, tokenizer, text):
        self.model, self.tokenizer, self.text = model, tokenizer, text
        encoded = tokenizer(text, truncation=True, max_length=LONGEST, return_tensors="pt",
                            return_special_tokens_mask=True)
        self.special = encoded["special_tokens_mask"][0].bool()
        self.ids, self.mask = encoded["input_ids"], encoded["attention_mask"]
        self.probs = self.probabilities(self.ids)[0]
        self.target = int(self.probs.argmax())

    def tokens(self):
        return self.tokenizer.convert_ids_to_tokens(self.ids[0])

    def probabilities(self, ids):
        with torch.no_grad():
            parts = [self.model(input_ids=part, attention_mask=self.mask.repeat(len(part), 1)).logits.softmax(-1)
                     for part in ids.split(BATCH)]
        return torch.cat(parts)

    def shares(self, ids):
        return self.probabilities(ids)[:, self.target]

    def embedded(self, ids):
        return self.model.get_input_embeddings()(ids).detach()

    def slopes(self, points):
        points = points.clone().requires_grad_()
        logits = self.model(inputs_embeds=points, attention_mask=self.mask.repeat(len(points), 1)).logits
        return torch.autograd.grad(logits[:, self.target].sum(), points)[0]

    def gradient(self):
        embedded = self.embedded(self.ids)
        slopes = self.slopes(embedded)
        return slopes[0].norm(dim=-1).tolist(), (slopes * embedded)[0].sum(-1).tolist()

    def integrated_gradients(self):
        start = self.embedded(torch.where(self.special, self.ids[0], self.tokenizer.pad_token_id)[None])
        way = self.embedded(self.ids) - start
        nodes, weights = np.polynomial.legendre.leggauss(IG_NODES)
        total = torch.zeros_like(way)
        for at, weight in zip((1 + nodes) / 2, weights / 2):
            total += weight * self.slopes(start + at * way)
        return (total * way)[0].sum(-1).tolist()

    def occlusion(self):
        count = self.ids.shape[1]
        rows = self.ids.repeat(count, 1)
        rows[torch.arange(count), torch.arange(count)] = self.tokenizer.mask_token_id
        return (self.probs[self.target] - self.shares(rows)).tolist()

    def lime(self, runs):
        """One map for each run, which is a seed and a number of samples; no text is asked about twice."""
        from lime.lime_text import LimeTextExplainer

        known = {}

        def probabilities(texts):
            new = list(dict.fromkeys(text for text in texts if text not in known))
            for start in range(0, len(new), BATCH):
                part = new[start:start + BATCH]
                batch = self.tokenizer(part, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
                with torch.no_grad():
                    known.update(zip(part, self.model(**batch).logits.softmax(-1).numpy()))
            return np.stack([known[text] for text in texts])

        maps = []
        for seed, samples in runs:
            explainer = LimeTextExplainer(split_expression=r"\s+", bow=True, random_state=seed,
                                          class_names=[str(index) for index in range(len(self.probs))])
            found = explainer.explain_instance(self.text, probabilities, labels=[self.target], num_samples=samples,
                                               num_features=len(self.text.split()))
            maps.append([weight for _, weight in sorted(found.as_map()[self.target])])
        return maps

    def kernel_shap(self, samples, seed):
        """Captum's, over the tokens that are not special: those alone are its features."""
        from captum.attr import KernelShap

        players = self.players()

        def shares(picked):
            rows = self.ids.repeat(len(picked), 1)
            rows[:, players] = picked
            return self.shares(rows)

        torch.manual_seed(seed)
        inputs = self.ids[:, players]
        masked = torch.full_like(inputs, self.tokenizer.mask_token_id)
        row = np.zeros(self.ids.shape[1])
        row[players] = KernelShap(shares).attribute(inputs, masked, n_samples=samples, perturbations_per_eval=BATCH)[0]
        return row

    def players(self):
        return (~self.special).nonzero()[:, 0].tolist()

    def masked(self, presence):
        """Ids with the players masked that `presence`, one row for each set, does not have."""
        rows = self.ids.repeat(len(presence), 1)
        for place, player in enumerate(self.players()):
            rows[~presence[:, place], player] = self.tokenizer.mask_token_id
        return rows

    def shapley(self):
        count = len(self.players())
        sets = torch.tensor(list(itertools.product([False, True], repeat=count)))
        # In the order of the product the first player is the highest bit.
        values = self.shares(self.masked(sets)).tolist()
        scores = [0.0] * self.ids.shape[1]
        for place, player in enumerate(self.players()):
            bit = 1 << (count - 1 - place)
            for index in range(len(values)):
                if not index & bit:
                    size = bin(index).count("1")
                    weight = math.factorial(size) * math.factorial(count - 1 - size) / math.factorial(count)
                    scores[player] += weight * (values[index | bit] - values[index])
        return scores
