package dev.weir.benchmarks;

import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.Priority;
import java.time.Instant;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;

/** Jobs as the ingress would write them. */
final class Jobs {
    /** Of a UUID's text. */
    static final int ID_LENGTH = 36;

    private static final long VERSION_7 = 0x7000L;
    private static final long VARIANT = 0x8000_0000_0000_0000L;
    private static final int MAX_TURNS = 64;
    /** At 20,000 a second. */
    private static final long JOBS_OF_A_TURN = 400;

    private static final String HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    private static final String TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    private Jobs() {}

    /**
     * @param number each its own: what is left to chance in an id follows from it
     */
    static JobRequest job(String upstream, String tenant, long number, Instant acceptedAt, String body) {
        return new JobRequest(
                JobRequest.VERSION,
                id(number, acceptedAt),
                tenant,
                upstream,
                new Call(
                        "POST",
                        "/v1beta/models/x:generateContent",
                        Map.of("Content-Type", "application/json"),
                        body,
                        null),
                Priority.NORMAL,
                null,
                null,
                1,
                acceptedAt,
                HASH,
                TRACE);
    }

    /** As many ids in a row fall into one partition as the ingress gives in the time that one has its turn. */
    private static String id(long number, Instant at) {
        SplittableRandom random = new SplittableRandom(number);
        long time = (at.toEpochMilli() << 16) | VERSION_7 | random.nextInt(1 << 12);
        int partition = (int) (number / JOBS_OF_A_TURN % Topics.JOB_PARTITIONS);
        long chance = random.nextLong() >>> 2;
        String id;
        int turn = 0;
        do {
            id = new UUID(time, VARIANT | (chance + turn)).toString();
            turn++;
        } while (turn < MAX_TURNS && Topics.partitionOf(id, Topics.JOB_PARTITIONS) != partition);
        return id;
    }
}
