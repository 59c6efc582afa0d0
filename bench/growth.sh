#!/usr/bin/env bash
# Measures the cost of many orders: for each size it creates the orders by SQL (bench/growth/: orders, lines, history, keys, reservations,
# ledger and its closing balances, levels, notifications), runs the reconciliation, and measures reads and then a load of 8 clients. Prints a
# table in Markdown. Uses a separate system with its own data; nothing else should run meanwhile. A million orders need about 12 GB.
#
#   dotnet build -c Release
#   KAFKA_HOME=… bench/growth.sh [--sizes 1000,10000,100000,1000000] [--reads 50] [--seconds 20] [--heat 120] [--out growth.md] [--svg growth.svg]
#
# --heat is the load before anything is measured; its orders are deleted when the first size is created. Settings by environment as in measure.sh.
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
# Allows a checkpoint after the filling, so that none runs during a measurement; before PostgreSQL 15, only superusers may request one.
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
