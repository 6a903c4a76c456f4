package dev.weir.benchmarks;

import java.time.Duration;

/** What takes the same requests from the same broker, and gives them out again. */
interface Contender {
    /** An output that has not grown for so long is complete. */
    Duration SETTLED = Duration.ofSeconds(1);

    /** Records a second. */
    record Rates(double intake, double release) {}

    String name();

    Rates run(Broker broker, int jobs) throws Exception;

    /**
     * Waits until an application has done with so many records of a topic. The clock starts at its first commit, so that its
     * start does not count.
     *
     * @return records a second
     */
    static double rateOfIntake(Broker broker, String application, String topic, long records) {
        long[] first = new long[1];
        long[] firstNs = new long[1];
        Broker.await(application + "'s first commit", () -> {
            first[0] = broker.committed(application, topic);
            firstNs[0] = System.nanoTime();
            return first[0] > 0;
        });
        Broker.await(application + "'s last commit", () -> broker.committed(application, topic) >= records);
        if (first[0] > records / 4) {
            throw new IllegalStateException(
                    application + " had " + first[0] + " of " + records + " at its first commit; use more --jobs");
        }
        return (records - first[0]) * 1e9 / (System.nanoTime() - firstNs[0]);
    }

    /** Waits until a topic has at least so many committed records and gets no more. */
    static void awaitOutput(Broker broker, String topic, long records) {
        long[] before = {-1};
        Broker.await(records + " records in " + topic, () -> {
            Broker.pause(SETTLED);
            long end = broker.committedEnd(topic);
            boolean settled = end >= records && end == before[0];
            before[0] = end;
            return settled;
        });
    }

    /**
     * Reads a topic afterwards: the rate is that of the records' own times, so that nobody reads while it is measured.
     *
     * @param sinceMs records before this do not count
     * @return records a second
     */
    static double rateOfOutput(Broker broker, String topic, long records, long sinceMs) {
        long[] seen = {0, Long.MAX_VALUE, 0};
        broker.read(topic, record -> {
            if (record.timestamp() >= sinceMs) {
                seen[0]++;
                seen[1] = Math.min(seen[1], record.timestamp());
                seen[2] = Math.max(seen[2], record.timestamp());
            }
        });
        if (seen[0] != records) {
            throw new IllegalStateException(topic + " has " + seen[0] + " records, expected " + records);
        }
        return records * 1e3 / Math.max(1, seen[2] - seen[1]);
    }
}
