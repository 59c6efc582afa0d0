#!/usr/bin/env bash
# How many orders a second PostgreSQL alone could write, on the server of the running system: pgbench with the statements of one order
# (bench/limit/order.sql), one order at a time, no service in between. It makes the database "limit" and drops it at the end.
#
#   bench/limit.sh [--endpoints .run/endpoints.json] [--clients 1,8,32] [--seconds 10]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
endpoints=$here/../.run/endpoints.json
clients=1,8,32
seconds=10
while [ $# -gt 0 ]; do
    case $1 in
        --endpoints) endpoints=$2; shift 2 ;;
        --clients) clients=$2; shift 2 ;;
        --seconds) seconds=$2; shift 2 ;;
        *) sed -n '2,5p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
    esac
done

# The server's own programs, or the newest that Debian has installed beside each other.
bin=$(dirname "$(command -v pgbench || ls -d /usr/lib/postgresql/*/bin/pgbench 2>/dev/null | sort -V | tail -1 || true)")
[ -x "$bin/pgbench" ] || { echo "pgbench is missing: install it (Debian: apt-get install postgresql)." >&2; exit 2; }
[ -r "$endpoints" ] || { echo "$endpoints is not there: is the system up? --endpoints names the file." >&2; exit 2; }

connection=$(sed -n 's/.*"orders": *"\(Host=[^"]*\)".*/\1/p' "$endpoints" | head -1)
part() { tr ';' '\n' <<<"$connection" | sed -n "s/^$1=//p"; }
export PGHOST PGPORT PGUSER PGPASSWORD PGCONNECT_TIMEOUT=10 PGOPTIONS='-c client_min_messages=warning'
PGHOST=$(part Host) PGPORT=$(part Port) PGUSER=$(part Username) PGPASSWORD=$(part Password)
[ -n "$PGHOST" ] || { echo "$endpoints names no PostgreSQL of the Orders service." >&2; exit 2; }

sql() { timeout 60 "$bin/psql" --no-psqlrc -qAt -v ON_ERROR_STOP=1 "$@"; }
drop() { sql -d postgres -c 'DROP DATABASE IF EXISTS "limit" WITH (FORCE)'; }
log=$(mktemp)
trap 'drop || true; rm -f "$log"' EXIT

drop
sql -d postgres -c 'CREATE DATABASE "limit"'
# The tables and indexes of the running services, so that they cannot drift apart: one schema in place of one database.
for service in orders inventory notifications; do
    sql -d limit -c "CREATE SCHEMA $service"
    timeout 60 "$bin/pg_dump" --schema-only --no-owner --no-privileges -d "$service" | sed "s/public\./$service./g" | sql -d limit -o /dev/null
done
sql -d limit -o /dev/null -f "$here/limit/fill.sql"

cores=$(nproc)
run() { # clients, seconds, first n
    timeout $(($2 + 60)) "$bin/pgbench" -n -M prepared -c "$1" -j "$(($1 < cores ? $1 : cores))" -T "$2" -D "n=$3" -f "$here/limit/order.sql" limit >"$log" 2>&1 \
        || { cat "$log" >&2; exit 1; }
}

run 4 2 0 # Warm: not counted.
head="|" rule="|---|" rates="| pgbench, orders/s |" times="| pgbench, ms an order |" number=0
for count in ${clients//,/ }; do
    number=$((number + 1))
    sql -d limit -c CHECKPOINT
    run "$count" "$seconds" $((number * 100000000))
    grep -q 'failed transactions: 0 ' "$log" || ! grep -q 'failed transactions' "$log" || { cat "$log" >&2; exit 1; }
    head+=" | $count client$([ "$count" = 1 ] || echo s)"
    rule+="---:|"
    rates+=" $(sed -n 's/^tps = \([0-9]*\).*/\1/p' "$log") |"
    times+=" $(sed -n 's/^latency average = \([0-9.]*\) ms.*/\1/p' "$log") |"
done

wrong=$(sql -d limit -f "$here/limit/check.sql")
[ -z "$wrong" ] || { echo "pgbench did not write what an order writes: $wrong" >&2; exit 1; }

printf '%s |\n%s\n%s\n%s\n' "$head" "$rule" "$rates" "$times"
