#!/usr/bin/env bash
# What a reader of docs/follow-one-order.md opens: the source files that it links to, with their lines.
#
#   eng/reading.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../docs"
grep -o '](\.\./[^)]*\.cs)' follow-one-order.md | sed 's/^](//; s/)$//' | sort -u | xargs wc -l
