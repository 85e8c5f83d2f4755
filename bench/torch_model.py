"""PyTorch's side: the models that are measured, as a careful user would write them.

There are two versions of the encoder-decoder Transformer of bench/configurations.h: Modules, with torch.nn.Transformer,
and Lean, with plain matrix products (one for queries, keys and values; masks are added, and made once for each step).
Lean's attention is either written out or F.scaled_dot_product_attention. Which is fastest depends on sizes and
precision, so torch_side.py tries them all. Post-norm without final norms, sinusoidal positions, one matrix for both
embeddings and the output, scaled by sqrt(d_model), dropout on embeddings, attention, feed-forward and sub-layers.
"""
import math

import torch
from torch import nn
import torch.nn.functional as F

# d_model, heads, layers, d_ff, vocab, sentences, length
CONFIGURATIONS = {
    "T0": (64, 4, 2, 128, 200, 32, 12),
    "T1": (128, 4, 4, 256, 10000, 128, 16),
    "T2": (256, 4, 3, 1024, 8000, 64, 32),
    "T3": (512, 8, 6, 2048, 8000, 16, 64),
}
PAD, BOS, EOS = 0, 1, 2


class Embedding(nn.Module):
    """Scaled embeddings plus sinusoidal positions; `project` is the same matrix as output."""

    def __init__(self, vocab, width, dropout):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(vocab, width) * width**-0.5)
        self.scale, self.dropout = math.sqrt(width), dropout
        place = torch.arange(1024.0)[:, None]
        rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
        table = torch.stack((torch.sin(place * rate), torch.cos(place * rate)), -1).flatten(1)
        self.register_buffer("table", table, persistent=False)

    def forward(self, ids, at=0):
        x = F.embedding(ids, self.weight) * self.scale + self.table[at : at + ids.shape[1]]
        return F.dropout(x, self.dropout, self.training)

    def project(self, hidden):
        return F.linear(hidden, self.weight)


class Modules(nn.Module):
    def __init__(self, width, heads, layers, d_ff, vocab, dropout=0.1):
        super().__init__()
        self.embedding = Embedding(vocab, width, dropout)
        self.transformer = nn.Transformer(width, heads, layers, layers, d_ff, dropout, batch_first=True)
        self.transformer.encoder.norm = self.transformer.decoder.norm = None

    def forward(self, source, target):
        length, padding = target.shape[1], source == PAD
        future = torch.ones(length, length, dtype=torch.bool).triu(1)
        memory = self.transformer.encoder(self.embedding(source), src_key_padding_mask=padding)
        hidden = self.transformer.decoder(
            self.embedding(target), memory, tgt_mask=future, tgt_key_padding_mask=target == PAD,
            memory_key_padding_mask=padding)
        return self.embedding.project(hidden)


class Attention(nn.Module):
    def __init__(self, width, heads, dropout, written_out):
        super().__init__()
        self.heads, self.dropout, self.written_out = heads, dropout, written_out
        self.projections, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)
        nn.init.xavier_uniform_(self.projections.weight)

    def split(self, x, parts):
        """[B,T,parts·D] to `parts` tensors [B,H,T,D/H]"""
        return x.unflatten(-1, (parts, self.heads, -1)).permute(2, 0, 3, 1, 4)

    def keys_and_values(self, memory):
        width = memory.shape[-1]
        return self.split(F.linear(memory, self.projections.weight[width:], self.projections.bias[width:]), 2)

    def forward(self, x, mask, memory=None, cache=None):
        width, dropout = x.shape[-1], self.dropout if self.training else 0.0
        if memory is not None:  # [keys, values], already computed
            q = self.split(F.linear(x, self.projections.weight[:width], self.projections.bias[:width]), 1)[0]
            k, v = memory
        else:
            q, k, v = self.split(self.projections(x), 3)
            if cache is not None:
                if cache:
                    k, v = torch.cat((cache[0], k), 2), torch.cat((cache[1], v), 2)
                cache[:] = k, v
        if self.written_out:
            scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
            probs = F.softmax(scores if mask is None else scores + mask, -1)
            context = F.dropout(probs, dropout) @ v
        else:
            context = F.scaled_dot_product_attention(q, k, v, mask, dropout)
        return self.output(context.transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self, width, heads, d_ff, dropout, written_out, crossed):
        super().__init__()
        self.attention = Attention(width, heads, dropout, written_out)
        self.cross = Attention(width, heads, dropout, written_out) if crossed else None
        self.wide, self.narrow = nn.Linear(width, d_ff), nn.Linear(d_ff, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3 if crossed else 2))
        self.dropout = dropout

    def drop(self, x):
        return F.dropout(x, self.dropout, self.training)

    def forward(self, x, mask, memory=None, memory_mask=None, cache=None):
        x = self.norms[0](x + self.drop(self.attention(x, mask, cache=cache)))
        if self.cross is not None:
            x = self.norms[1](x + self.drop(self.cross(x, memory_mask, memory)))
        return self.norms[-1](x + self.drop(self.narrow(self.drop(F.relu(self.wide(x))))))


