package dev.weir.throttler.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Priority;
import dev.weir.throttler.upstream.Job;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.Test;

class DispatchedJobsTest {
    private static final Instant AT = Instant.parse("2026-11-22T10:00:00Z");

    @Test
    void shouldKnowWhichAreUnderWay_whateverTheOrderAndTheRestarts() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        KeyValueStore<Bytes, byte[]> store =
                Stores.inMemoryKeyValueStore("heads").get();
        HeadWrites heads = new HeadWrites(store);
        DispatchedJobs jobs = new DispatchedJobs(heads);
        Map<String, Job> expected = new HashMap<>();
        List<String> ids = new ArrayList<>();
        long[] permits = new long[3];

        for (int i = 0; i < 20_000; i++) {
            if (random.nextInt(1000) == 0) {
                heads.flush();
                heads = new HeadWrites(store);
                jobs = new DispatchedJobs(heads);
            }
            int upstream = random.nextInt(permits.length);
            switch (random.nextInt(5)) {
                case 0, 1 -> {
                    Job job = job("job-" + i, "api-" + upstream, permits[upstream]++, 2 + random.nextInt(3));
                    jobs.put(job);
                    expected.put(job.id(), job);
                    ids.add(job.id());
                }
                case 2 -> {
                    String id = any(ids, random);
                    Job before = expected.get(id);
                    if (before != null) {
                        Job again = job(id, before.upstream(), permit(before), before.revision() + 1);
                        jobs.put(again);
                        expected.put(id, again);
                    }
                }
                default -> {
                    String id = any(ids, random);
                    Job before = expected.remove(id);
                    assertThat(jobs.remove(id)).as("seed %d", seed).isEqualTo(before == null ? 0 : before.revision());
                }
            }
            String asked = any(ids, random);
            assertThat(jobs.get(asked)).as("seed %d", seed).isEqualTo(expected.get(asked));
        }
        for (String id : expected.keySet()) {
            jobs.remove(id);
        }
        heads.flush();

        assertThat(expected).as("seed %d", seed).isNotEmpty();
        assertThat(store.approximateNumEntries())
                .as("pages left, seed %d", seed)
                .isZero();
    }

    private static String any(List<String> ids, SplittableRandom random) {
        return ids.isEmpty() ? "none" : ids.get(Math.max(0, ids.size() - 1 - random.nextInt(300)));
    }

    private static long permit(Job job) {
        Long permit = job.place().permit();
        assertThat(permit).isNotNull();
        return permit;
    }

    private static Job job(String id, String upstream, long permit, long revision) {
        return new Job(
                Job.VERSION,
                new Job.Spec(id, "t", upstream, Priority.LOW, 1, AT, null, "hash"),
                JobStatus.DISPATCHED,
                revision,
                new Job.Tally(1, 0, 0, 0),
                new Job.Place(null, null, permit, AT, AT.plusSeconds(60)),
                null);
    }
}
