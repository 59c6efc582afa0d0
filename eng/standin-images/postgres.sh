# Like the official image: creates a cluster with POSTGRES_USER and POSTGRES_PASSWORD, then starts the server on all interfaces.
set -e
data=/var/lib/postgresql/standin
bin=$(echo /usr/lib/postgresql/*/bin)
mkdir -p "$data" && chown -R postgres: /var/lib/postgresql
if [ ! -f "$data/PG_VERSION" ]; then
  printf '%s' "$POSTGRES_PASSWORD" >/tmp/password && chown postgres: /tmp/password
  setpriv --reuid=postgres --regid=postgres --clear-groups "$bin/initdb" -D "$data" -U "${POSTGRES_USER:-postgres}" --pwfile=/tmp/password -A scram-sha-256 -E UTF8 --locale C.UTF-8 --no-sync
  rm /tmp/password
  echo 'host all all all scram-sha-256' >>"$data/pg_hba.conf"
fi
exec setpriv --reuid=postgres --regid=postgres --clear-groups "$bin/postgres" -D "$data" -c listen_addresses='*' -c max_connections=300 "$@"
