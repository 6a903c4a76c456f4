package dev.weir.contracts.kafka;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;

/**
 * Where Kafka is and what this process is called there; the settings that every client of Weir shares come from here.
 *
 * @param instance this process's name, stable across its restarts: the group instance id of its consumers (static
 *     membership, so that a restart costs no rebalance)
 * @param stateDir where Kafka Streams keeps its stores; each role uses a folder of its own below it
 * @param replication of the topics and the changelogs: 1 in standalone, 3 elsewhere
 * @param sessionTimeout after which a silent member loses its partitions
 * @param ownBroker the broker runs in this process: its clock is this one's, and there is nothing to compare
 */
public record KafkaSettings(
        String bootstrapServers,
        String instance,
        Path stateDir,
        short replication,
        Duration sessionTimeout,
        boolean ownBroker) {
    public KafkaSettings(
            String bootstrapServers, String instance, Path stateDir, short replication, Duration sessionTimeout) {
        this(bootstrapServers, instance, stateDir, replication, sessionTimeout, false);
    }

    public static final Duration SESSION_TIMEOUT = Duration.ofSeconds(8);
    /** A long session must not make heartbeats rare. */
    private static final Duration LONGEST_HEARTBEAT = Duration.ofSeconds(2);

    /** How often a group member shows that it lives, and hears of a rebalance. */
    public Duration heartbeatInterval() {
        Duration quarter = sessionTimeout.dividedBy(4);
        return quarter.compareTo(LONGEST_HEARTBEAT) < 0 ? quarter : LONGEST_HEARTBEAT;
    }

    /** For anything that only needs to connect. */
    public Map<String, Object> common() {
        Map<String, Object> settings = new HashMap<>();
        settings.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        settings.put(CommonClientConfigs.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1000);
        return settings;
    }

    /** A producer that loses nothing: acks=all, idempotent. */
    public Map<String, Object> producer() {
        Map<String, Object> settings = common();
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        settings.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, Topics.MAX_MESSAGE_BYTES);
        return settings;
    }

    /** A consumer in a group, static member, commits by hand, sees committed transactions only. */
    public Map<String, Object> consumer(String group) {
        Map<String, Object> settings = common();
        settings.put(ConsumerConfig.GROUP_ID_CONFIG, group);
        settings.put(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, group + "-" + instance);
        settings.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, (int) sessionTimeout.toMillis());
        settings.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, (int)
                heartbeatInterval().toMillis());
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        settings.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, Topics.MAX_MESSAGE_BYTES);
        return settings;
    }
}
