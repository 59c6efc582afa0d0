#!/usr/bin/env bash
# Runs every test project, two at a time, and ends with one line: N passed, N failed.
# A real Kafka is used where KAFKA_HOME, or ../shared/kafka next to the repository, has one. Arguments select projects by name: ./test.sh Orders
# Messaging TEST_JOBS sets how many run at the same time. Each project has its own servers and spends half of its time waiting for them.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/eng/prepare.sh"
source "$root/eng/ready-to-run.sh"
cd "$root" || exit 1

need_dotnet
need_postgres
# The README's commands are tested as they are printed.
{ has curl && has jq; } || apt_install "the documents' commands" curl jq || true
if [ -z "${KAFKA_HOME:-}" ] && [ -d "$root/../shared/kafka/libs" ]; then
  KAFKA_HOME=$(cd "$root/../shared/kafka" && pwd)
  export KAFKA_HOME
fi
need_java
need_chromium
# Each project starts its own broker, whose second-tier compiler would occupy a core for minutes.
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
# A process that crashes in native code prints nothing useful: with this setting .NET writes the stack of each thread.
export DOTNET_DbgEnableMiniDump=1 DOTNET_EnableCrashReportOnly=1 DOTNET_DbgMiniDumpName=$results/crash.%p

# crashes: prints the stacks of the processes that have crashed so far.
crashes() {
  local report
  for report in "$results"/crash.*.json; do
    [ -e "$report" ] || continue
    jq -r '.payload | "\(.process_name) crashed at", (.threads[] | select(.crashed == "true") | .stack_frames[] | "    \(.native_module // "") \(.method_name // .unmanaged_name // .native_address)")' "$report" | head -n 40
  done
}

# run LABEL PROJECT [dotnet test arguments...]: prints its output when it is done, and writes its counts to a file.
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
    # The counters' notExecuted is 0 even when tests were skipped.
    s=$(($(sed -n 's/.* total="\([0-9]*\)" executed="\([0-9]*\)".*/\1-\2/p' <<<"$counters")))
    if [ $((${p:-0} + ${f:-0})) = 0 ]; then
      say "$label ran no test"
      f=1
    elif [ "$status" != 0 ] && [ "${f:-0}" = 0 ]; then
      say "$label ended with exit code $status"
      f=1
    fi
    [ "$status" = 0 ] || crashes
    # In quiet mode the console names a failed test without the reason.
    [ "${f:-0}" = 0 ] || sed -n '/<UnitTestResult .* outcome="Failed"/s/.* testName="\([^"]*\)".*/\n\1/p; /<Message>.*<\/Message>/{p; b}; /<Message>/,/<\/Message>/p' "$trx" 2>/dev/null
    say "$label: ${p:-0} passed, ${f:-0} failed, $s skipped ($((SECONDS - started)) s)"
  } >"$file.log" 2>&1
  cat "$file.log"
  echo "${p:-0} ${f:-0}" >"$file.counts"
}

# start LABEL PROJECT [dotnet test arguments...]: runs it as soon as fewer than the permitted number are running.
started=0
start() {
  while [ "$(jobs -pr | wc -l)" -ge "${TEST_JOBS:-2}" ]; do wait -n || true; done
  run "$@" &
  started=$((started + 1))
}

# The longest projects start first, so that none runs alone at the end.
for project in tests/EndToEnd.Tests/*.csproj tests/Notifications.Tests/*.csproj $(ls tests/*/*.csproj | grep -vE 'EndToEnd|Notifications'); do
  name=$(basename "$project" .csproj)
  grep -q Microsoft.NET.Test.Sdk "$project" || continue
  if [ $# -gt 0 ]; then
    wanted=false
    # Without the prefix that all names share: otherwise "Inventory" would select every project.
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
[ "$counted" = "$started" ] || { say "$((started - counted)) of $started projects have no result"; failed=$((failed + started - counted)); }
say "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
