#!/usr/bin/env bash
# Memory of a running system, as Markdown: every process that the AppHost and its orchestrator have started, with a separate sum of our services.
#
#   bench/memory.sh <process id of the AppHost>
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/driver.sh"
[ $# = 1 ] || { sed -n '2,4p' "${BASH_SOURCE[0]}" >&2; exit 2; }
exec "$load" --memory --apphost-pid "$1"
