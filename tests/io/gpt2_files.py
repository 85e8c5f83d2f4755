#!/usr/bin/env python3
"""GPT-2 in plain PyTorch, in both layouts, for tests/io/test_gpt_file_live.c.

    python3 tests/io/gpt2_files.py write FOLDER     writes files in all usual forms, and <file>.expected with their results
    python3 tests/io/gpt2_files.py read FOLDER PRECISION     reads files that Tapeloom has written, strictly, and compares

If a module is not installed, prints that and exits with 3. Names are those of Hugging Face's GPT2LMHeadModel and of
nanoGPT's GPT; the code is independent of both.
"""

import copy
import sys

try:
    import torch
    import torch.nn.functional as F
    from safetensors.torch import load_file, save_file, save_model
    from torch import nn
except ImportError as e:
    print(e)
    sys.exit(3)

VOCAB, PLACES, WIDTH, HEADS, LAYERS, LENGTH, MORE = 29, 16, 12, 3, 2, 6, 8


class Conv1D(nn.Module):
    """x·W + b with W [in,out]"""

    def __init__(self, n_in, n_out, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_in, n_out))
        self.bias = nn.Parameter(torch.empty(n_out)) if bias else None

    def forward(self, x):
        y = x @ self.weight
        return y if self.bias is None else y + self.bias


class Attention(nn.Module):
    def __init__(self, matrix, bias):
        super().__init__()
        self.c_attn, self.c_proj = matrix(WIDTH, 3 * WIDTH, bias), matrix(WIDTH, WIDTH, bias)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = (y.view(b, t, HEADS, d // HEADS).transpose(1, 2) for y in self.c_attn(x).split(d, 2))
        scores = q @ k.transpose(2, 3) / (d // HEADS) ** 0.5
        scores = scores.masked_fill(torch.ones(t, t, dtype=torch.bool).triu(1), -torch.inf)
        return self.c_proj((scores.softmax(3) @ v).transpose(1, 2).reshape(b, t, d))


class MLP(nn.Module):
    def __init__(self, matrix, bias, approximate):
        super().__init__()
        self.c_fc, self.c_proj = matrix(WIDTH, 4 * WIDTH, bias), matrix(4 * WIDTH, WIDTH, bias)
        self.approximate = approximate

    def forward(self, x):
        return self.c_proj(F.gelu(self.c_fc(x), approximate=self.approximate))


class Block(nn.Module):
    def __init__(self, matrix, bias, approximate):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH, bias=bias), nn.LayerNorm(WIDTH, bias=bias)
        self.attn, self.mlp = Attention(matrix, bias), MLP(matrix, bias, approximate)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self, matrix, bias=True, approximate="tanh", tied=True):
        super().__init__()
        self.transformer = nn.ModuleDict({
            "wte": nn.Embedding(VOCAB, WIDTH), "wpe": nn.Embedding(PLACES, WIDTH),
            "h": nn.ModuleList(Block(matrix, bias, approximate) for _ in range(LAYERS)),
            "ln_f": nn.LayerNorm(WIDTH, bias=bias)})
        self.lm_head = nn.Linear(WIDTH, VOCAB, bias=False)
        if tied:
            self.lm_head.weight = self.transformer.wte.weight

    def forward(self, ids):
        t = self.transformer
        x = t.wte(ids) + t.wpe(torch.arange(ids.shape[1]))
        for block in t.h:
            x = block(x)
        return self.lm_head(t.ln_f(x))


def linear(n_in, n_out, bias):
    return nn.Linear(n_in, n_out, bias=bias)


def make(matrix, **options):
    """Numbers that are exact in float32, so that both precisions start equal; large enough for predictions to differ."""
    torch.manual_seed(7)
    model = GPT(matrix, **options)
    with torch.no_grad():
        for name, p in model.named_parameters():
            nn.init.normal_(p, 1.0 if ".ln_" in name and name.endswith("weight") else 0.0, 0.4)
    return model.double().eval()


def plain(model, with_head):
    """A state_dict for safetensors, in which no tensors share memory."""
    return {k: v.clone() for k, v in model.state_dict().items() if with_head or k != "lm_head.weight"}


@torch.no_grad()
def expected(model):
    ids = torch.randint(0, VOCAB, (3, LENGTH), generator=torch.Generator().manual_seed(3))
    text = ids
    for _ in range(MORE):
        text = torch.cat([text, model(text)[:, -1:].argmax(2)], 1)
    return {"ids": ids.double(), "logits": model(ids), "greedy": text.double()}


def write(folder):
    def put(name, tensors, model):
        if tensors is not None:
            save_file(tensors, f"{folder}/{name}", metadata={"format": "pt"})
        save_file(expected(model), f"{folder}/{name}.expected")

    hf, nano = make(Conv1D), make(linear)
    put("hugging-face", plain(hf, False), hf)
    bare = {k.removeprefix("transformer."): v for k, v in plain(hf, True).items()}  # as the released gpt2 has it:
    for i in range(LAYERS):
        bare[f"h.{i}.attn.bias"] = torch.ones(1, 1, PLACES, PLACES).tril()
        bare[f"h.{i}.attn.masked_bias"] = torch.tensor(-1e4)
    put("bare", bare, hf)
    put("nanogpt", plain(nano, True), nano)
    put("compiled", plain(torch.compile(nano), True) | {"_orig_mod.lm_head.weight": nano.lm_head.weight.clone()}, nano)
    put("parallel", plain(nn.DataParallel(torch.compile(hf)), True), hf)
    save_model(nano, f"{folder}/save-model")  # of two names for one matrix it keeps lm_head.weight
    put("save-model", None, nano)
    erf = make(linear, bias=False, approximate="none")
    put("no-bias", plain(erf, True), erf)
    untied = make(Conv1D, tied=False)
    put("untied", plain(untied, True), untied)
    for name, dtype in ("half", torch.float16), ("brain", torch.bfloat16):
        rounded = copy.deepcopy(hf).to(dtype)
        put(name, plain(rounded, False), rounded.double())
    single = copy.deepcopy(nano).float()
    put("single", plain(single, True), nano)


def read(folder, precision):
    tolerance = {"float": 1e-5, "double": 1e-12}[precision]
    for made in "hugging-face", "nanogpt", "no-bias", "untied":
        options = {"no-bias": {"bias": False, "approximate": "none"}, "untied": {"tied": False}}.get(made, {})
        for layout, matrix in ("hugging-face", Conv1D), ("nanogpt", linear):
            model, tensors = GPT(matrix, **options).double(), load_file(f"{folder}/{made}.as-{layout}")
            if layout == "hugging-face" and made != "untied":
                assert "lm_head.weight" not in tensors, made
                tensors["lm_head.weight"] = tensors["transformer.wte.weight"]
            model.load_state_dict(tensors, strict=True)
            want, found = load_file(f"{folder}/{made}.expected"), expected(model)
            off = ((found["logits"] - want["logits"]).abs().max() / want["logits"].abs().max()).item()
            assert off <= tolerance, f"{made} as {layout}: logits are off by {off:.2g} of the largest"
            assert torch.equal(found["greedy"], want["greedy"]), f"{made} as {layout}: other words"
    print("read")


if __name__ == "__main__":
    torch.set_num_threads(1)
    write(sys.argv[2]) if sys.argv[1] == "write" else read(*sys.argv[2:])
