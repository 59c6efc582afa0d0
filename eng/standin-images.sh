#!/usr/bin/env bash
# Builds the images that the containers mode uses, under the same names, on a machine with a container engine but no registry to pull from:
# one Debian base with PostgreSQL, Redis, Java and Python; Kafka from KAFKA_HOME; a small mail inbox. They serve to test the mode, not to run
# a shop. Needs root, debootstrap, and a built AppHost, which names the images.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
engine=${ASPIRE_CONTAINER_RUNTIME:-docker}
die() { printf '%s\n' "$*" >&2; exit 1; }
"$engine" container ls -n 1 >/dev/null 2>&1 || die "No container engine answers to '$engine container ls'."
[ -n "$(compgen -G "${KAFKA_HOME:-}/libs/*.jar")" ] || die "KAFKA_HOME must be a folder with libs/*.jar of an Apache Kafka."
[ "$(id -u)" = 0 ] && command -v debootstrap >/dev/null || die "The base image needs root and debootstrap (Debian: apt-get install debootstrap)."
apphost=$root/OrderInventory.AppHost/bin/Release/net10.0/OrderInventory.AppHost.dll
[ -f "$apphost" ] || die "The AppHost, which names the images, is not built: dotnet build -c Release."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! "$engine" image inspect order-inventory-standin-base >/dev/null 2>&1; then
  # From the mirror that this machine's apt is configured for.
  mirror=$(apt-get indextargets --format '$(REPO_URI)' | head -n 1)
  echo "Building the base image ..."
  debootstrap --variant=minbase --include=postgresql,redis-server,default-jre-headless,python3-aiosmtpd "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$work/base" "$mirror" >"$work/log" 2>&1 \
    || { tail -n 5 "$work/log" >&2; exit 1; }
  tar -C "$work/base" --exclude=./var/cache/apt --exclude=./var/lib/apt/lists -c . | "$engine" import - order-inventory-standin-base >/dev/null
fi

dotnet "$apphost" --operation publish --publisher manifest --output-path "$work/manifest.json" >/dev/null
image() { sed -n "s|.*\"image\": \"\(.*$1[^\"]*\)\".*|\1|p" "$work/manifest.json" | head -n 1; }

# build NAME IMAGE FILES...: the Dockerfiles differ only in their entry points.
build() {
  local name=$1 image=$2 context=$work/$1; shift 2
  mkdir -p "$context"
  cp -r "$@" "$context"
  printf 'FROM order-inventory-standin-base\nCOPY . /standin/\nENTRYPOINT ["/bin/sh", "/standin/%s.sh"]\n' "$name" >"$context/Dockerfile"
  "$engine" build -q -t "$image" "$context" >/dev/null
  echo "$image"
}

files=$root/eng/standin-images
build postgres "$(image /postgres:)" "$files/postgres.sh"
build redis "$(image /redis:)" "$files/redis.sh"
build kafka "$(image confluent-local:)" "$files/kafka.sh" "$KAFKA_HOME/libs"
build mailpit "$(sed -n 's|.*AddContainer(.*"\(axllent/mailpit\)", "\(.*\)").*|\1:\2|p' "$root/OrderInventory.AppHost/Infrastructure/Containers.cs")" "$files/mailpit.sh" "$files/mailpit.py"
