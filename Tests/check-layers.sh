#!/bin/bash
# Who may import whom, which rooms may use which, and what a file may be called. Prints each offender; ends with 1 if there is one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

offenders=0
# complain WHY: reads offenders from standard input, one a line.
complain() {
    local line
    while IFS= read -r line; do
        printf '%s: %s\n' "$line" "$1"
        offenders=$((offenders + 1))
    done
}

# imports MODULES: the places that import one of them (an extended regular expression), as FILE:LINE:TEXT.
imports() {
    local attributes='(@[A-Za-z_]+(\([^)]*\))?[[:space:]]+)*'
    local access='((public|package|internal|fileprivate|private)[[:space:]]+)?'
    local declaration='((struct|class|enum|protocol|typealias|func|let|var)[[:space:]]+)?'
    grep -rnE --include='*.swift' \
        "^[[:space:]]*$attributes${access}import[[:space:]]+$declaration($1)([.[:space:];]|\$)" "${@:2}" || true
}

# only FOLDERS MODULES: the modules are imported below these folders of Sources and nowhere else in it.
only() {
    imports "$2" Sources | grep -vE "^Sources/($1)/" | complain "only Sources/${1//|/ and Sources/} may import this" || true
}

# never FOLDER MODULES: the arrows ReportsCLI → Reports → Background → DurableIO never point back.
never() {
    imports "$2" "Sources/$1" | complain "Sources/$1 is below this in the layers"
}

check_imports() {
    only 'Background/Store' 'CSQLite'
    only 'Background/Transport' 'AsyncHTTPClient|NIO[A-Za-z0-9]*|_NIO[A-Za-z0-9]*|RawStructuredFieldValues'
    only 'Reports/Compression' 'CZlib'
    only 'Digests' 'Crypto|_CryptoExtras'
    only 'none' 'FoundationEssentials'
    only 'DurableIO|CaptureRun' 'CLinux'
    only 'DurableIO|CaptureRun|ReportsRun|ReportsCLI/Output' 'Glibc|Musl|Darwin'
    only 'BackgroundFoundation' 'Foundation|FoundationNetworking|FoundationXML'
    only 'ReportsCLI' 'ArgumentParser'
    only 'none' 'Hummingbird[A-Za-z0-9]*'

    never DurableIO 'Digests|Diagnosis|CaptureRun|Background|BackgroundFoundation|Reports|ReportsRun|ReportsCLI'
    # It is to stay small: see SHA256 there.
    never CaptureRun 'Digests|Background|BackgroundFoundation|Reports|ReportsRun|ReportsCLI'
    never ReportsRun 'Digests|Background|BackgroundFoundation|Reports|ReportsCLI'
    imports '[A-Za-z_]+' Sources/Diagnosis | complain 'Diagnosis imports nothing: bytes in, values out'
    never Background 'Diagnosis|CaptureRun|BackgroundFoundation|Reports|ReportsRun|ReportsCLI'
    never BackgroundFoundation 'Diagnosis|CaptureRun|Reports|ReportsRun|ReportsCLI'
    never Reports 'BackgroundFoundation|ReportsRun|ReportsCLI'
    never ReportsCLI 'BackgroundFoundation|ReportsRun'
}

# circles TARGET: the rooms of a target whose types use each other in a circle, one line an edge. A room is a folder
# directly below Sources/TARGET, or a file there. A type is used where its name stands outside of comments and texts.
circles() {
    find "Sources/$1" -name '*.swift' | sort | xargs awk -v root="Sources/$1/" '
        FNR == 1 { room = substr(FILENAME, length(root) + 1); sub(/\/.*/, "", room); file = FILENAME; inText = 0 }
        {
            line = $0
            if (gsub(/"""/, "", line) % 2) { inText = !inText; next }
            if (inText) next
            while (match(line, /\\\([^()]*\)/)) line = substr(line, 1, RSTART - 1) "\" " substr(line, RSTART + 2, RLENGTH - 3) " \"" substr(line, RSTART + RLENGTH)
            gsub(/\\["\\]/, "", line); gsub(/"[^"]*"/, " ", line); sub(/\/\/.*/, "", line)
            if (match(line, /^((public|package|final|indirect|nonisolated|@[A-Za-z_]+(\([^)]*\))?) )*(struct|class|enum|actor|protocol|typealias) [A-Z][A-Za-z0-9_]*/)) {
                name = substr(line, RSTART, RLENGTH); sub(/.* /, "", name); home[name] = room
            }
            count = split(line, words, /[^A-Za-z0-9_]+/)
            for (i = 1; i <= count; i++) if (words[i] ~ /^[A-Z]/) uses[room, words[i]] = file
        }
        END {
            for (key in uses) {
                split(key, part, SUBSEP); from = part[1]; to = home[part[2]]
                if (to != "" && to != from) { edge[from, to] = part[2] " in " uses[key]; reach[from, to] = 1; rooms[from]; rooms[to] }
            }
            for (k in rooms) for (i in rooms) if ((i, k) in reach) for (j in rooms) if ((k, j) in reach) reach[i, j] = 1
            for (key in edge) { split(key, part, SUBSEP); if ((part[2], part[1]) in reach) print part[1] " -> " part[2] " (" edge[key] ")" }
        }' | sort
}

check_circles() {
    local target
    for target in DurableIO Diagnosis CaptureRun Background BackgroundFoundation Reports ReportsCLI; do
        circles "$target" | complain "the rooms of Sources/$target use each other in a circle"
    done
}

# Each step of a report's way is one function, which bears the step's name; overloads stand in the same file. Public
# functions may bear it, too, and every transport sends.
check_steps() {
    local step files
    for step in take collect publish enrol claim send settle release; do
        files=$(grep -rlE --include='*.swift' "^ *((package|internal|private|fileprivate|static|mutating|consuming|borrowing|nonisolated|final) )*func $step[(<]" Sources)
        [[ $step == send ]] && files=$(grep -LE ': (any )?Transport \{|protocol Transport' $files || true)
        [[ $(grep -c . <<<"$files") -le 1 ]] || complain "more than one function is called $step" <<<"$files"
    done
}

# On a case-insensitive file system the tool `reports` and the module `Reports` are one name. A file named like its
# module would hide what it is about.
check_names() {
    local files
    files=$(find Sources Tests Examples -type f | sort)
    find Sources Tests Examples -iname 'reports' ! -path Sources/Reports | complain "only the module may be named Reports"
    grep -iE '/reports\.swift$' <<<"$files" | complain "no source file is named like the module" || true
    sort -f <<<"$files" | uniq -Di | complain "differs from another path by case only"
}

# Not in subshells: the count must reach us.
shopt -s lastpipe
check_imports
check_circles
check_steps
check_names
if ((offenders > 0)); then
    echo "check-layers: $offenders offenders"
    exit 1
fi
echo "check-layers: clean"
