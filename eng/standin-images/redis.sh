# Aspire passes the whole command, with the password from REDIS_PASSWORD, to a shell; without arguments the image starts a plain server.
if [ $# -eq 0 ]; then set -- redis-server; fi
exec "$@"
