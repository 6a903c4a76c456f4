package dev.weir.benchmarks;

import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.throttler.Throttler;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.jspecify.annotations.Nullable;

/**
 * What the throttle is measured against: one processor that puts each request into one store by its job's id and, when it is
 * told to, reads and deletes them in order and forwards each. The settings are the throttler's own. It does not parse.
 */
final class BareStore implements AutoCloseable {
    static final String APPLICATION_ID = "bare-store";

    private static final String SOURCE = "requests";
    private static final String PROCESSOR = "bare";
    private static final String STORE = "bare-jobs";
    private static final String SINK = "output";
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(30);
    /** Where the id stands in a request's JSON. */
    private static final int ID_AT = "{\"v\":1,\"id\":\"".length();

    private final KafkaStreams streams;

    /**
     * @param release whether it gives out what it has
     * @param every between two punctuations
     * @param budget of one of them
     */
    BareStore(KafkaSettings kafka, boolean release, Duration every, Duration budget) {
        StringDeserializer keys = new StringDeserializer();
        ByteArrayDeserializer values = new ByteArrayDeserializer();
        Topology topology = new Topology()
                .addSource(SOURCE, keys, values, Topics.REQUESTS)
                .addProcessor(PROCESSOR, () -> new Bare(release, every, budget), SOURCE)
                .addStateStore(
                        Stores.keyValueStoreBuilder(
                                        Stores.persistentKeyValueStore(STORE), Serdes.Bytes(), Serdes.ByteArray())
                                .withCachingDisabled()
                                .withLoggingEnabled(Map.of(
                                        TopicConfig.MAX_MESSAGE_BYTES_CONFIG,
                                        Integer.toString(Topics.MAX_MESSAGE_BYTES))),
                        PROCESSOR)
                .addSink(SINK, Broker.BARE_OUTPUT, new StringSerializer(), new ByteArraySerializer(), PROCESSOR);
        Properties properties = Throttler.properties(kafka);
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, APPLICATION_ID);
        properties.put(StreamsConfig.CLIENT_ID_CONFIG, APPLICATION_ID);
        properties.put(
                StreamsConfig.STATE_DIR_CONFIG,
                kafka.stateDir().resolve(APPLICATION_ID).toString());
        properties.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG), APPLICATION_ID);
        streams = new KafkaStreams(topology, properties);
    }

    void start() {
        streams.start();
    }

    @Override
    public void close() {
        if (!streams.close(CLOSE_TIMEOUT)) {
            throw new IllegalStateException("the bare application did not close within " + CLOSE_TIMEOUT);
        }
    }

    private static final class Bare implements Processor<String, byte[], String, byte[]> {
        private final boolean release;
        private final Duration every;
        private final Duration budget;
        private @Nullable ProcessorContext<String, byte[]> context;
        private @Nullable KeyValueStore<Bytes, byte[]> store;
        /** A range from the start would read over every deleted key again. */
        private @Nullable Bytes last;

        Bare(boolean release, Duration every, Duration budget) {
            this.release = release;
            this.every = every;
            this.budget = budget;
        }

        @Override
        public void init(ProcessorContext<String, byte[]> processorContext) {
            KeyValueStore<Bytes, byte[]> jobs = processorContext.getStateStore(STORE);
            context = processorContext;
            store = jobs;
            if (release) {
                processorContext.schedule(
                        every, PunctuationType.WALL_CLOCK_TIME, nowMs -> release(processorContext, jobs));
            }
        }

        @Override
        public void process(Record<String, byte[]> record) {
            KeyValueStore<Bytes, byte[]> jobs = store;
            if (jobs == null || context == null) {
                throw new IllegalStateException("the processor was not initialised");
            }
            byte[] id = new byte[Jobs.ID_LENGTH];
            System.arraycopy(record.value(), ID_AT, id, 0, id.length);
            jobs.put(Bytes.wrap(id), record.value());
        }

        private void release(ProcessorContext<String, byte[]> to, KeyValueStore<Bytes, byte[]> jobs) {
            long deadline = System.nanoTime() + budget.toNanos();
            try (KeyValueIterator<Bytes, byte[]> waiting = jobs.range(last, null)) {
                while (waiting.hasNext() && System.nanoTime() - deadline < 0) {
                    KeyValue<Bytes, byte[]> job = waiting.next();
                    jobs.delete(job.key);
                    to.forward(new Record<>(
                            new String(job.key.get(), StandardCharsets.UTF_8), job.value, System.currentTimeMillis()));
                    last = job.key;
                }
            }
        }
    }
}
