package dev.weir.benchmarks;

import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.throttler.Throttler;
import dev.weir.throttler.topology.StreamsClients;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.jspecify.annotations.Nullable;

/**
 * What the throttle is measured against: one processor that puts each request into one store by its job's id and, when it is
 * told to, takes them out and forwards each. The settings are the throttler's own. It does not parse.
 */
final class BareStore implements AutoCloseable {
    /** What it reads and writes. */
    enum Records {
        /** Puts one for a job that comes in; deletes it by its key, in the order that it is told, and forwards what was there. */
        FEWEST("bare-store"),
        /**
         * The same, but it writes as many records as the throttler, each about as long: an event for a job that comes in,
         * and a page of a lane for each {@link #PAGE} of them; an event beside each that goes out, and for each {@link #PAGE} of
         * them the pages of {@link #PAGES_OUT}. It deletes nothing: a throttle's request stays until its outcome.
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

    /**
     * How it gives out.
     *
     * @param every between two punctuations
     * @param budget of one of them
     * @param waits whether it waits for records, as Kafka Streams does, although it has more to give out
     */
    record Pace(Duration every, Duration budget, boolean waits) {}

    private static final String SOURCE = "requests";
    private static final String PROCESSOR = "bare";
    private static final String STORE = "bare-jobs";
    private static final String SINK = "output";
    private static final String EVENTS_SINK = "events";
    private static final byte REQUEST = 'R';
    private static final byte PAGES = 'P';
    /** Of neighbours that the throttler writes together. */
    private static final int PAGE = 16;
    /** Bytes of each: a lane's. */
    private static final int[] PAGES_IN = {500};
    /** Permits, timers, and jobs that are under way. */
    private static final int[] PAGES_OUT = {320, 340, 2600};

    private static final byte[] EVENT = " ".repeat(390).getBytes(StandardCharsets.UTF_8);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(30);
    /** Where the id stands in a request's JSON. */
    private static final int ID_AT = "{\"v\":1,\"id\":\"".length();

    private final KafkaStreams streams;
    /** Whether it has more to give out. */
    private final AtomicBoolean releasing = new AtomicBoolean();

    /**
     * @param records that it writes
     * @param order of the ids in which it gives out what it has; empty to keep it
     */
    BareStore(KafkaSettings kafka, Records records, List<String> order, Pace pace) {
        StringDeserializer keys = new StringDeserializer();
        ByteArrayDeserializer values = new ByteArrayDeserializer();
        Topology topology = new Topology()
                .addSource(SOURCE, keys, values, Topics.REQUESTS)
                .addProcessor(PROCESSOR, () -> new Bare(records, order, pace, releasing), SOURCE)
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
        streams = new KafkaStreams(topology, properties, new StreamsClients(() -> !pace.waits() && releasing.get()));
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
        private final List<String> order;
        private final Pace pace;
        private final AtomicBoolean releasing;
        private @Nullable ProcessorContext<String, byte[]> context;
        private @Nullable KeyValueStore<Bytes, byte[]> store;
        /** Of the order, given out. */
        private int out;

        private long writes;

        Bare(Records records, List<String> order, Pace pace, AtomicBoolean releasing) {
            this.releasing = releasing;
            this.records = records;
            this.order = order;
            this.pace = pace;
        }

        @Override
        public void init(ProcessorContext<String, byte[]> processorContext) {
            KeyValueStore<Bytes, byte[]> jobs = processorContext.getStateStore(STORE);
            context = processorContext;
            store = jobs;
            if (!order.isEmpty() && processorContext.taskId().partition() == BrokerBenchmark.PARTITION) {
                processorContext.schedule(
                        pace.every(), PunctuationType.WALL_CLOCK_TIME, nowMs -> release(processorContext, jobs));
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
                write(jobs, PAGES_IN);
            }
        }

        private static String id(byte[] key) {
            return new String(key, 1, Jobs.ID_LENGTH, StandardCharsets.UTF_8);
        }

        private static Bytes key(String id) {
            byte[] key = new byte[1 + Jobs.ID_LENGTH];
            key[0] = REQUEST;
            System.arraycopy(id.getBytes(StandardCharsets.UTF_8), 0, key, 1, Jobs.ID_LENGTH);
            return Bytes.wrap(key);
        }

        private void write(KeyValueStore<Bytes, byte[]> jobs, int[] pages) {
            if (++writes % PAGE == 0) {
                for (int page = 0; page < pages.length; page++) {
                    byte[] key = ByteBuffer.allocate(1 + Long.BYTES + 1)
                            .put(PAGES)
                            .putLong(writes)
                            .put((byte) page)
                            .array();
                    jobs.put(Bytes.wrap(key), new byte[pages[page]]);
                }
            }
        }

        private void release(ProcessorContext<String, byte[]> to, KeyValueStore<Bytes, byte[]> jobs) {
            long deadline = System.nanoTime() + pace.budget().toNanos();
            while (out < order.size() && System.nanoTime() - deadline < 0) {
                String id = order.get(out++);
                byte @Nullable [] request;
                if (records == Records.SAME) {
                    request = jobs.get(key(id));
                    to.forward(new Record<>(id, EVENT, System.currentTimeMillis()), EVENTS_SINK);
                    write(jobs, PAGES_OUT);
                } else {
                    request = jobs.delete(key(id));
                }
                if (request == null) {
                    throw new IllegalStateException("the request of job " + id + " is not in the store");
                }
                to.forward(new Record<>(id, request, System.currentTimeMillis()), SINK);
            }
            releasing.set(out < order.size());
        }
    }
}
