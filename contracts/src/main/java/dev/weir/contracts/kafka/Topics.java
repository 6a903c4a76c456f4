package dev.weir.contracts.kafka;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** The topic catalogue: every topic's name, key, partitions and retention. */
public final class Topics {
    /** {@code JobRequest} and {@code CancelRequest} by upstream. */
    public static final String REQUESTS = "weir.requests";
    /** {@code Accepted} by job. */
    public static final String ACCEPTED = "weir.accepted";
    /** {@code Permit} by job, written in the throttle's transactions. */
    public static final String DISPATCH = "weir.dispatch";
    /** {@code Outcome} by upstream. */
    public static final String OUTCOMES = "weir.outcomes";
    /** {@code JobEvent} by job, written in the throttle's transactions. */
    public static final String JOB_EVENTS = "weir.job-events";
    /** {@code DeadLetter} by job, written in the throttle's transactions. */
    public static final String DEAD_LETTERS = "weir.dead-letters";
    /** {@code UpstreamRecord} by upstream, compacted; partitioned as the requests are. */
    public static final String UPSTREAMS = "weir.upstreams";
    /** {@code Forecast} by upstream, compacted. */
    public static final String FORECASTS = "weir.forecasts";

    /** Of requests, outcomes and upstreams, which are co-partitioned. Never changed later: a key would move to another count. */
    public static final int UPSTREAM_PARTITIONS = 32;

    public static final int JOB_PARTITIONS = 8;
    /**
     * Of the permits. All dispatchers share it, as a share group does; over more partitions Kafka would spread them, and what
     * stands in those of a dispatcher that was killed would wait for its session to end.
     */
    public static final int DISPATCH_PARTITIONS = 1;

    /** What every topic, changelog and producer takes: a job at the body limit grows on its way. */
    public static final int MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

    /** What the throttle and the dispatcher add to a job on its way: the permit, the reason of its end. */
    private static final int HEADROOM_BYTES = 256 * 1024;
    /** The largest {@code JobRequest} that fits everywhere on its way. */
    public static final int MAX_JOB_BYTES = MAX_MESSAGE_BYTES - HEADROOM_BYTES;

    private static final Duration CREATE_TIMEOUT = Duration.ofSeconds(30);
    private static final Duration KEEP = Duration.ofDays(7);
    private static final Duration KEEP_DISPATCH = Duration.ofDays(2);

    private Topics() {}

    /**
     * Creates the topics that do not exist yet; those that do are left as they are.
     *
     * @param replication 1 in standalone, 3 elsewhere
     * @throws IllegalStateException when Kafka does not answer or refuses, with what it said
     */
    public static void ensure(Admin admin, short replication) throws InterruptedException {
        List<NewTopic> topics = new ArrayList<>();
        topics.add(topic(REQUESTS, UPSTREAM_PARTITIONS, replication, retention(KEEP)));
        topics.add(topic(ACCEPTED, JOB_PARTITIONS, replication, retention(KEEP)));
        topics.add(topic(DISPATCH, DISPATCH_PARTITIONS, replication, retention(KEEP_DISPATCH)));
        topics.add(topic(OUTCOMES, UPSTREAM_PARTITIONS, replication, retention(KEEP)));
        topics.add(topic(JOB_EVENTS, JOB_PARTITIONS, replication, retention(KEEP)));
        topics.add(topic(DEAD_LETTERS, JOB_PARTITIONS, replication, retention(Duration.ofDays(30))));
        topics.add(topic(
                UPSTREAMS,
                UPSTREAM_PARTITIONS,
                replication,
                Map.of(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT)));
        // The broker's own append time on this topic is how Weir's clocks are compared with the broker's.
        topics.add(topic(
                FORECASTS,
                1,
                replication,
                Map.of(
                        TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT,
                        TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG, "LogAppendTime",
                        TopicConfig.SEGMENT_MS_CONFIG,
                                Long.toString(Duration.ofHours(1).toMillis()),
                        TopicConfig.SEGMENT_BYTES_CONFIG, Integer.toString(16 * 1024 * 1024),
                        TopicConfig.DELETE_RETENTION_MS_CONFIG,
                                Long.toString(Duration.ofHours(1).toMillis()))));
        for (Map.Entry<String, org.apache.kafka.common.KafkaFuture<Void>> created :
                admin.createTopics(topics).values().entrySet()) {
            try {
                created.getValue().get(CREATE_TIMEOUT.toSeconds(), TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof TopicExistsException)) {
                    throw new IllegalStateException(
                            "Kafka did not create the topic " + created.getKey() + ": " + e.getMessage(), e);
                }
            } catch (TimeoutException e) {
                throw new IllegalStateException(
                        "Kafka did not create the topic " + created.getKey() + " within " + CREATE_TIMEOUT
                                + "; is the broker up, and can it be reached from here?",
                        e);
            }
        }
        requirePartitions(admin);
    }

    /** The partition of a record with this key, of so many: Kafka's own choice. */
    public static int partitionOf(String key, int partitions) {
        return BuiltInPartitioner.partitionForKey(key.getBytes(StandardCharsets.UTF_8), partitions);
    }

    /** Another count would put an upstream's key elsewhere than its permit log. */
    private static void requirePartitions(Admin admin) throws InterruptedException {
        try {
            for (TopicDescription topic : admin.describeTopics(List.of(REQUESTS, OUTCOMES, UPSTREAMS))
                    .allTopicNames()
                    .get(CREATE_TIMEOUT.toSeconds(), TimeUnit.SECONDS)
                    .values()) {
                if (topic.partitions().size() != UPSTREAM_PARTITIONS) {
                    throw new IllegalStateException("the topic " + topic.name() + " has "
                            + topic.partitions().size() + " partitions, expected " + UPSTREAM_PARTITIONS
                            + "; it was not made by Weir: use another Kafka, or delete the topic if nothing is in it");
                }
            }
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                throw new IllegalStateException("Kafka does not describe its topics: " + e.getMessage(), e);
            }
            // Just created, and not yet known everywhere: then it has the right count.
        } catch (TimeoutException e) {
            throw new IllegalStateException("Kafka did not describe its topics within " + CREATE_TIMEOUT, e);
        }
    }

    private static Map<String, String> retention(Duration keep) {
        return Map.of(TopicConfig.RETENTION_MS_CONFIG, Long.toString(keep.toMillis()));
    }

    private static NewTopic topic(String name, int partitions, short replication, Map<String, String> more) {
        Map<String, String> settings = new java.util.HashMap<>(more);
        // Weir's clock does not follow a step of the broker's; its records must not be refused for that.
        settings.put(TopicConfig.MESSAGE_TIMESTAMP_AFTER_MAX_MS_CONFIG, Long.toString(Long.MAX_VALUE));
        settings.put(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(MAX_MESSAGE_BYTES));
        if (replication >= 3) {
            settings.put(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG, "2");
        }
        return new NewTopic(name, partitions, replication).configs(settings);
    }
}
