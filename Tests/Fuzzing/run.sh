#!/bin/bash
# Runs libFuzzer over the target Diagnosis, which reads what strangers write.
#   Tests/Fuzzing/run.sh [SECONDS [FOLDER]]     for 60 s by default; FOLDER keeps the inputs it found, and crashes
# Ends with 1 when an input crashes, takes more than 10 s, or needs more than 512 MiB.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-60}
folder=${2:-$(mktemp -d)}
mkdir -p "$folder/found" "$folder/seeds"

# Real payloads to begin with: each behind a byte that chooses a name, and cut to what is quick to run.
for file in Tests/DiagnosisTests/Fixtures/open/*; do
    { printf '\0' && head -c 20000 "$file"; } > "$folder/seeds/$(basename "$file")"
done
# One seed for each text in the tests of the formats.
python3 - "$folder/seeds" <<'PYTHON'
import pathlib, re, sys, textwrap
for path in sorted(pathlib.Path("Tests/DiagnosisTests").rglob("*.swift")):
    for number, text in enumerate(re.findall(r'"""\n(.*?)\n *"""', path.read_text(), re.S)):
        pathlib.Path(sys.argv[1], f"{path.stem}-{number}").write_text("\0" + textwrap.dedent(text))
PYTHON

find Sources/Diagnosis -name '*.swift' -print0 | xargs -0 swiftc -O -g -parse-as-library -swift-version 6 \
    -enable-upcoming-feature ExistentialAny -sanitize=fuzzer,address -module-name DiagnosisFuzzer \
    -package-name reports -o "$folder/fuzzer" Tests/Fuzzing/DiagnosisFuzzer.swift
"$folder/fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=512 -max_len=65536 -print_final_stats=1 \
    -artifact_prefix="$folder/" "$folder/found" "$folder/seeds"
