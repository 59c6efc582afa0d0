#!/usr/bin/env bash
# Runs every test project, two at a time, and ends with one line: N passed, N failed.
# A real Kafka is used where KAFKA_HOME, or ../shared/kafka beside the repository, has one. Arguments select projects by name: ./test.sh Orders Messaging
# TEST_JOBS says how many run at the same time. Each project has servers of its own, and spends half of its time waiting for them.
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
need_chromium
# Each project starts a broker of its own, whose second compiler would take a core for minutes.
export JDK_JAVA_OPTIONS="${JDK_JAVA_OPTIONS:--XX:TieredStopAtLevel=1}"
say "Kafka: ${KAFKA_HOME:-the embedded mock broker (KAFKA_HOME is not set)}"

if [ "${SKIP_BUILD:-}" != true ]; then
  say "Building ..."
  build OrderInventory.sln || die "The build failed."
fi
ready_to_run
dotnet tool restore >/dev/null || die "dotnet tool restore failed."

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
# A process that native code ends says nothing else: .NET writes where each of its threads was.
export DOTNET_DbgEnableMiniDump=1 DOTNET_EnableCrashReportOnly=1 DOTNET_DbgMiniDumpName=$results/crash.%p

# crashes: where the processes were that crashed until now.
crashes() {
  local report
  for report in "$results"/crash.*.json; do
    [ -e "$report" ] || continue
    jq -r '.payload | "\(.process_name) crashed at", (.threads[] | select(.crashed == "true") | .stack_frames[] | "    \(.native_module // "") \(.method_name // .unmanaged_name // .native_address)")' "$report" | head -n 40
  done
}

# run LABEL PROJECT [dotnet test arguments...]: prints what it has to say when it is done, and leaves its counts.
run() {
  local label=$1 project=$2 started=$SECONDS file trx counters p f s status=0; shift 2
  say "$label ..."
  file=$results/${label//[^A-Za-z0-9]/_} trx=$file.trx
  {
    # A test that hangs ends its project after five minutes without a result, instead of the whole run.
    dotnet test "$project" --no-build -c Release --nologo -v q --logger "trx;LogFileName=$trx" \
      --blame-hang --blame-hang-dump-type none --blame-hang-timeout 5m --results-directory "$results" "$@" </dev/null || status=$?
    counters=$(grep -o '<Counters [^>]*' "$trx" 2>/dev/null)
    p=$(sed -n 's/.* passed="\([0-9]*\)".*/\1/p' <<<"$counters")
    f=$(sed -n 's/.* failed="\([0-9]*\)".*/\1/p' <<<"$counters")
    # Its notExecuted is 0 even when tests were skipped.
    s=$(($(sed -n 's/.* total="\([0-9]*\)" executed="\([0-9]*\)".*/\1-\2/p' <<<"$counters")))
    if [ $((${p:-0} + ${f:-0})) = 0 ]; then
      say "$label ran no test"
      f=1
    elif [ "$status" != 0 ] && [ "${f:-0}" = 0 ]; then
      say "$label ended with exit code $status"
      f=1
    fi
    [ "$status" = 0 ] || crashes
    # Quiet as it is, the console names a failed test without saying why.
    [ "${f:-0}" = 0 ] || sed -n '/<UnitTestResult .* outcome="Failed"/s/.* testName="\([^"]*\)".*/\n\1/p; /<Message>.*<\/Message>/{p; b}; /<Message>/,/<\/Message>/p' "$trx" 2>/dev/null
    say "$label: ${p:-0} passed, ${f:-0} failed, $s skipped ($((SECONDS - started)) s)"
  } >"$file.log" 2>&1
  cat "$file.log"
  echo "${p:-0} ${f:-0}" >"$file.counts"
}

# start LABEL PROJECT [dotnet test arguments...]: as soon as fewer than the permitted number run.
started=0
start() {
  while [ "$(jobs -pr | wc -l)" -ge "${TEST_JOBS:-2}" ]; do wait -n || true; done
  run "$@" &
  started=$((started + 1))
}

# The longest first, so that none ends alone.
for project in tests/EndToEnd.Tests/*.csproj tests/Notifications.Tests/*.csproj $(ls tests/*/*.csproj | grep -vE 'EndToEnd|Notifications'); do
  name=$(basename "$project" .csproj)
  grep -q Microsoft.NET.Test.Sdk "$project" || continue
  if [ $# -gt 0 ]; then
    wanted=false
    # The name without what all names begin with: Inventory is not each of them.
    for word in "$@"; do case ${name#OrderInventory.} in *"$word"*) wanted=true ;; esac; done
    [ "$wanted" = true ] || continue
  fi
  start "$name" "$project"
  if [[ $name = *EndToEnd.Tests ]] && [ -n "${KAFKA_HOME:-}" ]; then
    Infrastructure__Kafka=mock start "$name on the mock broker" "$project" --filter Category=Smoke
  fi
done

wait

read -r passed failed counted < <(cat "$results"/*.counts 2>/dev/null | awk '{ p += $1; f += $2 } END { print p + 0, f + 0, NR }')
[ "$counted" = "$started" ] || { say "$((started - counted)) of $started projects have left no result"; failed=$((failed + started - counted)); }
say "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
