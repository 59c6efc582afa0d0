#!/usr/bin/env bash
# Runs every test project, one after the other, and ends with one line: N passed, N failed.
# A real Kafka is used where KAFKA_HOME, or ../shared/kafka beside the repository, has one. Arguments select projects by name: ./test.sh Orders Messaging
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/eng/prepare.sh"
source "$root/eng/ready-to-run.sh"
cd "$root" || exit 1

need_dotnet
need_postgres
# README's commands are tried as they are printed.
{ has curl && has jq; } || apt_install "the documents' commands" curl jq || true
if [ -z "${KAFKA_HOME:-}" ] && [ -d "$root/../shared/kafka/libs" ]; then
  KAFKA_HOME=$(cd "$root/../shared/kafka" && pwd)
  export KAFKA_HOME
fi
need_java
# Each project starts a broker of its own, whose second compiler would take a core for minutes.
export JDK_JAVA_OPTIONS="${JDK_JAVA_OPTIONS:--XX:TieredStopAtLevel=1}"
say "Kafka: ${KAFKA_HOME:-the embedded mock broker (KAFKA_HOME is not set)}"

if [ "${SKIP_BUILD:-}" != true ]; then
  say "Building ..."
  build OrderInventory.sln || die "The build failed."
fi
ready_to_run
dotnet tool restore >/dev/null || die "dotnet tool restore failed."

passed=0 failed=0 complaints=()
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# run LABEL PROJECT [dotnet test arguments...]
run() {
  local label=$1 project=$2 started=$SECONDS trx counters p f s status=0; shift 2
  trx=$results/${label//[^A-Za-z0-9]/_}.trx
  say "$label ..."
  # A test that hangs ends its project after five minutes without a result, instead of the whole run.
  dotnet test "$project" --no-build -c Release --nologo -v q --logger "trx;LogFileName=$trx" \
    --blame-hang --blame-hang-dump-type none --blame-hang-timeout 5m --results-directory "$results" "$@" </dev/null || status=$?
  counters=$(grep -o '<Counters [^>]*' "$trx" 2>/dev/null)
  p=$(sed -n 's/.* passed="\([0-9]*\)".*/\1/p' <<<"$counters")
  f=$(sed -n 's/.* failed="\([0-9]*\)".*/\1/p' <<<"$counters")
  s=$(sed -n 's/.* notExecuted="\([0-9]*\)".*/\1/p' <<<"$counters")
  if [ $((${p:-0} + ${f:-0})) = 0 ]; then
    complaints+=("$label ran no test")
    f=1
  elif [ "$status" != 0 ] && [ "${f:-0}" = 0 ]; then
    complaints+=("$label ended with exit code $status")
    f=1
  fi
  passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0}))
  # Quiet as it is, the console names a failed test without saying why.
  [ "${f:-0}" = 0 ] || sed -n '/<UnitTestResult .* outcome="Failed"/s/.* testName="\([^"]*\)".*/\n\1/p; /<Message>/,/<\/Message>/p' "$trx" 2>/dev/null
  say "$label: ${p:-0} passed, ${f:-0} failed, ${s:-0} skipped ($((SECONDS - started)) s)"
}

for project in tests/*/*.csproj; do
  name=$(basename "$project" .csproj)
  grep -q Microsoft.NET.Test.Sdk "$project" || continue
  if [ $# -gt 0 ]; then
    wanted=false
    for word in "$@"; do case $name in *"$word"*) wanted=true ;; esac; done
    [ "$wanted" = true ] || continue
  fi
  run "$name" "$project"
  if [[ $name = *EndToEnd.Tests ]] && [ -n "${KAFKA_HOME:-}" ]; then
    Infrastructure__Kafka=mock run "$name on the mock broker" "$project" --filter Category=Smoke
  fi
done

for complaint in "${complaints[@]}"; do say "$complaint"; done
say "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
