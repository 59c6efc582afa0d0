# Sourced by run.sh, test.sh, .ci/run and other scripts: provides what they need on a machine.

# The physical path: the compiler resolves links, and then .editorconfig would not match its files.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

# Build servers would outlive the script that needed them, and a stopped system must leave no processes.
export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
# MSBuild takes a variable of this name as a property, and builds into other folders.
unset PLATFORM Platform platform
# The system calls itself on this machine, which a proxy cannot reach. .NET takes names and addresses here, but no ranges.
for name in NO_PROXY no_proxy; do export "$name=${!name:+${!name},}localhost,127.0.0.1,::1"; done

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

need_dotnet() {
  has dotnet || die "The .NET SDK 10 is missing: install it (package dotnet-sdk-10.0, or Microsoft's installer), then start again."
  (cd "$root" && dotnet --version >/dev/null) || die "global.json requires the .NET SDK 10: install it, then start again."
}

# apt_install WHAT-FOR PACKAGE...: installs packages on Debian as root; elsewhere it only prints what is missing.
apt_install() {
  local why=$1 log status=0; shift
  if ! has apt-get || [ "$(id -u)" != 0 ]; then
    say "Missing for $why: $* (Debian's package names). Install it to use it."
    return 1
  fi
  say "Installing $* (Debian) for $why ..."
  log=$(mktemp)
  [ -n "$(find /var/lib/apt/lists -name '*_Packages*' -print -quit 2>/dev/null)" ] || apt-get update -q >"$log" 2>&1 || true
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >>"$log" 2>&1 || status=$?
  if [ "$status" != 0 ]; then
    # An outdated package list is the usual reason.
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; } >>"$log" 2>&1 && status=0 || true
  fi
  [ "$status" = 0 ] || { tail -n 5 "$log"; say "Installing $* failed."; }
  rm -f "$log"
  return "$status"
}

has_postgres() {
  has initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

need_postgres() {
  has_postgres && return
  if has apt-get && [ "$(id -u)" = 0 ]; then
    # Only the binaries: Debian would also create and start its own server on port 5432.
    apt_install PostgreSQL postgresql-common || true
    if [ -f /etc/postgresql-common/createcluster.conf ]; then
      sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
    fi
  fi
  apt_install PostgreSQL postgresql || say "Continuing: the AppHost can install PostgreSQL from npm, or reports what is missing."
}

need_java() {
  [ -z "${KAFKA_HOME:-}" ] || has java || [ -x "${JAVA_HOME:-}/bin/java" ] || apt_install "the Kafka in KAFKA_HOME" default-jre-headless || true
}

# Pages are tested in a browser; without one those tests are reported as skipped.
need_chromium() {
  has chromium || apt_install "tests in a browser" chromium || true
}

# build PROJECT-OR-SOLUTION: builds Release; shows each finished project, and every warning and error.
build() {
  local pid status=0
  # In a separate session and waited for, so that a signal to this script alone ends the build as well.
  setsid bash -o pipefail -c 'dotnet build "$1" -c Release -m:2 --nologo -v m -clp:NoSummary |
    sed -un "s|^ *\([A-Za-z0-9.]*\) -> .*|  \1|p; /: \(warning\|error\) /p; /^MSBUILD : error/p"' build "$1" </dev/null &
  pid=$!
  trap 'kill -- "-$pid" 2>/dev/null; exit 143' TERM
  trap 'kill -- "-$pid" 2>/dev/null; exit 130' INT
  wait "$pid" || status=$?
  trap - TERM INT
  return "$status"
}

free_port() {
  local port
  for _ in $(seq 50); do
    port=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
  die "No free port found."
}
