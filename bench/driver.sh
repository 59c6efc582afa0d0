# Sourced by the other scripts in this folder: finds the load driver, which must be built.

bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$bench")
load=$bench/OrderInventory.Load/bin/Release/net10.0/OrderInventory.Load
[ -x "$load" ] || { echo "The load driver is not built: dotnet build -c Release bench/OrderInventory.Load" >&2; exit 2; }
