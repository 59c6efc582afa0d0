#!/usr/bin/env bash
# Lints docs/asyncapi.yaml and docs/openapi with Spectral (from npm, by exact version); fails at the first error.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
version=6.16.3
tool=$root/artifacts/spectral-$version
command -v npm >/dev/null || { echo "npm is missing: install Node.js (Debian: apt-get install npm)." >&2; exit 1; }
[ -x "$tool/node_modules/.bin/spectral" ] || npm install --prefix "$tool" --no-audit --no-fund --silent --no-save "@stoplight/spectral-cli@$version"
exec "$tool/node_modules/.bin/spectral" lint --quiet --fail-severity error --display-only-failures \
  --ruleset "$root/eng/spectral.yaml" "$root/docs/asyncapi.yaml" "$root"/docs/openapi/*.json
