# Like confluent-local: KAFKA_ variables are settings of the broker; one node in KRaft mode.
set -e
settings=/tmp/server.properties
data=${KAFKA_LOG_DIRS:-/tmp/kafka-logs}
cat >$settings <<EOF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:29093
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
EOF
env | sed -n 's/^KAFKA_\(LISTENERS\|ADVERTISED_LISTENERS\|LISTENER_SECURITY_PROTOCOL_MAP\)=/\1=/p' |
  while IFS='=' read -r name value; do printf '%s=%s\n' "$(echo "$name" | tr 'A-Z_' 'a-z.')" "$value"; done >>$settings
export JDK_JAVA_OPTIONS='-Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1' CLASSPATH='/standin/libs/*'
[ -f "$data/meta.properties" ] || java kafka.tools.StorageTool format -t MkU3OEVBNTcwNTJENDM2Qg -c $settings
exec java kafka.Kafka $settings
