#!/usr/bin/env bash
# Measures how many orders a second PostgreSQL alone can write, on the server of the running system: pgbench with the statements of one order,
# one order at a time, without the services. It does so twice, each time in a database that it creates and drops:
#   v1       bench/limit/v1: statements and tables of November 2026. Frozen, so that its figures can be compared for years.
#   current  bench/limit/order.sql on the tables of the running services.
#
#   bench/limit.sh --data <Infrastructure:DataPath> [--endpoints .run/endpoints.json] [--clients 1,8,32] [--seconds 10]
#
# Only the administrator may create a database: their password is in the folder in which the system keeps its data.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
endpoints=$here/../.run/endpoints.json
clients=1,8,32
seconds=10
data=
while [ $# -gt 0 ]; do
    case $1 in
        --data) data=$2; shift 2 ;;
        --endpoints) endpoints=$2; shift 2 ;;
        --clients) clients=$2; shift 2 ;;
        --seconds) seconds=$2; shift 2 ;;
        *) sed -n '2,9p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
    esac
done

# The programs in PATH, or the newest of the versions that Debian has installed.
bin=$(dirname "$(command -v pgbench || ls -d /usr/lib/postgresql/*/bin/pgbench 2>/dev/null | sort -V | tail -1 || true)")
[ -x "$bin/pgbench" ] || { echo "pgbench is missing: install it (Debian: apt-get install postgresql)." >&2; exit 2; }
[ -r "$data/postgres.password" ] || { echo "There is no postgres.password in '$data': --data must be the Infrastructure:DataPath that the system was started with." >&2; exit 2; }
[ -r "$endpoints" ] || { echo "$endpoints does not exist: is the system running? --endpoints sets the file." >&2; exit 2; }

connection=$(sed -n 's/.*"orders": *"\(Host=[^"]*\)".*/\1/p' "$endpoints" | head -1)
part() { tr ';' '\n' <<<"$connection" | sed -n "s/^$1=//p"; }
export PGHOST PGPORT PGUSER PGPASSWORD PGCONNECT_TIMEOUT=10 PGOPTIONS='-c client_min_messages=warning'
PGHOST=$(part Host) PGPORT=$(part Port) PGUSER=postgres PGPASSWORD=$(<"$data/postgres.password")
[ -n "$PGHOST" ] || { echo "$endpoints has no PostgreSQL connection of the Orders service." >&2; exit 2; }

sql() { timeout 60 "$bin/psql" --no-psqlrc -qAt -v ON_ERROR_STOP=1 "$@"; }
drop() { sql -d postgres -c 'DROP DATABASE IF EXISTS limit_v1 WITH (FORCE)' -c 'DROP DATABASE IF EXISTS limit_current WITH (FORCE)'; }
log=$(mktemp)
trap 'drop || true; rm -f "$log"' EXIT

drop
sql -d postgres -c 'CREATE DATABASE limit_v1' -c 'CREATE DATABASE limit_current'
sql -d limit_v1 -o /dev/null -f "$here/limit/v1/schema.sql" -f "$here/limit/v1/fill.sql"
# Copies the tables and indexes of the running services, so that they cannot diverge: each database becomes a schema.
for service in orders inventory notifications; do
    sql -d limit_current -c "CREATE SCHEMA $service"
    timeout 60 "$bin/pg_dump" --schema-only --no-owner --no-privileges -d "$service" | sed "s/public\./$service./g" | sql -d limit_current -o /dev/null
done
sql -d limit_current -o /dev/null -f "$here/limit/fill.sql"

cores=$(nproc)
folder() { [ "$1" = v1 ] && echo "$here/limit/v1" || echo "$here/limit"; }
run() { # v1 or current, clients, seconds, first n
    timeout $(($3 + 60)) "$bin/pgbench" -n -M prepared -c "$2" -j "$(($2 < cores ? $2 : cores))" -T "$3" -D "n=$4" -f "$(folder "$1")/order.sql" "limit_$1" >"$log" 2>&1 \
        || { cat "$log" >&2; exit 1; }
}

head="|" rule="|---|" number=0
declare -A rates times
for count in ${clients//,/ }; do
    head+=" | $count client$([ "$count" = 1 ] || echo s)"
    rule+="---:|"
    for script in v1 current; do
        number=$((number + 1))
        # Warm-up, not counted.
        [ $number -gt 2 ] || run $script 4 2 0
        sql -d "limit_$script" -c CHECKPOINT
        run $script "$count" "$seconds" $((number * 100000000))
        grep -q 'failed transactions: 0 ' "$log" || ! grep -q 'failed transactions' "$log" || { cat "$log" >&2; exit 1; }
        rates[$script]+=" $(sed -n 's/^tps = \([0-9]*\).*/\1/p' "$log") |"
        times[$script]+=" $(sed -n 's/^latency average = \([0-9.]*\) ms.*/\1/p' "$log") |"
    done
done

for script in v1 current; do
    wrong=$(sql -d "limit_$script" -f "$(folder $script)/check.sql")
    [ -z "$wrong" ] || { echo "pgbench ($script) did not write the rows of an order: $wrong" >&2; exit 1; }
done

printf '%s |\n%s\n' "$head" "$rule"
for script in v1 current; do
    printf '| pgbench %s, orders/s |%s\n| pgbench %s, ms an order |%s\n' $script "${rates[$script]}" $script "${times[$script]}"
done
