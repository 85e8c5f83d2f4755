"""Translates one sentence with PyTorch in a process of its own: imports torch, builds the T1 model, loads its weights,
decodes greedily with caches and prints the words. Our side is `translate translate` with a model of that size.

    python3 bench/torch_sentence.py MODEL.pt --make         writes a model with random weights
    python3 bench/torch_sentence.py MODEL.pt WORDS SOURCE   decodes WORDS words from a source sentence of SOURCE ids
"""
import sys

import torch

from torch_model import CONFIGURATIONS, EOS, Lean


def main():
    path, words = sys.argv[1:3]
    torch.manual_seed(1)
    model = Lean(*CONFIGURATIONS["T1"][:5], written_out=False)
    if words == "--make":
        torch.save(model.state_dict(), path)
        return
    model.load_state_dict(torch.load(path, mmap=True))
    source = torch.randint(3, 10000, (1, int(sys.argv[3])))
    source[0, -1] = EOS
    print(*model.eval().greedy(source, int(words))[0].tolist())


if __name__ == "__main__":
    main()
