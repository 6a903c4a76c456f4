package dev.weir.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Map;
import java.util.function.LongSupplier;

/** What takes the same requests from the same broker, and gives them out again. */
interface Contender {
    /** An output that has not grown for so long is complete. */
    Duration SETTLED = Duration.ofSeconds(1);
    /** One record of so many, before the time starts. */
    int START = 10;

    /**
     * How fast, and at what cost. Others' load on the machine changes the rate, and hardly the cost.
     *
     * @param perSecond records
     * @param cpuUs of the whole process, the broker in it included, for one record
     */
    record Rate(double perSecond, double cpuUs) {}

    /** What a run does, one after the other. */
    enum Phase {
        INTAKE,
        RELEASE,
        /** Of the throttler alone. */
        OUTCOMES
    }

    String name();

    /**
     * What a run showed.
     *
     * @param last its end
     */
    Map<Phase, Rate> run(Broker broker, int jobs, Phase last) throws Exception;

    /** Waits until an application has done with so many records of a topic: until their offsets are committed. */
    static Rate intake(Broker broker, String application, String topic, long records) {
        return measure(application, () -> broker.committed(application, topic), records);
    }

    /** Waits until a topic has so many committed records more than before. */
    static Rate output(Broker broker, String topic, long before, long records) {
        Rate rate = measure(topic, () -> broker.committedEnd(topic) - before, records);
        long[] end = {-1};
        Broker.await("the end of " + topic, () -> {
            Broker.pause(SETTLED);
            long now = broker.committedEnd(topic);
            boolean settled = now == end[0];
            end[0] = now;
            return settled;
        });
        return rate;
    }

    /**
     * The time starts when a part is done: an application begins with its first partition while it still starts the others, which
     * does not count.
     */
    private static Rate measure(String what, LongSupplier progress, long records) {
        Broker.await(what + " to begin", () -> progress.getAsLong() >= records / START);
        // What broker and application made when they started is young, and each collection in this time would copy it:
        // in one that has run for long it no longer does.
        System.gc();
        long first = progress.getAsLong();
        long cpuNs = cpuNs();
        long ns = System.nanoTime();
        if (first > records / 4) {
            throw new IllegalStateException(
                    what + " had " + first + " of " + records + " records when it was first seen; use more --jobs");
        }
        Broker.await(what + " to end", () -> progress.getAsLong() >= records);
        double counted = records - first;
        return new Rate(counted * 1e9 / (System.nanoTime() - ns), (cpuNs() - cpuNs) / counted / 1e3);
    }

    private static long cpuNs() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
    }
}
