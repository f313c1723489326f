"""What `speed.py` measures, each in a process of its own: `python benchmarks/speed_readers.py READER` prints JSON.

Standard input is a JSON object: `model` (its folder), `texts`, and `repeats` or `parts`: a reader reads all texts `repeats` times, or each text
once, in `parts` parts, and every reading of all or of a part is a run.
"""

import json
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

Read = Callable[[Sequence[str]], None]
_WARM_CHARS = 3000
_PUBLISHED = "2025-11-24"
_LABELS = 25  # of the stock pipelines: BIO tags of a dozen kinds
_STRIDE = 64  # tokens by which the stock pipeline's windows overlap


def main() -> None:
    """Measure the reader that is asked for."""
    asked = json.loads(sys.stdin.read())
    began = time.perf_counter()
    name = sys.argv[1]
    texts: list[str] = asked["texts"]
    if name in _SPECIAL:
        found = _SPECIAL[name](asked)
    else:
        read = _READERS[name](Path(asked["model"]))
        loaded = time.perf_counter() - began
        read(_first(texts, _WARM_CHARS))
        runs = []
        parts = asked.get("parts")
        for part in [texts[number::parts] for number in range(parts)] if parts else [texts] * asked["repeats"]:
            runs.append(_timed(lambda part=part: read(part), sum(map(len, part))))
        found = {"runs": runs, "load": loaded}
    found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps(found) + "\n")


