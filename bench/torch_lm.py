"""PyTorch's side of two character-level language models, the first examples of nanoGPT and makemore.

    python3 bench/torch_lm.py shakespeare [--threads 2] [--compile]
    python3 bench/torch_lm.py names [--threads 2] [--steps 20000] [--every 1000]

shakespeare: nanoGPT's settings for a CPU. Trains on the first 90 % of the text; the validation loss is over the whole
rest, in windows that do not overlap, so that every character but the first is predicted once.
names: makemore's Transformer, with one name in each line. 1000 random lines are held out. The loss is per character and
includes the end of each name.

Prints the loss and the seconds of training, without those of validation, torch.compile and the start.
"""
import argparse
import math
import time

import torch
from torch import nn
import torch.nn.functional as F

SETTINGS = {
    "shakespeare": dict(
        file="../shared/data/tinyshakespeare/input.txt", width=128, heads=4, layers=4, block=64, batch=12, steps=2000,
        lr=1e-3, last_lr=1e-4, warm_up=100, decay=0.1, clip=1.0, bias=False, tied=True, tanh=False, small=True),
    "names": dict(
        file="../shared/data/names/names.txt", width=64, heads=4, layers=4, block=None, batch=32, steps=20000,
        lr=5e-4, last_lr=5e-4, warm_up=0, decay=0.01, clip=None, bias=True, tied=False, tanh=True, small=False),
}
NONE = -1  # the target at positions without a prediction