class Lean(nn.Module):
    def __init__(self, width, heads, layers, d_ff, vocab, dropout=0.1, written_out=True):
        super().__init__()
        self.embedding = Embedding(vocab, width, dropout)
        block = lambda crossed: Block(width, heads, d_ff, dropout, written_out, crossed)
        self.encoder = nn.ModuleList(block(False) for _ in range(layers))
        self.decoder = nn.ModuleList(block(True) for _ in range(layers))

    def encode(self, source):
        """Keys and values for every layer of the decoder, and the mask over the source."""
        mask = torch.zeros(source.shape).masked_fill_(source == PAD, -1e9)[:, None, None]
        x = self.embedding(source)
        for layer in self.encoder:
            x = layer(x, mask)
        return [layer.cross.keys_and_values(x) for layer in self.decoder], mask

    def forward(self, source, target):
        memories, source_mask = self.encode(source)
        length = target.shape[1]
        mask = torch.zeros(target.shape).masked_fill_(target == PAD, -1e9)[:, None, None]
        mask = mask + torch.full((length, length), -1e9).triu_(1)
        x = self.embedding(target)
        for layer, memory in zip(self.decoder, memories):
            x = layer(x, mask, memory, source_mask)
        return self.embedding.project(x)

    @torch.inference_mode()
    def greedy(self, source, words):
        """Decodes `words` words for every sentence, with caches."""
        memories, mask = self.encode(source)
        caches = [[] for _ in self.decoder]
        word = torch.full((source.shape[0], 1), BOS)
        said = []
        for at in range(words):
            x = self.embedding(word, at)
            for layer, memory, cache in zip(self.decoder, memories, caches):
                x = layer(x, None, memory, mask, cache)
            word = self.embedding.project(x[:, -1]).argmax(-1, keepdim=True)
            said.append(word)
        return torch.cat(said, 1)


class Language(nn.Module):
    """Decoder only, GPT-2's blocks, as bench/gpt.c has them."""

    def __init__(self, vocab=10000, width=128, heads=4, layers=4, length=64):
        super().__init__()
        self.heads = heads
        self.words, self.places = nn.Embedding(vocab, width), nn.Embedding(length, width)
        part = lambda: nn.ModuleDict({
            "norm1": nn.LayerNorm(width), "norm2": nn.LayerNorm(width),
            "projections": nn.Linear(width, 3 * width), "output": nn.Linear(width, width),
            "wide": nn.Linear(width, 4 * width), "narrow": nn.Linear(4 * width, width)})
        self.blocks, self.norm = nn.ModuleList(part() for _ in range(layers)), nn.LayerNorm(width)

    def attend(self, block, x, caches=None, at=0):
        """Self-attention of positions at, at+1, …. With caches it also sees the positions before, and caches these."""
        q, k, v = block["projections"](block["norm1"](x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        if caches is not None:
            end = at + x.shape[1]
            caches[0, :, :, at:end], caches[1, :, :, at:end] = k, v
            k, v = caches[0, :, :, :end], caches[1, :, :, :end]
        y = F.scaled_dot_product_attention(q, k, v, is_causal=x.shape[1] > 1)  # one position needs no mask
        return block["output"](y.transpose(1, 2).flatten(2))

    def forward(self, ids):
        x = self.words(ids) + self.places.weight[: ids.shape[1]]
        for block in self.blocks:
            x = x + self.attend(block, x)
            x = x + block["narrow"](F.gelu(block["wide"](block["norm2"](x)), approximate="tanh"))
        return F.linear(self.norm(x), self.words.weight)

    @torch.inference_mode()
    def sample(self, prompt, words, draw):
        """Samples `words` words, with caches, after reading a prompt [texts,length] at once."""
        texts, length = prompt.shape
        width = self.words.weight.shape[1] // self.heads
        caches = torch.empty(len(self.blocks), 2, texts, self.heads, length + words, width)
        read, at, said = prompt, 0, []
        for _ in range(words):
            x = self.words(read) + self.places.weight[at : at + read.shape[1]]
            for block, cache in zip(self.blocks, caches):
                x = x + self.attend(block, x, cache, at)
                x = x + block["narrow"](F.gelu(block["wide"](block["norm2"](x)), approximate="tanh"))
            at += read.shape[1]
            read = draw(F.softmax(F.linear(self.norm(x[:, -1]), self.words.weight), -1))
            said.append(read)
        return torch.cat(said, 1)


def implementations(config):
    """The versions of the model, by name."""
    sizes = CONFIGURATIONS[config][:5]
    return {"modules": lambda: Modules(*sizes), "lean": lambda: Lean(*sizes),
            "lean, sdpa": lambda: Lean(*sizes, written_out=False)}
