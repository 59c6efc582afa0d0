#!/usr/bin/env bash
# What a system with many orders costs: for each size it makes the orders by SQL (bench/growth/: orders, lines, history, keys, reservations,
# ledger and its closing balances, levels, notifications), lets the reconciliation check the books, and measures reads and then a load of 8
# clients. Prints a table in Markdown. Its own system on data of its own; nothing else should run meanwhile. A million orders need about 12 GB.
#
#   dotnet build -c Release
#   KAFKA_HOME=… bench/growth.sh [--sizes 1000,10000,100000,1000000] [--reads 50] [--seconds 20] [--heat 120] [--out growth.md] [--svg growth.svg]
#
# --heat is the load before anything is measured; its orders go when the first size is made. Settings by environment as with measure.sh.
set -euo pipefail

sizes=1000,10000,100000,1000000 reads=50 seconds=20 heat=120 out= svg=
while [ $# -gt 0 ]; do
    case $1 in
        --sizes) sizes=$2; shift 2 ;;
        --reads) reads=$2; shift 2 ;;
        --seconds) seconds=$2; shift 2 ;;
        --heat) heat=$2; shift 2 ;;
        --out) out=$2; shift 2 ;;
        --svg) svg=$2; shift 2 ;;
        *) sed -n '2,9p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
    esac
done
source "$(dirname "${BASH_SOURCE[0]}")/driver.sh"
source "$bench/system.sh"

machine >"$work/machine.md"
say "Starting the system on new data. Warm-up: 8 clients, $heat s."
start
# So that no checkpoint of what was filled falls into what is measured; PostgreSQL before 15 leaves that to superusers.
administer 'GRANT pg_checkpoint TO orders, inventory, notifications' || say "No checkpoint will be made between filling and measuring."
drive --clients 8 --seconds "$heat" --warm-up 0 --wait 600
say "Sizes $sizes."
drive --growth "$sizes" --reads "$reads" --clients 8 --seconds "$seconds" --settle-mails 5 --markdown "$work/growth.md" --svg "$work/growth.svg"
stop

{ cat "$work/machine.md"; echo; cat "$work/growth.md"; } >"$work/summary.md"
[ -z "$out" ] || cp "$work/summary.md" "$out"
[ -z "$svg" ] || cp "$work/growth.svg" "$svg"
cat "$work/summary.md"
exit $failed
