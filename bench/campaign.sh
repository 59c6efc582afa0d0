#!/usr/bin/env bash
# A campaign: the whole system under load and faults, and then the question whether it kept its promises. bench/campaign.sh --help lists what can be set.
# It needs PostgreSQL, Java, KAFKA_HOME and built projects (dotnet build -c Release). With the faults 'disk' and 'kafka-disk' PostgreSQL's and a broker's data lie on a small tmpfs, for which it must be root.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
campaign=$root/bench/OrderInventory.Campaign/bin/Release/net10.0/OrderInventory.Campaign
apphost=$root/OrderInventory.AppHost/bin/Release/net10.0/OrderInventory.AppHost.dll
for file in "$campaign" "$apphost"; do
    [ -e "$file" ] || { echo "$file is not built: dotnet build -c Release" >&2; exit 2; }
done
if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then exec "$campaign" --help; fi

work=$(mktemp -d "${TMPDIR:-/tmp}/order-inventory-campaign.XXXXXX")
export ORDER_INVENTORY_CAMPAIGN_WORK=$work # Every process of the campaign is known by it.
chmod 755 "$work" # PostgreSQL runs as another user when this is root, and must get in.
mounted=()
pid=
finish() {
    [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null || true
    [ -z "$pid" ] || wait "$pid" 2>/dev/null || true
    # What the campaign itself could not end any more, by the ids that it has written down.
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
# So that a service's first seconds are not the compiler's.
( source "$root/eng/prepare.sh"; source "$root/eng/ready-to-run.sh"; ready_to_run ) >&2
"$campaign" --apphost "$apphost" --work "$work" "$@" &
pid=$!
status=0
wait "$pid" || status=$?
pid=
exit "$status"
