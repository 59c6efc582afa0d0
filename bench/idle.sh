#!/usr/bin/env bash
# Prints how much processor time an idle system uses, as Markdown: for a minute, by program, in % of one core.
#
#   bench/idle.sh <process id of the AppHost> [seconds]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/driver.sh"
[ $# = 1 ] || [ $# = 2 ] || { sed -n '2,4p' "${BASH_SOURCE[0]}" >&2; exit 2; }
exec "$load" --idle "${2:-60}" --apphost-pid "$1"
