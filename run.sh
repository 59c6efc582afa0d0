#!/usr/bin/env bash
# Starts the whole system: ./run.sh [--demo] [--Infrastructure:Mode=auto|containers|embedded|external] ...
# docs/operations.md lists the settings. Ctrl-C (or SIGTERM to this process) stops everything.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/eng/prepare.sh"
source "$root/eng/ready-to-run.sh"

need_dotnet

mode=${Infrastructure__Mode:-auto}
for argument in "$@"; do
  case $argument in --Infrastructure:Mode=*) mode=${argument#*=} ;; esac
done
if [ "$mode" = auto ] && timeout 10 "${ASPIRE_CONTAINER_RUNTIME:-docker}" container ls -n 1 >/dev/null 2>&1; then
  mode=containers
fi
case $mode in
  auto | embedded)
    need_postgres
    need_java
    has npm || apt_install "the mail inbox" nodejs npm || say "Continuing without it: mail goes to a pickup folder."
    ;;
esac

# What the shell has set for other programs would also apply to the services: Npgsql's variables, and the address of every service.
[ "$mode" = external ] || unset "${!PG@}"
unset URLS DOTNET_URLS

say "Building ..."
build "$root/OrderInventory.AppHost"
ready_to_run

# The settings that the launch profile has for 'dotnet run': Aspire's dashboard over plain HTTP on this machine.
export DOTNET_ENVIRONMENT=${DOTNET_ENVIRONMENT:-Development} ASPIRE_ALLOW_UNSECURED_TRANSPORT=true
export ASPNETCORE_URLS=${ASPNETCORE_URLS:-http://localhost:$(free_port)}
export ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL=${ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL:-http://localhost:$(free_port)}
export ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL=${ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL:-http://localhost:$(free_port)}

# The AppHost replaces this process, so that a signal to run.sh alone reaches it.
exec dotnet "$root/OrderInventory.AppHost/bin/Release/net10.0/OrderInventory.AppHost.dll" "$@"
