# Aspire gives the whole command, with the password from REDIS_PASSWORD, to a shell; alone the image is a plain server.
if [ $# -eq 0 ]; then set -- redis-server; fi
exec "$@"
