#!/usr/bin/env bash
# What a reader of docs/follow-one-order.md opens: the source files of the path, and those beside it, with their lines.
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
