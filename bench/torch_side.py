"""PyTorch's side of bench/compare: answers requests line by line, as bench/worker.h says. Needs torch.

    step T1 0.5 numbers=float32|best     a training step by the fastest version of the model. float32: in float32. best:
                                         in the fastest of float32, bfloat16 autocast and
                                         torch.set_float32_matmul_precision("medium"). way=NAME: only this version
    decode T1 0.5 32                     greedy decoding of 32 sentences, with caches
    product 2048x512x128 0.05 case=NT numbers=float32|medium|bf16     torch.matmul(a, b, out=c); also BxHxTxd
    gpt gpt 0.5, mlp mlp 0.5             the step of bench/gpt.c, bench/mlp.c
    generate gpt 0.5 32                  samples 32 texts as bench/generate.c does, with caches
    recurrent gru|lstm 0.5               nn.GRU, nn.LSTM with the sizes of bench/recurrent.c, forward and backward
Options: threads=N. With TL_TORCH_COMPILE=1 in the environment, the version that is fastest in float32 is also tried with
torch.compile. With TL_TORCH_TRY_ALL=1 all versions are compiled and tried in reduced precision, not only the fastest.
"""
import json
import os
import resource
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import torch
from torch import nn
import torch.nn.functional as F

from torch_model import CONFIGURATIONS, EOS, Language, Lean, implementations

USUAL_THREADS = int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads()))
TRY_ALL = os.environ.get("TL_TORCH_TRY_ALL") == "1"
COMPILE = os.environ.get("TL_TORCH_COMPILE") == "1"


begun = False


