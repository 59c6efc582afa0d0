#!/usr/bin/env bash
# Checks the product's packages: writes a bill of materials (CycloneDX) to artifacts/bom.json, checks all licences against eng/licences.txt, and
# checks for vulnerabilities that the package sources know. Needs restored projects. Without a source with such data it says so and continues.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source eng/prepare.sh
command -v jq >/dev/null || apt_install "the bill of materials" jq || die "jq is missing: install it (Debian: apt-get install jq)."

mkdir -p artifacts
dotnet tool restore --verbosity quiet >/dev/null
dotnet tool run dotnet-CycloneDX -- OrderInventory.sln --exclude-test-projects --disable-package-restore --no-serial-number \
  --output-format Json --output artifacts --filename bom.json >artifacts/bom.log 2>&1 || { cat artifacts/bom.log >&2; exit 1; }
say "$(jq '.components | length' artifacts/bom.json) packages are listed in artifacts/bom.json."

# A package without a known licence is listed in eng/licences.txt by its id, with the licence from its licence file.
jq -r '.components[] | .name + "\t" + ((.licenses // []) | map(.license.id // .expression // "unknown")  | join(" AND ") | if . == "" then "unknown" else . end)' artifacts/bom.json |
  sort -u >artifacts/licences.tsv
refused=$(awk -F '\t' '
  NR == FNR { sub(/ *#.*/, ""); if ($1 != "") allowed[$1]; next }
  !($1 in allowed) { n = split($2, parts, " AND "); for (i = 1; i <= n; i++) if (!(parts[i] in allowed)) { print "  " $1 ": " $2; break } }
' eng/licences.txt artifacts/licences.tsv)
[ -z "$refused" ] || die "These licences are not in eng/licences.txt:
$refused"
say "Every licence is in eng/licences.txt."

# Only for restored packages: the sources are queried only for their vulnerabilities.
if dotnet list OrderInventory.sln package --vulnerable --include-transitive --no-restore --format json >artifacts/vulnerable.json 2>artifacts/vulnerable.log; then
  if jq -e '[.problems[]? | select(.level == "error" or (.text | test("NU1900|NU1905|vulnerab")))] | length > 0' artifacts/vulnerable.json >/dev/null || grep -q 'NU190[05]' artifacts/vulnerable.log; then
    say "No package source here has data about vulnerabilities; nothing was checked."
    exit 0
  fi
  found=$(jq -r '[.projects[].frameworks[]? | (.topLevelPackages + .transitivePackages)[]? | select(.vulnerabilities) | "  \(.id) \(.resolvedVersion): \(.vulnerabilities | map(.severity + " " + .advisoryurl) | join(", "))"] | unique | .[]' artifacts/vulnerable.json)
  [ -z "$found" ] || die "These packages have known vulnerabilities:
$found"
  say "The package sources know of no vulnerability in any package (a source without such data gives the same answer)."
else
  say "The package sources could not be queried for known vulnerabilities: $(tail -n 1 artifacts/vulnerable.log)"
fi
