#!/usr/bin/env bash
# Measures the built system and prints one summary in Markdown: time to healthy, memory, PostgreSQL's own limit, throughput and latency,
# and the first seconds after a start. About four minutes; nothing else should run on the machine meanwhile.
#
#   dotnet build -c Release
#   KAFKA_HOME=… bench/measure.sh [--clients 1,8,32] [--seconds 20] [--warm-up 5] [--limit-seconds 10] [--out summary.md]
#
# KAFKA_HOME names a real Apache Kafka; without it the mock broker is measured. GATEWAY_PORT is 18080 unless given.
# One trace in a hundred is recorded, as in production; the dashboard is off. Both can be set: OTEL_TRACES_SAMPLER_ARG, and the rest of the
# AppHost's settings by environment (docs/operations.md).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
clients=1,8,32 seconds=20 warm_up=5 limit_seconds=10 out=
while [ $# -gt 0 ]; do
    case $1 in
        --clients) clients=$2; shift 2 ;;
        --seconds) seconds=$2; shift 2 ;;
        --warm-up) warm_up=$2; shift 2 ;;
        --limit-seconds) limit_seconds=$2; shift 2 ;;
        --out) out=$2; shift 2 ;;
        *) sed -n '2,10p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
    esac
done

apphost=$root/OrderInventory.AppHost/bin/Release/net10.0/OrderInventory.AppHost
load=$root/bench/OrderInventory.Load/bin/Release/net10.0/OrderInventory.Load
for program in "$apphost" "$load"; do
    [ -x "$program" ] || { echo "$program is not built: dotnet build -c Release" >&2; exit 2; }
done
# As ./run.sh starts it.
( source "$root/eng/prepare.sh"; source "$root/eng/ready-to-run.sh"; ready_to_run )

export GATEWAY_PORT=${GATEWAY_PORT:-18080} ASPIRE_ALLOW_UNSECURED_TRANSPORT=true
export OTEL_TRACES_SAMPLER=${OTEL_TRACES_SAMPLER:-parentbased_traceidratio} OTEL_TRACES_SAMPLER_ARG=${OTEL_TRACES_SAMPLER_ARG:-0.01}
work=$(mktemp -d "${TMPDIR:-/tmp}/order-inventory-bench.XXXXXX")
chmod 755 "$work" # PostgreSQL runs as another user when this is root, and must get in.
endpoints=$work/run/endpoints.json
pid=
failed=0

say() { echo "[$(date +%T)] $*" >&2; }

stop() {
    [ -n "$pid" ] || return 0
    kill -TERM "$pid" 2>/dev/null || true
    for _ in $(seq 400); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    if kill -0 "$pid" 2>/dev/null; then
        say "The system did not stop within 40 s of SIGTERM; it is killed."
        kill -KILL "$pid" 2>/dev/null || true
        failed=1
    fi
    wait "$pid" 2>/dev/null || true
    pid=
}

trap 'stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

start() { # Sets pid, and healthy to the seconds that it took.
    local begin end
    begin=$(date +%s.%N)
    "$apphost" --Dashboard=false --RunDirectory="$work/run" --Infrastructure:DataPath="$work/data" >"$work/apphost.log" 2>&1 &
    pid=$!
    for _ in $(seq 1800); do
        [ -e "$endpoints" ] && break
        kill -0 "$pid" 2>/dev/null || { tail -20 "$work/apphost.log" >&2; echo "The system did not start." >&2; exit 1; }
        sleep 0.1
    done
    [ -e "$endpoints" ] || { tail -20 "$work/apphost.log" >&2; echo "The system was not healthy after 180 s." >&2; exit 1; }
    end=$(date +%s.%N)
    healthy=$(awk "BEGIN { printf \"%.1f\", $end - $begin }")
}

place() { # Runs the driver. Orders that were lost and the like are part of the summary, and of this script's exit code.
    local code=0
    timeout 1200 "$load" --endpoints "$endpoints" --apphost-pid "$pid" "$@" >"$work/load.log" 2>&1 || code=$?
    if [ $code -ne 0 ]; then
        tail -20 "$work/load.log" >&2
        failed=1
        [ $code -eq 1 ] || exit 1
    fi
}

machine() {
    local postgres
    postgres=$("$(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null | sort -V | tail -1 || true)" --version 2>/dev/null || postgres --version 2>/dev/null || echo "PostgreSQL of unknown version")
    echo "| | |"
    echo "|---|---|"
    echo "| when | $(date -u +'%F %H:%M') UTC, commit $(git -C "$root" describe --always --dirty 2>/dev/null || echo unknown) |"
    echo "| processor | $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1) |"
    echo "| memory | $(awk '/^MemTotal/ { printf "%.1f GB", $2 / 1048576 }' /proc/meminfo) |"
    echo "| system | Linux $(uname -r), $(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release) |"
    echo "| load before | $(cut -d' ' -f1-3 /proc/loadavg) (1, 5, 15 minutes) |"
    echo "| .NET | $(dotnet --list-runtimes 2>/dev/null | sed -n 's/^Microsoft.AspNetCore.App \([^ ]*\).*/\1/p' | tail -1) |"
    echo "| PostgreSQL | $postgres |"
    echo "| Kafka | $([ -n "${KAFKA_HOME:-}" ] && ls "$KAFKA_HOME"/libs 2>/dev/null | sed -n 's/^kafka_\(.*\)\.jar$/Apache Kafka \1/p' | head -1 || echo "librdkafka's mock broker") |"
    echo "| traces | $OTEL_TRACES_SAMPLER $OTEL_TRACES_SAMPLER_ARG, not exported (no dashboard) |"
}

machine >"$work/machine.md"
say "Starting the system on new data."
start
first_start=$healthy
say "Healthy after $first_start s. Ten seconds of rest, then memory."
sleep 10
bash "$root/bench/memory.sh" "$pid" >"$work/idle.md"

say "PostgreSQL alone: clients $clients, $limit_seconds s each."
bash "$root/bench/limit.sh" --endpoints "$endpoints" --clients "$clients" --seconds "$limit_seconds" >"$work/limit.md"

say "The system: clients $clients, $warm_up s warm-up and $seconds s each."
place --clients "$clients" --seconds "$seconds" --warm-up "$warm_up" --markdown "$work/load.md"
bash "$root/bench/memory.sh" "$pid" >"$work/loaded.md"
stop

say "Starting again on the same data, for the first 15 seconds."
start
second_start=$healthy
place --clients 8 --first-seconds 15 --markdown "$work/first.md"
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
    echo "### The system"; echo; cat "$work/load.md"; echo
    # The columns of both tables are the same clients.
    awk -F'|' '
        FNR == NR { if (/pgbench, orders/) for (i = 3; i < NF; i++) limit[i] = $i + 0; next }
        /^\| end-to-end orders/ {
            printf "End-to-end orders/s divided by pgbench, in the order of the columns:"
            for (i = 3; i < NF; i++) { gsub(/[ ,]/, "", $i); printf(" %s", (limit[i] > 0) ? sprintf("%.2f", $i / limit[i]) : "unknown") }
            print "."
        }' "$work/limit.md" "$work/load.md"
    echo
    echo "### The first 15 seconds after a start, 8 clients"; echo; cat "$work/first.md"; echo
    echo "### Memory, idle"; echo; cat "$work/idle.md"; echo
    echo "### Memory, after the load"; echo; cat "$work/loaded.md"
} >"$work/summary.md"
[ -z "$out" ] || cp "$work/summary.md" "$out"
cat "$work/summary.md"
exit $failed
