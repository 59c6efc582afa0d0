#!/usr/bin/env bash
# What the product is made of: a bill of materials (CycloneDX) in artifacts/bom.json, the licences of all of it against eng/licences.txt, and
# the faults that package sources know of. Needs restored projects. Without a source that knows of faults it says so and goes on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source eng/prepare.sh
command -v jq >/dev/null || apt_install "the bill of materials" jq || die "jq is missing: install it (Debian: apt-get install jq)."

mkdir -p artifacts
dotnet tool restore --verbosity quiet >/dev/null
dotnet tool run dotnet-CycloneDX -- OrderInventory.sln --exclude-test-projects --disable-package-restore --no-serial-number \
  --output-format Json --output artifacts --filename bom.json >artifacts/bom.log 2>&1 || { cat artifacts/bom.log >&2; exit 1; }
say "$(jq '.components | length' artifacts/bom.json) packages are listed in artifacts/bom.json."

# A package without a known licence stands in eng/licences.txt itself, with the one that its file of licence is.
jq -r '.components[] | .name + "\t" + ((.licenses // []) | map(.license.id // .expression // "unknown")  | join(" AND ") | if . == "" then "unknown" else . end)' artifacts/bom.json |
  sort -u >artifacts/licences.tsv
refused=$(awk -F '\t' '
  NR == FNR { sub(/ *#.*/, ""); if ($1 != "") allowed[$1]; next }
  !($1 in allowed) { n = split($2, parts, " AND "); for (i = 1; i <= n; i++) if (!(parts[i] in allowed)) { print "  " $1 ": " $2; break } }
' eng/licences.txt artifacts/licences.tsv)
[ -z "$refused" ] || die "These licences are not in eng/licences.txt:
$refused"
say "Every licence is one that eng/licences.txt allows."

# Restored packages only: nothing is asked but what is known of them.
if dotnet list OrderInventory.sln package --vulnerable --include-transitive --no-restore --format json >artifacts/vulnerable.json 2>artifacts/vulnerable.log; then
  if jq -e '[.problems[]? | select(.level == "error" or (.text | test("NU1900|NU1905|vulnerab")))] | length > 0' artifacts/vulnerable.json >/dev/null || grep -q 'NU190[05]' artifacts/vulnerable.log; then
    say "No package source here knows of faults; nothing was checked."
    exit 0
  fi
  found=$(jq -r '[.projects[].frameworks[]? | (.topLevelPackages + .transitivePackages)[]? | select(.vulnerabilities) | "  \(.id) \(.resolvedVersion): \(.vulnerabilities | map(.severity + " " + .advisoryurl) | join(", "))"] | unique | .[]' artifacts/vulnerable.json)
  [ -z "$found" ] || die "These packages have known faults:
$found"
  say "The package sources know of no fault in any package (a source without such data says the same)."
else
  say "The package sources could not be asked for known faults: $(tail -n 1 artifacts/vulnerable.log)"
fi
