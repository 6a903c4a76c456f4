package dev.weir.benchmarks;

import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.throttler.Throttler;
import java.nio.ByteBuffer;
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
 * told to, reads them in order and forwards each. The settings are the throttler's own. It does not parse.
 */
final class BareStore implements AutoCloseable {
    /** What it writes. */
    enum Records {
        /** One for a job that comes in; for one that goes out, it deletes that and forwards one. */
        FEWEST("bare-store"),
        /**
         * As many as the throttler, each about as long: an event for a job that comes in, and a page of a lane for each
         * {@link #PAGE} of them; for one that goes out a state, which does not delete the request yet, an event beside the
         * permit, and two pages.
         */
        SAME("same-records");

        /** The application's, and the start of its topics' names. */
        final String id;

        Records(String id) {
            this.id = id;
        }

        /** Takes what goes out; otherwise like {@link Topics#DISPATCH}. */
        String output() {
            return id + ".output";
        }

        /** Otherwise like {@link Topics#JOB_EVENTS}. */
        String events() {
            return id + ".events";
        }
    }

    private static final String SOURCE = "requests";
    private static final String PROCESSOR = "bare";
    private static final String STORE = "bare-jobs";
    private static final String SINK = "output";
    private static final String EVENTS_SINK = "events";
    private static final byte REQUEST = 'R';
    private static final byte STATE = 'S';
    private static final byte PAGES = 'P';
    /** Of neighbours that the throttler writes together. */
    private static final int PAGE = 16;

    private static final int PAGE_BYTES = 400;
    private static final int STATE_BYTES = 160;
    private static final byte[] EVENT = " ".repeat(390).getBytes(StandardCharsets.UTF_8);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(30);
    /** Where the id stands in a request's JSON. */
    private static final int ID_AT = "{\"v\":1,\"id\":\"".length();

    private final KafkaStreams streams;

    /**
     * @param records that it writes
     * @param release whether it gives out what it has
     * @param every between two punctuations
     * @param budget of one of them
     */
    BareStore(KafkaSettings kafka, Records records, boolean release, Duration every, Duration budget) {
        StringDeserializer keys = new StringDeserializer();
        ByteArrayDeserializer values = new ByteArrayDeserializer();
        Topology topology = new Topology()
                .addSource(SOURCE, keys, values, Topics.REQUESTS)
                .addProcessor(PROCESSOR, () -> new Bare(records, release, every, budget), SOURCE)
                .addStateStore(
                        Stores.keyValueStoreBuilder(
                                        Stores.persistentKeyValueStore(STORE), Serdes.Bytes(), Serdes.ByteArray())
                                .withCachingDisabled()
                                .withLoggingEnabled(Map.of(
                                        TopicConfig.MAX_MESSAGE_BYTES_CONFIG,
                                        Integer.toString(Topics.MAX_MESSAGE_BYTES))),
                        PROCESSOR)
                .addSink(SINK, records.output(), new StringSerializer(), new ByteArraySerializer(), PROCESSOR)
                .addSink(EVENTS_SINK, records.events(), new StringSerializer(), new ByteArraySerializer(), PROCESSOR);
        Properties properties = Throttler.properties(kafka);
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, records.id);
        properties.put(StreamsConfig.CLIENT_ID_CONFIG, records.id);
        properties.put(
                StreamsConfig.STATE_DIR_CONFIG,
                kafka.stateDir().resolve(records.id).toString());
        properties.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG), records.id);
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
        private final Records records;
        private final boolean release;
        private final Duration every;
        private final Duration budget;
        private @Nullable ProcessorContext<String, byte[]> context;
        private @Nullable KeyValueStore<Bytes, byte[]> store;
        /** A range from the start would read over every deleted key again. */
        private Bytes last = Bytes.wrap(new byte[] {REQUEST});

        private long writes;

        Bare(Records records, boolean release, Duration every, Duration budget) {
            this.records = records;
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
            byte[] key = new byte[1 + Jobs.ID_LENGTH];
            key[0] = REQUEST;
            System.arraycopy(record.value(), ID_AT, key, 1, Jobs.ID_LENGTH);
            jobs.put(Bytes.wrap(key), record.value());
            if (records == Records.SAME) {
                context.forward(new Record<>(id(key), EVENT, System.currentTimeMillis()), EVENTS_SINK);
                page(jobs, 1);
            }
        }

        private static String id(byte[] key) {
            return new String(key, 1, Jobs.ID_LENGTH, StandardCharsets.UTF_8);
        }

        private void page(KeyValueStore<Bytes, byte[]> jobs, int pages) {
            if (++writes % PAGE == 0) {
                for (int page = 0; page < pages; page++) {
                    byte[] key = ByteBuffer.allocate(1 + Long.BYTES + 1)
                            .put(PAGES)
                            .putLong(writes)
                            .put((byte) page)
                            .array();
                    jobs.put(Bytes.wrap(key), new byte[PAGE_BYTES]);
                }
            }
        }

        private void release(ProcessorContext<String, byte[]> to, KeyValueStore<Bytes, byte[]> jobs) {
            long deadline = System.nanoTime() + budget.toNanos();
            try (KeyValueIterator<Bytes, byte[]> waiting = jobs.range(last, Bytes.wrap(new byte[] {STATE}))) {
                while (waiting.hasNext() && System.nanoTime() - deadline < 0) {
                    KeyValue<Bytes, byte[]> job = waiting.next();
                    String id = id(job.key.get());
                    if (job.key.equals(last)) {
                        continue;
                    }
                    if (records == Records.SAME) {
                        byte[] state = job.key.get().clone();
                        state[0] = STATE;
                        jobs.put(Bytes.wrap(state), new byte[STATE_BYTES]);
                        to.forward(new Record<>(id, EVENT, System.currentTimeMillis()), EVENTS_SINK);
                        page(jobs, 2);
                    } else {
                        jobs.delete(job.key);
                    }
                    to.forward(new Record<>(id, job.value, System.currentTimeMillis()), SINK);
                    last = job.key;
                }
            }
        }
    }
}
