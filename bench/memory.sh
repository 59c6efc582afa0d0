#!/usr/bin/env bash
# Memory of a running system, as Markdown: every process under the AppHost, ours summed apart from PostgreSQL, Kafka and the others.
# PSS counts a page that several processes share by their number; RSS counts it in each of them, which for PostgreSQL's shared buffers
# says far too much. Where PSS may not be read it is left out.
#
#   bench/memory.sh <process id of the AppHost>
set -euo pipefail

descendants() {
    local child
    for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
        echo "$child"
        descendants "$child"
    done
}

name() { # What a process is, by its command line.
    local line
    line=$(tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null) || return 0
    case $line in
        *OrderInventory.AppHost*) echo "AppHost" ;;
        *OrderInventory.Orders* | *OrderInventory.Inventory* | *OrderInventory.Products* | *OrderInventory.Customers* | *OrderInventory.Notifications* | *OrderInventory.Gateway*)
            sed 's/.*OrderInventory\.\([A-Z][a-z]*\).*/service \1/' <<<"$line" ;;
        *[Gg]arnet*) echo "Garnet" ;;
        *postgres*) echo "PostgreSQL" ;;
        *java*kafka*) echo "Kafka" ;;
        *maildev*) echo "maildev" ;;
        "") ;; # A thread of the kernel, or gone already.
        *) echo "other" ;;
    esac
}

kilobytes() { sed -n "s/^$2:[[:space:]]*\([0-9]*\) kB/\1/p" "/proc/$1/$3" 2>/dev/null | head -1; }

{
    for pid in "$1" $(descendants "$1"); do
        what=$(name "$pid")
        [ -n "$what" ] && echo "$what|$(kilobytes "$pid" VmRSS status)|$(kilobytes "$pid" Pss smaps_rollup)"
    done
    true
} | awk -F'|' '
    { rss[$1] += $2; pss[$1] += $3; unread[$1] += ($3 == "") }
    $1 ~ /^service / || $1 == "AppHost" { ours_rss += $2; ours_pss += $3; ours_unread += ($3 == "") }
    $1 ~ /^service / { all_rss += $2; all_pss += $3; all_unread += ($3 == "") }
    function row(title, r, p, u) { return sprintf("| %s | %.0f | %s |", title, r / 1024, u ? "" : sprintf("%.0f", p / 1024)) }
    END {
        print "| process | RSS, MB | PSS, MB |"
        print "|---|---:|---:|"
        fflush()
        for (what in rss) print row(what, rss[what], pss[what], unread[what]) | "sort"
        close("sort")
        print row("**all services**", all_rss, all_pss, all_unread)
        print row("**all services and the AppHost**", ours_rss, ours_pss, ours_unread)
    }'
