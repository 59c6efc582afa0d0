#!/usr/bin/env bash
# Counts the lines of the source files that a reader of docs/follow-one-order.md opens: those of the path, and the others.
#
#   eng/reading.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../docs"
count() {
  echo "$1"
  grep -o '](\.\./[^)]*\.cs)' | sed 's/^](//; s/)$//' | sort -u | xargs wc -l
}
sed '/^## Beside the path/,$d' follow-one-order.md | count "The path:"
sed -n '/^## Beside the path/,$p' follow-one-order.md | count "Beside the path:"