def measure(work, seconds, warm=0):
    """As in bench/worker.h: warms up, then runs `work` until the time is over, at least once."""
    global begun
    warm_for = 0.1 * seconds if begun or seconds == 0 else 0.3
    begun, last, start, done = True, 0.0, time.perf_counter(), 0
    while done < warm or (last < 0.1 * seconds and time.perf_counter() - start < warm_for):
        t = time.perf_counter()
        work()
        last, done = time.perf_counter() - t, done + 1
    times, start = [], time.perf_counter()
    while not times or time.perf_counter() - start < seconds:
        t = time.perf_counter()
        work()
        times.append(time.perf_counter() - t)
    times.sort()
    return {"ms_median": 1e3 * times[len(times) // 2], "ms_min": 1e3 * times[0],
            "ms_p90": 1e3 * times[len(times) * 9 // 10], "runs": len(times)}


def in_numbers(numbers):
    """Sets the precision of products from here on; returns the autocast context."""
    torch.set_float32_matmul_precision("medium" if numbers == "medium" else "highest")
    return torch.autocast("cpu", torch.bfloat16, enabled=numbers == "bf16")


def stepper(model, loss_of, clip=1.0, **adam):
    """A function that takes one training step in the given precision."""
    optimiser = torch.optim.Adam(model.train().parameters(), fused=True, **adam)

    def step(numbers):
        optimiser.zero_grad(set_to_none=True)
        with in_numbers(numbers):
            loss = loss_of(model)
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimiser.step()
        return loss.item()

    return step


class Ways:
    """Versions of the same step. Finds the fastest once."""

    def __init__(self, tokens, ways, compiled=()):
        """ways, compiled: by name, functions that make a version's step; a name may be empty."""
        self.more, self.tried = {"tokens": tokens}, {}
        self.ways = {name: make() for name, make in ways.items()}
        if COMPILE:
            names = [name for name in compiled if name in ways]
            if not TRY_ALL:  # only the fastest one, since compiling takes a minute
                names = sorted(names, key=lambda name: len(names) > 1 and self.trial(name, "float32"))[:1]
            self.ways.update({joined(name, "compiled"): compiled[name]() for name in names})

    def trial(self, way, numbers):
        """The milliseconds of a step, measured for 0.3 seconds after a warm-up step."""
        if (way, numbers) not in self.tried:
            self.tried[way, numbers] = measure(lambda: self.ways[way](numbers), 0.3, warm=1)["ms_median"]
        return self.tried[way, numbers]

    def fastest(self, numbers):
        by_time = sorted(self.ways, key=lambda way: len(self.ways) > 1 and self.trial(way, "float32"))
        if numbers != "best":
            return by_time[0], numbers
        for way in by_time if TRY_ALL else by_time[:1]:
            for each in ("float32", "bf16", "medium"):
                self.trial(way, each)
        return min(self.tried, key=self.tried.get)

    def answer(self, seconds, numbers):
        way, numbers = self.fastest(numbers)
        result = measure(lambda: self.ways[way](numbers), seconds)
        return {**result, **self.more, "how": joined(way, numbers)}


def joined(*words):
    return ", ".join(filter(None, words))


class Step(Ways):
    def __init__(self, config, only=None):
        *_, vocab, sentences, length = CONFIGURATIONS[config]
        words = torch.randint(3, vocab, (2, sentences, length + 1))
        source, target, answer = words[0, :, :-1], words[1, :, :-1], words[1, :, 1:].reshape(-1)

        def loss_of(model):
            logits = model(source, target).float().flatten(0, 1)
            return F.cross_entropy(logits, answer, ignore_index=0, label_smoothing=0.1)

        def maker(make, compiled):
            def way():
                torch.manual_seed(1)
                model = compiled(make())
                return stepper(model, loss_of, lr=1e-4, betas=(0.9, 0.98), eps=1e-9)
            return way

        models = {name: make for name, make in implementations(config).items() if only in (None, name)}
        super().__init__(sentences * length, {name: maker(make, lambda model: model) for name, make in models.items()},
                         {name: maker(make, torch.compile) for name, make in models.items() if name != "modules"})


class Decode:
    def __init__(self, config, sentences):
        *_, vocab, _, length = CONFIGURATIONS[config]
        torch.manual_seed(1)
        source = torch.randint(3, vocab, (sentences, length))
        models = {name: make().eval() for name, make in implementations(config).items() if name != "modules"}
        self.tokens = sentences * length
        self.ways = {name: (lambda model=model: model.greedy(source, length)) for name, model in models.items()}
        self.tried = {name: measure(work, 0.2, warm=2)["ms_median"] for name, work in self.ways.items()}

    def answer(self, seconds, numbers):
        way = min(self.tried, key=self.tried.get)
        with in_numbers(numbers):
            return {**measure(self.ways[way], seconds), "tokens": self.tokens, "how": f"{way}, {numbers}"}


class Product:
    def __init__(self, shape, case):
        size = [int(n) for n in shape.split("x")]
        self.case = case
        if len(size) == 4:  # heads are views of [B,T,H·d], as in bench/products.h
            b, h, t, d = size
            heads = lambda: torch.rand(b, t, h, d).transpose(1, 2)
            squares = lambda: torch.rand(b, h, t, t)
            if case == "scores":
                self.a, self.b, self.c = heads(), heads().transpose(2, 3), squares()
            else:
                self.a, self.b, self.c = squares(), heads(), heads()
                self.a = self.a.transpose(2, 3) if case == "gradient" else self.a
            self.gflop = 2e-9 * b * h * t * t * d
        else:
            m, n, k = size
            stored = lambda rows, cols, how: torch.rand(cols, rows).t() if how == "T" else torch.rand(rows, cols)
            self.a, self.b, self.c = stored(m, k, case[0]), stored(k, n, case[1]), torch.empty(m, n)
            self.gflop = 2e-9 * m * n * k

    def answer(self, seconds, numbers):
        a, b, c = self.a, self.b, self.c
        if numbers == "bf16":
            a, b, c = a.bfloat16(), b.bfloat16(), c.bfloat16()
        in_numbers("medium" if numbers == "medium" else "float32")
        with torch.no_grad():
            result = measure(lambda: torch.matmul(a, b, out=c), seconds, warm=2)
        return {**result, "gflop": self.gflop}


class Gpt(Ways):
    def __init__(self):
        torch.manual_seed(1)
        words = torch.randint(10000, (32, 65))
        given, answer = words[:, :-1], words[:, 1:].reshape(-1)
        loss_of = lambda model: F.cross_entropy(model(given).float().flatten(0, 1), answer)
        way = lambda model: stepper(model, loss_of, lr=1e-4, betas=(0.9, 0.95))
        super().__init__(2048, {"": lambda: way(Language())}, {"": lambda: way(torch.compile(Language()))})


class Generate:
    """Samples words with the faster of two methods, which is found once."""

    def __init__(self, texts):
        torch.manual_seed(1)
        model, prompt = Language(length=256).eval(), torch.randint(10000, (1, 64)).expand(texts, 64)
        draws = {"multinomial": lambda probs: torch.multinomial(probs, 1),
                 "exponential": lambda probs: (probs / torch.empty_like(probs).exponential_()).argmax(-1, keepdim=True)}
        self.ways = {name: (lambda draw=draw: model.sample(prompt, 192, draw)) for name, draw in draws.items()}
        self.tried = {name: measure(work, 0.2, warm=1)["ms_median"] for name, work in self.ways.items()}
        self.tokens = 192 * texts

    def answer(self, seconds, numbers):
        way = min(self.tried, key=self.tried.get)
        with in_numbers(numbers):
            return {**measure(self.ways[way], seconds), "tokens": self.tokens, "how": f"{way}, {numbers}"}


class Mlp(Ways):
    def __init__(self):
        torch.manual_seed(1)
        images, digits = torch.rand(64, 784), torch.randint(10, (64,))
        make = lambda: nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
        way = lambda model: stepper(model, lambda model: F.cross_entropy(model(images), digits), clip=None, lr=1e-3)
        super().__init__(64, {"": lambda: way(make())}, {"": lambda: way(torch.compile(make()))})


class Recurrent:
    """Forward and backward with autograd, with the faster order of the first two axes, which is found once."""

    def __init__(self, kind):
        torch.manual_seed(1)
        make = {"gru": nn.GRU, "lstm": nn.LSTM}[kind]
        self.ways, self.tried = {}, {}
        for name, first in {"batch first": True, "steps first": False}.items():
            layer = make(128, 128, batch_first=first)
            x, dy = torch.rand(2, 32, 32, 128) * 2 - 1
            self.ways[name] = self.step_of(layer, x.clone().requires_grad_(), dy.clone())
        for name, work in self.ways.items():
            self.tried[name] = measure(work, 0.3, warm=2)["ms_median"]

    @staticmethod
    def step_of(layer, x, dy):
        def step():
            layer.zero_grad(set_to_none=True)
            x.grad = None
            layer(x)[0].backward(dy)
        return step

    def answer(self, seconds, numbers):
        way = min(self.tried, key=self.tried.get)
        in_numbers("medium" if numbers == "medium" else "float32")
        return {**measure(self.ways[way], seconds), "tokens": 1024, "how": f"{way}, {numbers}"}


made = {}  # (kind, arguments): the object that answers; only the latest of each kind is kept


def answer(words, options):
    kind, what = words[0], words[1]
    seconds = float(words[2]) if len(words) > 2 else 0.5
    torch.set_num_threads(int(options.get("threads", USUAL_THREADS)))
    make = {"step": lambda: Step(what, options.get("way")), "decode": lambda: Decode(what, int(words[3])),
            "product": lambda: Product(what, options.get("case", "NT")), "gpt": Gpt, "mlp": Mlp,
            "generate": lambda: Generate(int(words[3])),
            "recurrent": lambda: Recurrent(what)}[kind]
    key = (kind, what, *words[3:], options.get("case"))
    if key not in made:
        for old in [k for k in made if k[0] == kind]:
            del made[old]
        made[key] = make()
    result = made[key].answer(seconds, options.get("numbers", "float32"))
    return {**result, "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "build": f"PyTorch {torch.__version__}"}


def main():
    requests = sys.stdin if sys.argv[1:] in ([], ["--serve"]) else [" ".join(sys.argv[1:])]
    for line in requests:
        words = line.split()
        options = dict(word.split("=", 1) for word in words if "=" in word)
        words = [word for word in words if "=" not in word]
        if not words:
            continue
        try:
            result = answer(words, options)
        except Exception as error:
            result = {"error": f"{type(error).__name__}: {error}".replace("\n", " ")}
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