class Block(nn.Module):
    def __init__(self, width, heads, bias, tanh):
        super().__init__()
        self.heads, self.gelu = heads, nn.GELU("tanh" if tanh else "none")
        self.norm1, self.norm2 = nn.LayerNorm(width, bias=bias), nn.LayerNorm(width, bias=bias)
        self.projections, self.output = nn.Linear(width, 3 * width, bias), nn.Linear(width, width, bias)
        self.wide, self.narrow = nn.Linear(width, 4 * width, bias), nn.Linear(4 * width, width, bias)

    def forward(self, x):
        q, k, v = self.projections(self.norm1(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.output(y.transpose(1, 2).flatten(2))
        return x + self.narrow(self.gelu(self.wide(self.norm2(x))))


class Language(nn.Module):
    """GPT-2's decoder. `small`: initial weights have a standard deviation of 0.02, less in the last layer of a residual
    branch, and biases are 0; otherwise PyTorch's initialisation."""

    def __init__(self, vocab, block, width, heads, layers, bias, tied, tanh, small, **_):
        super().__init__()
        self.words, self.places = nn.Embedding(vocab, width), nn.Embedding(block, width)
        self.blocks = nn.ModuleList(Block(width, heads, bias, tanh) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width, bias=bias), nn.Linear(width, vocab, bias=False)
        if tied:
            self.head.weight = self.words.weight
        if small:
            for name, p in self.named_parameters():
                if p.dim() == 2:
                    ends = name.endswith(("output.weight", "narrow.weight"))
                    nn.init.normal_(p, std=0.02 / math.sqrt(2 * layers) if ends else 0.02)
                elif name.endswith("bias"):
                    nn.init.zeros_(p)

    def forward(self, ids, targets):
        x = self.words(ids) + self.places.weight[: ids.shape[1]]
        for block in self.blocks:
            x = block(x)
        return F.cross_entropy(self.head(self.norm(x)).flatten(0, 1), targets.flatten(), ignore_index=NONE)


class Shakespeare:
    def __init__(self, text, setting, _seed):
        letters = {c: i for i, c in enumerate(sorted(set(text)))}
        ids = torch.tensor([letters[c] for c in text])
        self.vocab, self.block, self.batch = len(letters), setting["block"], setting["batch"]
        self.train, self.held_out = ids.split([len(ids) * 9 // 10, len(ids) - len(ids) * 9 // 10])
        self.window = torch.arange(self.block + 1)

    def next(self, generator, _whole):
        start = torch.randint(len(self.train) - self.block, (self.batch, 1), generator=generator)
        rows = self.train[start + self.window]
        return rows[:, :-1], rows[:, 1:]

    def rest(self):
        whole = (len(self.held_out) - 1) // self.block * self.block
        ids, targets = self.held_out[:whole].view(-1, self.block), self.held_out[1 : whole + 1].view(-1, self.block)
        yield from zip(ids.split(64), targets.split(64))
        if whole < len(self.held_out) - 1:
            yield self.held_out[None, whole:-1], self.held_out[None, whole + 1 :]


class Names:
    def __init__(self, text, setting, seed):
        names = [name.strip() for name in text.splitlines() if name.strip()]
        letters = {c: i for i, c in enumerate(sorted(set("".join(names))), 1)}  # 0: begin and end of a name
        self.vocab, self.block, self.batch = len(letters) + 1, max(map(len, names)) + 1, setting["batch"]
        ids = torch.zeros(len(names), self.block, dtype=torch.long)
        targets = torch.full((len(names), self.block), NONE)
        for row, name in enumerate(names):
            code = torch.tensor([letters[c] for c in name])
            ids[row, 1 : len(name) + 1] = targets[row, : len(name)] = code
            targets[row, len(name)] = 0
        order = torch.randperm(len(names), generator=torch.Generator().manual_seed(seed))
        self.ids, self.targets = ids[order], targets[order]
        self.lengths = (self.targets != NONE).sum(1)

    def next(self, generator, whole):
        rows = torch.randint(1000, len(self.ids), (self.batch,), generator=generator)
        longest = self.block if whole else int(self.lengths[rows].max())
        return self.ids[rows, :longest], self.targets[rows, :longest]

    def rest(self):
        yield self.ids[:1000], self.targets[:1000]


@torch.inference_mode()
def held_out_loss(model, data):
    total, count = 0.0, 0
    for ids, targets in data.rest():
        tokens = int((targets != NONE).sum())
        total, count = total + float(model(ids, targets)) * tokens, count + tokens
    return total / count, count


def rate(step, s):
    """The learning rate of step 0, 1, …: rises linearly, then falls along half a cosine."""
    if step < s["warm_up"]:
        return s["lr"] * (step + 1) / (s["warm_up"] + 1)
    done = (step - s["warm_up"]) / max(1, s["steps"] - s["warm_up"])
    return s["last_lr"] + 0.5 * (1 + math.cos(math.pi * done)) * (s["lr"] - s["last_lr"])


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("task", choices=SETTINGS)
    p.add_argument("--data", help="the text, where it is not at its usual place")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--steps", type=int)
    p.add_argument("--every", type=int, help="steps from one validation to the next (default: only the last)")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--compile", action="store_true", help="train with torch.compile")
    return p.parse_args()


def main():
    o = options()
    torch.set_num_threads(o.threads)
    torch.manual_seed(o.seed)
    s = dict(SETTINGS[o.task])
    s["steps"] = o.steps or s["steps"]
    with open(o.data or s["file"], encoding="utf-8") as file:
        data = {"shakespeare": Shakespeare, "names": Names}[o.task](file.read(), s, o.seed)
    s["block"] = data.block
    model = Language(data.vocab, **s)
    print(f"PyTorch {torch.__version__}, {o.threads} thread(s), {sum(p.numel() for p in model.parameters())} parameters")

    step_of = torch.compile(model) if o.compile else model
    if o.compile:  # compiles forward and backward before the time is measured
        step_of(*data.next(torch.Generator().manual_seed(0), True)).backward()
        model.zero_grad()
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups = ([{"params": matrices}, {"params": vectors, "weight_decay": 0.0}] if s["clip"]
              else [{"params": matrices + vectors}])  # nanoGPT's weight decay is for matrices only, makemore's for all
    adam = torch.optim.AdamW(groups, lr=s["lr"], betas=(0.9, 0.99), eps=1e-8, weight_decay=s["decay"], fused=True)
    generator = torch.Generator().manual_seed(o.seed)
    seconds = processor = 0.0  # wall time, and processor time of all threads, which a busy machine changes less
    for step in range(s["steps"]):
        start, processor_start = time.perf_counter(), time.process_time()
        for group in adam.param_groups:
            group["lr"] = rate(step, s)
        loss = step_of(*data.next(generator, o.compile))
        adam.zero_grad(set_to_none=True)
        loss.backward()
        if s["clip"]:
            nn.utils.clip_grad_norm_(model.parameters(), s["clip"])
        adam.step()
        seconds, processor = seconds + time.perf_counter() - start, processor + time.process_time() - processor_start
        if step + 1 == s["steps"] or (o.every and (step + 1) % o.every == 0):
            held_out, count = held_out_loss(model, data)
            print(f"step {step + 1}: loss {loss.item():.4f}, held out {held_out:.4f} ({count} characters), "
                  f"{seconds:.1f} s, {1e3 * seconds / (step + 1):.2f} ms a step "
                  f"({1e3 * processor / (step + 1):.2f} ms of processors)", flush=True)


if __name__ == "__main__":
    main()
