"""Cold start, time of a 5,000-character article, and peak memory of the extractor, each in a fresh process.

usage: python benchmarks/latency.py [ARTICLE.txt]
"""

import json
import subprocess
import sys
import time
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_CHILD = """
import json, resource, sys, time
began = time.perf_counter()
import treaty_clauses
extractor = treaty_clauses.load()
loaded = time.perf_counter()
extractor.extract("甲國與乙國同意停火九十天。", published="2025-11-24")
first = time.perf_counter()
times = []
text = sys.stdin.read()
for _ in range(5):
    start = time.perf_counter()
    extractor.extract(text, published="2025-11-24")
    times.append(time.perf_counter() - start)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"load": loaded - began, "first": first - began, "article": times, "peak_mib": peak}))
"""


def main() -> int:
    """Print the three figures of three runs each."""
    text = _article()
    rows = []
    for _ in range(3):
        began = time.perf_counter()
        run = subprocess.run([sys.executable, "-c", _CHILD], input=text, capture_output=True, text=True, check=True)
        rows.append({**json.loads(run.stdout), "process": time.perf_counter() - began})
    print(f"article of {len(text)} characters; 3 processes, 5 readings each")
    print(f"cold start to first record (s): {[round(row['first'], 2) for row in rows]}")
    print(f"article after loading (s): median {sorted(t for row in rows for t in row['article'])[7]:.2f}")
    print(f"peak memory (MiB): {[round(row['peak_mib']) for row in rows]}")
    return 0


def _article() -> str:
    if len(sys.argv) > 1:
        return Path(sys.argv[1]).read_text(encoding="utf-8")
    texts = [path.read_text(encoding="utf-8") for path in sorted((_ROOT / "corpus" / "written").glob("*.txt"))]
    return "\n".join(texts)[:5000]


if __name__ == "__main__":
    sys.exit(main())
