#!/usr/bin/env bash
# Removes one guard of the product at a time, in a copy of the tree, and expects a campaign to find a violation. Prints a table.
#
#   bench/mutants.sh [--seed N] [--out FILE] [number or name ...]      without names: all of bench/mutants/*.patch
#
# A patch begins with the guard's promise and the campaign that must find the mutant. Exit code: 0 all were found; 1 one was not; 2 not run.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
seed=1 out=
wanted=()
while [ $# -gt 0 ]; do
    case $1 in
        --seed) seed=$2; shift 2 ;;
        --out) out=$(realpath "$2"); shift 2 ;;
        --help | -h) sed -n '2,6p' "${BASH_SOURCE[0]}"; exit 0 ;;
        *) wanted+=("$1"); shift ;;
    esac
done
export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 READY_TO_RUN=false

# Build outputs contain their path. As root, the copy is mounted over the tree for this script only (a mount namespace), so that only the projects
# that a patch touches are rebuilt; otherwise everything is built once in the copy's own path.
copy=$(mktemp -d "${TMPDIR:-/tmp}/order-inventory-mutants.XXXXXX")
chmod 755 "$copy"
trap 'rm -rf "$copy"' EXIT
if [ "$(id -u)" = 0 ] && unshare --mount true 2>/dev/null; then
    (cd "$root" && tar -c --exclude=./.git --exclude=./tests .) | tar -x -C "$copy" || exit 2
    tree=$root
    inside() { unshare --mount --propagation private bash -c 'mount --bind "$0" "$1" && cd "$1" && shift && exec "$@"' "$copy" "$root" "$@"; }
else
    (cd "$root" && git archive HEAD) | tar -x -C "$copy" || exit 2
    tree=$copy
    inside() { (cd "$copy" && "$@"); }
fi
build() { inside dotnet build "$1" -c Release --nologo -v q -clp:NoSummary -p:TreatWarningsAsErrors=false >"$copy/build.log" 2>&1; }
# The services that a patch touches; shared projects are built with the AppHost.
projects() { if grep -q '^+++ b/OrderInventory' "$1"; then echo OrderInventory.AppHost; else sed -n 's|^+++ b/\(services/[A-Za-z]*\)/.*|\1|p' "$1" | sort -u; fi; }
build_all() { local project; for project in $(projects "$1"); do build "$project" || return 1; done; }
if [ "$tree" = "$copy" ]; then
    build OrderInventory.AppHost && build bench/OrderInventory.Campaign || { cat "$copy/build.log" >&2; exit 2; }
fi

table="| mutant | guard | what the checker said | orders |
|---|---|---|---:|"
status=0
for patch in "$root"/bench/mutants/*.patch; do
    name=$(basename "$patch" .patch)
    if [ ${#wanted[@]} -gt 0 ]; then
        chosen=
        for word in "${wanted[@]}"; do [[ $name == "$word"* || $name == *"$word" ]] && chosen=1; done
        [ -n "$chosen" ] || continue
    fi
    guard=$(sed -n 's/^Guard: //p' "$patch")
    read -ra campaign <<<"$(sed -n 's/^Campaign: //p' "$patch")"
    expected=$(sed -n 's/^Expected: //p' "$patch")
    orders= code=0
    fits=1
    if ! (cd "$copy" && git apply "$patch"); then
        result="the patch does not apply"; status=2 fits=
    elif ! build_all "$patch"; then
        result="the mutant does not build"; status=2; grep -m3 'error' "$copy/build.log" >&2
    else
        inside bench/campaign.sh --seed "$seed" --wait 60 "${campaign[@]}" >"$copy/campaign.log" 2>&1 || code=$?
        orders=$(sed -n 's/^| orders acknowledged | \([0-9]*\) |$/\1/p' "$copy/campaign.log")
        result=$(sed -n 's/^| violations | \(.*\) |$/\1/p' "$copy/campaign.log")
        [ $code = 2 ] && { result="the campaign did not run: $(tail -n 2 "$copy/campaign.log" | tr '\n' ' ')"; status=2; }
        if [ $code = 0 ]; then
            result="nothing${expected:+ ($expected)}"
            [ -n "$expected" ] || [ $status = 2 ] || status=1
        fi
    fi
    echo "$name: $result (${orders:-no} orders)" >&2
    table+="
| $name | $guard | $result | $orders |"
    [ -z "$fits" ] || { (cd "$copy" && git apply -R "$patch") && build_all "$patch"; } || exit 2
done
[ -z "$out" ] || echo "$table" >"$out"
echo "$table"
exit $status
