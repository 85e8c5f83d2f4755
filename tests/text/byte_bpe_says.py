"""Results of Hugging Face's tokenizers, for test_byte_bpe.c:

    byte_bpe_says.py learn TEXT MERGES FOLDER   learns a byte-level encoding from TEXT: FOLDER/vocab.json, FOLDER/merges.txt
    byte_bpe_says.py encode FOLDER COUNT SEED   FOLDER/lines: COUNT random texts, each with its length and its bytes;
                                                FOLDER/ids: a line with the ids of each
    byte_bpe_says.py words FOLDER               FOLDER/words: for each text of FOLDER/lines a line with the lengths of its words in bytes

If a module is not installed, prints that and exits with 3."""

import random
import struct
import sys
import unicodedata

# The table is Unicode 14's. With a Python of another version, only characters of an early version are compared.
KNOWN = unicodedata if unicodedata.unidata_version == "14.0.0" else unicodedata.ucd_3_2_0
PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
PIECES = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'", "''", "'l", "'r", "'v", " ", " ", "  ", "   ", "\n",
          "\n\n", "\r\n", "\t", "\v", "\f", "\x00", "\x01", "\x1b", "\x1c", "\x1d", "\x1e", "\x1f", "\x7f", "\x80",
          "\x85", "\xa0", "\xad", "\u1680", "\u180e", "\u2003", "\u200b", "\u200d", "\u2028", "\u2029", "\u202f",
          "\u205f", "\u2060", "\u3000", "\ufeff", "\ufffd", "the", " the", " of", "and", "er", "lower", " newest", "I",
          "don't", "we'll", "x", "é", "e\u0301", "ß", "İ", "0", "12", " 345", "²", "½", "Ⅷ", "٣", "०", "中文", "。",
          "日本語", "한국어", "ไทย", "हिन्दी", "العربية", "👍🏽", "👩\u200d👩\u200d👧", "❤\ufe0f", "𝔘", "𝟘", "𠀀",
          "!", "?!", "...", "<|endoftext|>", "<|", "_", "-", "€", "☃", "Ġ", "Ċ", "\U000f0000", "\U0010ffff"]


def texts(count, seed):
    draw = random.Random(seed)
    known = [c for c in map(chr, range(0x110000)) if KNOWN.category(c) not in ("Cn", "Cs")]
    rare = [c for c in known if ord(c) >= 0x10000 or KNOWN.category(c)[0] in "NMZC"]
    for _ in range(count):
        some = draw.sample(PIECES, draw.randrange(1, 12))
        text = ""
        for _ in range(draw.randrange(0, 30)):
            kind = draw.random()
            text += draw.choice(some) if kind < 0.7 else draw.choice(known if kind < 0.85 else rare)
        yield text
    for i in range(0, len(known), 97):  # and every character there is, with a letter, number, space or sign between
        yield "".join(c + "a 1,\n"[k % 5] * (k % 3) for k, c in enumerate(known[i:i + 97]))


def learn(text, merges, folder):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=256 + int(merges), min_frequency=2, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator([open(text, encoding="utf-8", newline="").read()], trainer)
    tokenizer.model.save(folder)


def encode(folder, count, seed):
    from tokenizers import Tokenizer, models, pre_tokenizers
    tokenizer = Tokenizer(models.BPE.from_file(folder + "/vocab.json", folder + "/merges.txt"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    with open(folder + "/lines", "wb") as lines, open(folder + "/ids", "w") as ids:
        for text in texts(int(count), int(seed)):
            data = text.encode("utf-8")
            lines.write(struct.pack("<I", len(data)) + data)
            ids.write(" ".join(map(str, tokenizer.encode(text).ids)) + "\n")


def words(folder):
    import regex
    pattern = regex.compile(PATTERN)
    data = open(folder + "/lines", "rb").read()
    with open(folder + "/words", "w") as out:
        while data:
            size, = struct.unpack("<I", data[:4])
            text, data = data[4:4 + size].decode("utf-8"), data[4 + size:]
            out.write(" ".join(str(len(w.encode("utf-8"))) for w in pattern.findall(text)) + "\n")


try:
    {"learn": learn, "encode": encode, "words": words}[sys.argv[1]](*sys.argv[2:])
except ImportError as error:
    print(error)
    sys.exit(3)
