#!/usr/bin/env bash
# A campaign: runs the whole system under load and faults, and then checks whether it kept its promises. bench/campaign.sh --help lists the options.
# It needs PostgreSQL, Java, KAFKA_HOME and built projects (dotnet build -c Release). With the faults 'disk' and 'kafka-disk', the data of PostgreSQL
# and of a broker are on a small tmpfs, which needs root.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
campaign=$root/bench/OrderInventory.Campaign/bin/Release/net10.0/OrderInventory.Campaign
apphost=$root/OrderInventory.AppHost/bin/Release/net10.0/OrderInventory.AppHost.dll
for file in "$campaign" "$apphost"; do
    [ -e "$file" ] || { echo "$file is not built: dotnet build -c Release" >&2; exit 2; }
done
if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then exec "$campaign" --help; fi

work=$(mktemp -d "${TMPDIR:-/tmp}/order-inventory-campaign.XXXXXX")
export ORDER_INVENTORY_CAMPAIGN_WORK=$work # Identifies every process of the campaign.
chmod 755 "$work" # PostgreSQL runs as another user when this script runs as root, and must be able to enter.
mounted=()
pid=
finish() {
    [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null || true
    [ -z "$pid" ] || wait "$pid" 2>/dev/null || true
    # Kills processes that the campaign itself could not end, by the ids that it has recorded.
    for file in "$work"/*.pid; do
        [ -e "$file" ] && grep -qs "$work" "/proc/$(cat "$file")/environ" && kill -KILL "$(cat "$file")" 2>/dev/null || true
    done
    for folder in "${mounted[@]}"; do umount "$folder" || true; done
    [ -n "${KEEP_WORK:-}" ] && echo "Kept: $work" >&2 || rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

case " $* " in
    *" --faults all "* | *disk*)
        for folder in "$work/postgres" "$work/kafka-1"; do
            mkdir "$folder"
            if mount -t tmpfs -o size=3900m,mode=755 tmpfs "$folder" 2>/dev/null; then mounted+=("$folder"); else echo "No tmpfs can be mounted: no disk is filled." >&2; fi
        done
        ;;
esac
[ -d "${NUGET_PACKAGES:-$HOME/.nuget/packages}/garnet-server" ] || (cd "$root" && dotnet tool restore >/dev/null)
# Precompiled, so that services do not spend their first seconds in the JIT compiler.
( source "$root/eng/prepare.sh"; source "$root/eng/ready-to-run.sh"; ready_to_run ) >&2
"$campaign" --apphost "$apphost" --work "$work" "$@" &
pid=$!
status=0
wait "$pid" || status=$?
pid=
exit "$status"