def _timed(call: Callable[[], Any], characters: int) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return {"characters": characters, "seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def _first(texts: Iterable[str], characters: int) -> list[str]:
    taken: list[str] = []
    for text in texts:
        taken.append(text[:characters])
        if sum(map(len, taken)) >= characters:
            break
    return taken


def _ours(model: Path, backend: str) -> Read:
    from datetime import date

    from treaty_clauses.extract import AHEAD_CHARS, load
    from treaty_clauses.types import Article

    extractor = load(model, backend=backend)  # type: ignore[arg-type]
    day = date.fromisoformat(_PUBLISHED)

    def read(texts: Sequence[str]) -> None:
        articles = (Article(str(number), text, day) for number, text in enumerate(texts))
        for _ in extractor.pipe(articles, ahead_chars=AHEAD_CHARS):
            pass

    return read


def _stock(folder: Path, layers: int, size: int, heads: int) -> Read:
    """Transformers' token-classification pipeline with random weights, which cost as much time as trained ones."""
    import transformers
    from transformers import BertConfig, BertForTokenClassification, BertTokenizer, pipeline

    transformers.logging.set_verbosity_error()
    characters = (folder / "vocabulary.txt").read_text(encoding="utf-8").split("\n")[4:-1]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [*special, *sorted({character for character in characters if character.strip() and character != "\\n"})]
    tokenizer = BertTokenizer({word: number for number, word in enumerate(words)}, model_max_length=512)
    config = BertConfig(
        vocab_size=21_128, num_labels=_LABELS, num_hidden_layers=layers, hidden_size=size, num_attention_heads=heads,
        intermediate_size=4 * size if size != 312 else 1200,
    )  # fmt: skip
    model = BertForTokenClassification(config).eval()
    tagger = pipeline(
        "token-classification", model=model, tokenizer=tokenizer, aggregation_strategy="simple", stride=_STRIDE
    )

    def read(texts: Sequence[str]) -> None:
        for _ in tagger(list(texts)):
            pass

    return read


def _jieba(_: Path) -> Read:
    import jieba

    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()

    def read(texts: Sequence[str]) -> None:
        for text in texts:
            tokenizer.lcut(text)

    return read


def _growth(asked: dict[str, Any]) -> dict[str, Any]:
    """Time and memory of one article of each length in `sizes`, ascending: the median of three readings while they are short."""
    read = _ours(Path(asked["model"]), "fast")
    text = "\n".join(asked["texts"])
    text *= 1 + max(asked["sizes"]) // len(text)
    read([text[:_WARM_CHARS]])
    rows = []
    for size in asked["sizes"]:
        times = sorted(
            _timed(lambda size=size: read([text[:size]]), size)["seconds"] for _ in range(3 if size <= 10_000 else 1)
        )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows.append({"characters": size, "seconds": times[len(times) // 2], "peak_mib": peak})
    return {"rows": rows}


def _stages(asked: dict[str, Any]) -> dict[str, Any]:
    """CPU seconds of every stage of the fast runtime; the network's are those outside the main thread."""
    import treaty_clauses.encode as encode
    import treaty_clauses.extract as extract
    from treaty_clauses.types import Article

    spent: dict[str, float] = defaultdict(float)

    def watch(owner: Any, name: str, stage: str, *, is_iterator: bool = False) -> None:
        inner = getattr(owner, name)

        def timed(*arguments: Any, **options: Any) -> Any:
            began, before = time.thread_time(), sum(spent.values())
            answer = inner(*arguments, **options)
            answer = list(answer) if is_iterator else answer
            spent[stage] += time.thread_time() - began - (sum(spent.values()) - before)
            return answer

        setattr(owner, name, timed)

    extractor = extract.load(asked["model"], backend="fast")
    encoder, tagger = extractor._encoder, extractor._tagger
    watch(encoder.segmenter, "spans", "jieba", is_iterator=True)
    watch(encoder.gazetteer, "find", "gazetteer")
    watch(encode, "find_quantities", "numbers and dates", is_iterator=True)
    watch(encoder, "encode", "other input")
    watch(extract, "decode_spans", "spans from tags")
    watch(extract, "span_bags", "words and n-grams of spans")
    watch(extract, "link_mentions", "actors")
    watch(extract, "link_inputs", "pairs")
    watch(tagger, "describe", "span heads")
    watch(tagger, "link", "pair heads")
    watch(extractor, "_build", "record")
    articles = [Article(str(number), text) for number, text in enumerate(asked["texts"])]
    list(extractor.pipe(articles[:5]))
    spent.clear()
    wall, cpu = time.thread_time(), time.process_time()
    list(extractor.pipe(articles, ahead_chars=extract.AHEAD_CHARS))
    wall, cpu = time.thread_time() - wall, time.process_time() - cpu
    spent["packing and the rest"] = wall - sum(spent.values())
    spent["encoder"] = cpu - wall
    return {"characters": sum(map(len, asked["texts"])), "stages": dict(spent)}


def _encoder(asked: dict[str, Any]) -> dict[str, Any]:
    """Characters a second of the encoder alone, on packed rows, and how many operations a character takes."""
    from treaty_clauses.extract import ROW_CHARS, Extractor
    from treaty_clauses.fast import FastTagger
    from treaty_clauses.gazetteer import Gazetteer
    from treaty_clauses.packing import BLOCK_CHARS, packed_chars
    from treaty_clauses.segment import Segmenter

    folder = Path(asked["model"])
    tagger = FastTagger(folder)
    encode = Extractor(tagger, Segmenter(), Gazetteer.load())._encoder.encode
    rows: list[list[Any]] = [[]]
    for encoded in map(encode, asked["texts"][::3]):
        if rows[-1] and sum(packed_chars(len(one)) for one in (*rows[-1], encoded)) > ROW_CHARS:
            rows.append([])
        rows[-1].append(encoded)

    def read() -> None:
        pending = []
        for row in rows:
            pending.append(tagger.start(row))
            if len(pending) > tagger.threads:
                pending.pop(0).result()
        for last in pending:
            last.result()

    read()
    characters = sum(packed_chars(len(one)) for row in rows for one in row)
    shape = json.loads((folder / "config.json").read_text(encoding="utf-8"))["encoder"]
    size, reach = shape["hidden_size"], shape["reach_chars"]
    keys = BLOCK_CHARS * (2 * -(-reach // BLOCK_CHARS) + 1)
    a_layer = 2 * (4 * size**2 + 3 * size * shape["intermediate_size"]) + 4 * keys * size
    mixing = 2 * shape["mixing_size"] * size * (1 + shape["mixing_width"])
    operations = shape["layers"] * a_layer + mixing
    return {"runs": [_timed(read, characters) for _ in range(asked["repeats"])], "operations": operations}


def _peak(asked: dict[str, Any]) -> dict[str, Any]:
    """The fastest product of two square matrices, operations a second, in fp32 and, where the processor has it, bf16."""
    import torch

    from treaty_clauses.training.precision import multiplies_bf16  # emulated, a product takes minutes

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    found = {}
    for name in ("float32", "bfloat16") if multiplies_bf16("cpu") else ("float32",):
        best = 0.0
        for size in (1024, 2048):
            left, right = (torch.randn(size, size).to(getattr(torch, name)) for _ in range(2))
            for _ in range(3 + 2 * asked["repeats"]):
                began = time.perf_counter()
                torch.mm(left, right)
                best = max(best, 2 * size**3 / (time.perf_counter() - began))
        found[name] = best
    return {"peaks": found}


_READERS: dict[str, Callable[[Path], Read]] = {
    "fast": lambda folder: _ours(folder, "fast"),
    "torch": lambda folder: _ours(folder, "torch"),
    "bert-base": lambda folder: _stock(folder, 12, 768, 12),
    "bert-4x312": lambda folder: _stock(folder, 4, 312, 12),
    "jieba": _jieba,
}
_SPECIAL: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "growth": _growth,
    "stages": _stages,
    "encoder": _encoder,
    "peak": _peak,
}

if __name__ == "__main__":
    main()
