#!/bin/sh
# Run once by the PostgreSQL image, on a new data directory: creates a role for each service, which owns its database and cannot connect to another.
# The container's environment has a password for each: ORDERS_DB_PASSWORD for orders, and so on.
set -eu
for variable in $(env | sed -n 's/^\([A-Z]*_DB_PASSWORD\)=.*/\1/p'); do
  name=$(echo "${variable%_DB_PASSWORD}" | tr '[:upper:]' '[:lower:]')
  psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres -v name="$name" -v password="$(printenv "$variable")" <<'SQL'
CREATE ROLE :"name" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name", postgres, template1 FROM PUBLIC;
SQL
done
