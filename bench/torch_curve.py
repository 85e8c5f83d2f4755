"""PyTorch's side of the loss curve: trains torch.nn.Transformer with the initial weights and the batches that
build/bench/curve has written. Prints lines "step loss".

    python3 bench/torch_curve.py FILE T0 60 [lr]
"""
import json
import sys

import torch
from torch import nn
import torch.nn.functional as F

from torch_model import CONFIGURATIONS, PAD, Modules


def safetensors(path):
    """The tensors of a float32 file, by name. Its format: 8 bytes with the header's length, a JSON header, numbers."""
    data = open(path, "rb").read()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    return {name: torch.frombuffer(bytearray(data[start:][slice(*entry["data_offsets"])]), dtype=torch.float32)
            .reshape(entry["shape"]) for name, entry in header.items()}


def main():
    path, config, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
    lr = float(sys.argv[4]) if len(sys.argv) > 4 else 1e-3
    found = safetensors(path)
    source, tgt_in, tgt_out = (found.pop(name).long() for name in ("source", "tgt_in", "tgt_out"))
    model = Modules(*CONFIGURATIONS[config][:5], dropout=0.0).train()
    embedding = found.pop("src_embedding.weight")
    model.load_state_dict({"embedding.weight": embedding, **{f"transformer.{n}": w for n, w in found.items()}})
    optimiser = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.98), eps=1e-9)
    for step in range(steps):
        k = step % len(source)
        optimiser.zero_grad()
        logits = model(source[k], tgt_in[k]).flatten(0, 1)
        loss = F.cross_entropy(logits, tgt_out[k].flatten(), ignore_index=PAD, label_smoothing=0.1)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        print(step + 1, f"{loss.item():.9g}")


if __name__ == "__main__":
    main()
