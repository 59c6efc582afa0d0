# Sourced by measure.sh, growth.sh and console.sh after driver.sh: starts and stops the built system for a measurement, with its own data.

apphost=$root/OrderInventory.AppHost/bin/Release/net10.0/OrderInventory.AppHost
[ -x "$apphost" ] || { echo "$apphost is not built: dotnet build -c Release" >&2; exit 2; }
# Precompiled, as in ./run.sh.
( source "$root/eng/prepare.sh"; source "$root/eng/ready-to-run.sh"; ready_to_run ) >&2

export GATEWAY_PORT=${GATEWAY_PORT:-18080} ASPIRE_ALLOW_UNSECURED_TRANSPORT=true
export OTEL_TRACES_SAMPLER=${OTEL_TRACES_SAMPLER:-parentbased_traceidratio} OTEL_TRACES_SAMPLER_ARG=${OTEL_TRACES_SAMPLER_ARG:-0.01}
work=$(mktemp -d "${TMPDIR:-/tmp}/order-inventory-bench.XXXXXX")
chmod 755 "$work" # PostgreSQL runs as another user when this script runs as root, and must be able to enter.
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

start() { # Sets pid, and sets healthy to the number of seconds until the system was healthy.
    local begin end
    begin=$(date +%s.%N)
    "$apphost" --Dashboard=false --RunDirectory="$work/run" --Infrastructure:DataPath="$work/data" --Authentication:DevelopmentIssuer=true >"$work/apphost.log" 2>&1 &
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

# Executes a statement as the administrator of the system's PostgreSQL.
administer() {
    local connection bin
    connection=$(sed -n 's/.*"orders": *"\(Host=[^"]*\)".*/\1/p' "$endpoints" | head -1)
    part() { tr ';' '\n' <<<"$connection" | sed -n "s/^$1=//p"; }
    bin=$(dirname "$(command -v psql || ls -d /usr/lib/postgresql/*/bin/psql 2>/dev/null | sort -V | tail -1 || true)")
    PGPASSWORD=$(<"$work/data/postgres.password") "$bin/psql" --no-psqlrc -q -h "$(part Host)" -p "$(part Port)" -U postgres -d postgres -c "$1"
}

# From the next start on PostgreSQL keeps the times of commits, so that 'to confirmed' can be measured to the commit.
track_commits() {
    administer 'ALTER SYSTEM SET track_commit_timestamp = on' || say "PostgreSQL's track_commit_timestamp cannot be switched on; updated_at is used instead of the times of commits."
}

drive() { # Runs the driver. Failures such as lost orders are part of the summary and make the script's exit code 1.
    local code=0
    "$load" --endpoints "$endpoints" --apphost-pid "$pid" "$@" >"$work/load.log" 2>&1 || code=$?
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
