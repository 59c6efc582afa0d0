#!/usr/bin/env bash
# Measures the built system and prints a summary in Markdown: time to healthy, memory and processor time of the idle system, PostgreSQL's
# own limit, throughput and latency in a closed and in an open loop, and the first seconds after a start. It takes about 20 minutes; nothing
# else should run on the machine meanwhile.
#
#   dotnet build -c Release
#   KAFKA_HOME=… bench/measure.sh [--clients 8,32,1] [--runs 3] [--seconds 20] [--heat 120] [--limit-seconds 10] [--idle-seconds 60] [--out summary.md]
#
# --heat is the load of 8 clients before anything is measured. KAFKA_HOME names a real Apache Kafka; without it the mock broker is measured.
# GATEWAY_PORT is 18080 by default. One trace in a hundred is recorded, as in production (OTEL_TRACES_SAMPLER_ARG); the dashboard is off. The
# other settings of the AppHost can be given by environment too (docs/operations.md).
set -euo pipefail

clients=8,32,1 runs=3 seconds=20 heat=120 limit_seconds=10 idle_seconds=60 out=
while [ $# -gt 0 ]; do
    case $1 in
        --clients) clients=$2; shift 2 ;;
        --runs) runs=$2; shift 2 ;;
        --seconds) seconds=$2; shift 2 ;;
        --heat) heat=$2; shift 2 ;;
        --limit-seconds) limit_seconds=$2; shift 2 ;;
        --idle-seconds) idle_seconds=$2; shift 2 ;;
        --out) out=$2; shift 2 ;;
        *) sed -n '2,11p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
    esac
done
source "$(dirname "${BASH_SOURCE[0]}")/driver.sh"
source "$bench/system.sh"

machine >"$work/machine.md"
say "Starting the system on new data."
start
first_start=$healthy
say "Healthy after $first_start s. Ten seconds of rest, then memory, and processor time for $idle_seconds s."
sleep 10
bash "$bench/memory.sh" "$pid" >"$work/idle-memory.md"
bash "$bench/idle.sh" "$pid" "$idle_seconds" >"$work/idle.md"
track_commits
stop

say "Starting again. PostgreSQL alone: clients $clients, $limit_seconds s each."
start
bash "$bench/limit.sh" --data "$work/data" --endpoints "$endpoints" --clients "$clients" --seconds "$limit_seconds" >"$work/limit.md"

say "Warm-up: 8 clients, $heat s."
drive --clients 8 --seconds "$heat" --warm-up 0 --wait 600
say "The system: clients $clients, $runs runs of $seconds s each."
drive --clients "$clients" --runs "$runs" --seconds "$seconds" --settle-mails 5 --markdown "$work/load.md"

# A value by the row and the column title of a table, without the range of several runs in brackets.
column() { # table, row, title of the column
    awk -F'|' -v row="$2" -v title="$3" '
        function trim(text) { gsub(/^ +| +$/, "", text); return text }
        NR == 1 { for (i = 3; i < NF; i++) if (trim($i) == title) at = i }
        trim($2) == row { text = $at; sub(/\(.*/, "", text); gsub(/[ ,]/, "", text); print text; exit }' "$1"
}
title() { [ "$1" = 1 ] && echo "1 client" || echo "$1 clients"; }
most=$(tr ',' '\n' <<<"$clients" | sort -n | tail -1)
sustainable=$(column "$work/load.md" "end-to-end orders/s" "$(title "$most")")
rates=$(awk "BEGIN { s = $sustainable; printf \"%d,%d,%d\", s / 4 + 1, s / 2 + 1, s * 3 / 4 + 1 }")
say "Open loop: a quarter, a half and three quarters of $sustainable orders/s."
drive --rates "$rates" --runs "$runs" --seconds "$seconds" --settle-mails 5 --markdown "$work/open.md"
bash "$bench/memory.sh" "$pid" >"$work/loaded-memory.md"
stop

say "Starting again on the same data, for the first 15 seconds."
start
second_start=$healthy
drive --clients 8 --first-seconds 15 --markdown "$work/first.md"
stop

{
    echo "### Machine"; echo; cat "$work/machine.md"; echo
    echo "### Start"; echo
    echo "| | seconds to healthy |"
    echo "|---|---:|"
    echo "| on new data | $first_start |"
    echo "| on the data of the run | $second_start |"
    echo
    echo "### PostgreSQL alone, one order at a time"; echo; cat "$work/limit.md"; echo
    echo "### Closed loop"; echo; cat "$work/load.md"; echo
    echo "### End-to-end orders/s divided by pgbench"; echo
    echo "| clients | by v1 | by the current schema |"
    echo "|---:|---:|---:|"
    for count in ${clients//,/ }; do
        ours=$(column "$work/load.md" "end-to-end orders/s" "$(title "$count")")
        v1=$(column "$work/limit.md" "pgbench v1, orders/s" "$(title "$count")")
        current=$(column "$work/limit.md" "pgbench current, orders/s" "$(title "$count")")
        awk "BEGIN { printf \"| $count | %.2f | %.2f |\n\", $ours / $v1, $ours / $current }"
    done
    echo
    echo "### Open loop: a quarter, a half, three quarters of $sustainable orders/s"; echo; cat "$work/open.md"; echo
    echo "### The first 15 seconds after a start, 8 clients"; echo; cat "$work/first.md"; echo
    echo "### Idle: processor time"; echo; cat "$work/idle.md"; echo
    echo "### Idle: memory"; echo; cat "$work/idle-memory.md"; echo
    echo "### Memory, after the load"; echo; cat "$work/loaded-memory.md"
} >"$work/summary.md"
[ -z "$out" ] || cp "$work/summary.md" "$out"
cat "$work/summary.md"
exit $failed
