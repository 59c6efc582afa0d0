#!/usr/bin/env bash
# Measures how long a user of the console waits, and how much of its memory each open page takes: on a separate system with 100,000 orders
# (by SQL, as in bench/growth.sh) and 50,000 products with stock (imported), with Chromium. Prints a table in Markdown.
#
#   dotnet build -c Release
#   KAFKA_HOME=… bench/console.sh [--orders 100000] [--products 50000] [--runs 20] [--circuits 100] [--out console.md]
set -euo pipefail

orders=100000 products=50000 runs=20 circuits=100 out=
while [ $# -gt 0 ]; do
    case $1 in
        --orders) orders=$2; shift 2 ;;
        --products) products=$2; shift 2 ;;
        --runs) runs=$2; shift 2 ;;
        --circuits) circuits=$2; shift 2 ;;
        --out) out=$2; shift 2 ;;
        *) sed -n '2,6p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
    esac
done
# With fewer orders there is nothing to search for: the newest orders have no tracking number.
[ "$orders" -ge 2000 ] && [ "$products" -ge 100 ] || { echo "--orders must be at least 2000 and --products at least 100: with fewer there is not enough to search for." >&2; exit 2; }
source "$(dirname "${BASH_SOURCE[0]}")/driver.sh"
source "$bench/system.sh"
pages=$bench/OrderInventory.Pages/bin/Release/net10.0/OrderInventory.Pages
[ -x "$pages" ] || { echo "OrderInventory.Pages is not built: dotnet build -c Release bench/OrderInventory.Pages" >&2; exit 2; }

machine >"$work/machine.md"
say "Starting the system on new data."
start
say "Creating $orders orders."
drive --growth "$orders" --reads 1 --clients 1 --seconds 1 --warm-up 0

gateway=$(jq -r .gateway "$endpoints")
bring() { # The response to an import has a line for each refused row, and a summary at its end.
    curl -sS --fail-with-body -H "Authorization: Bearer $(jq -r .token "$endpoints")" -H 'Content-Type: text/csv' --data-binary @- "$gateway/api/$1/import" | tail -n 1 >&2
}
part() { jq -r .postgres.products "$endpoints" | tr ';' '\n' | sed -n "s/^$1=//p"; }
psql=$(command -v psql || ls -d /usr/lib/postgresql/*/bin/psql | sort -V | tail -1)
say "Importing $products products, then their stock."
seq "$products" | awk 'BEGIN { print "sku,name,category,price,currency" } { printf "BIG-%05d,Tea %d of the hills,tea,%d.50,EUR\n", $1, $1, 1 + $1 % 50 }' | bring products
PGPASSWORD=$(part Password) "$psql" --no-psqlrc -q -h "$(part Host)" -p "$(part Port)" -U "$(part Username)" -d "$(part Database)" -c "COPY (SELECT id FROM products WHERE sku LIKE 'BIG-%') TO STDOUT" \
    | awk 'BEGIN { print "productId,location,onHand,lowStockThreshold" } { print $1 ",default," NR % 200 ",5" }' | bring inventory

console=$(for process in $(pgrep -f OrderInventory.Console); do
    tr '\0' '\n' 2>/dev/null <"/proc/$process/environ" | grep -q ":$GATEWAY_PORT\$" && echo "$process" && break
done)
say "Measuring: each page $runs times, then $circuits circuits."
"$pages" "$endpoints" "$console" "$runs" "$circuits" "$orders" "$products" >"$work/pages.md"
stop

{ cat "$work/machine.md"; echo; cat "$work/pages.md"; } >"$work/summary.md"
[ -z "$out" ] || cp "$work/summary.md" "$out"
cat "$work/summary.md"
exit $failed
