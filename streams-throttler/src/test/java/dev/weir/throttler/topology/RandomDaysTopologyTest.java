package dev.weir.throttler.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Permit;
import dev.weir.contracts.wire.Priority;
import dev.weir.throttler.testing.Reply;
import dev.weir.throttler.testing.SettingsBuilder;
import dev.weir.throttler.testing.Submission;
import dev.weir.throttler.testing.ThrottleHarness;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Two days of the whole topology, stores and changelogs included, in virtual time, in which anything may fail at any time.
 * {@code -Dweir.seed=N} runs one seed again, {@code -Dweir.days=N} so many pairs of days. What the decisions alone must hold is
 * compared with a naive reference in {@code SimulationTest}.
 */
class RandomDaysTopologyTest {
    private static final Duration RUN = Duration.ofHours(48);
    private static final Duration MOST_BETWEEN = Duration.ofMinutes(30);
    /** The last retry, and a backlog under the lowest limits. */
    private static final Duration REST = Duration.ofDays(4);

    private static final Duration FORGOTTEN = Duration.ofDays(8);
    private static final List<String> TENANTS = List.of("acme", "globex", "initech");
    private static final int MOST_COST = 5;
    private static final int MOST_JOBS_AT_ONCE = 20;

    static List<Long> seeds() {
        String seed = System.getProperty("weir.seed");
        return seed != null
                ? List.of(Long.parseLong(seed))
                : new SplittableRandom(48)
                        .longs(Integer.getInteger("weir.days", 3))
                        .map(n -> n >>> 32)
                        .boxed()
                        .toList();
    }

    @ParameterizedTest(name = "-Dweir.seed={0}")
    @MethodSource("seeds")
    void shouldLoseNothingAndNeverExceed_whateverFails(long seed) {
        try (Days days = new Days(seed)) {
            days.run();
        }
    }

    private static final class Days implements AutoCloseable {
        private final SplittableRandom random;
        private final Map<Duration, Integer> highest = new HashMap<>();
        private final List<JobRequest> jobs = new ArrayList<>();
        private final ThrottleHarness harness;

        Days(long seed) {
            random = new SplittableRandom(seed);
            harness = ThrottleHarness.of(settings());
        }

        void run() {
            harness.dispatcher().replies(this::reply).start();
            Instant end = harness.now().plus(RUN);
            while (harness.now().isBefore(end)) {
                step();
                harness.advance(upTo(MOST_BETWEEN));
                checkQuota();
            }
            harness.resume();
            harness.dispatcher().latency(Duration.ofMillis(20)).start();
            harness.advanceUntilFinished(REST);

            checkQuota();
            jobs.forEach(this::checkJob);
            assertThat(harness.permits()).extracting(Permit::permit).doesNotHaveDuplicates();
            harness.advance(FORGOTTEN);
            // A tick forgets a bounded number of them, and time without anything else has only one.
            harness.advance(Duration.ofSeconds(10));
            // The upstream, two marks and what a window still holds; nothing of any job.
            assertThat(harness.storedEntries()).as("%s", harness.storedKinds()).isLessThan(6);
        }

        @Override
        public void close() {
            harness.close();
        }

        private void step() {
            switch (random.nextInt(16)) {
                case 0 -> harness.restart(upTo(Duration.ofMinutes(random.nextInt(1, 10))));
                case 1 -> harness.stall(upTo(Duration.ofMinutes(5)));
                case 2 -> harness.dispatcher().kill();
                case 3 -> harness.dispatcher().stop();
                case 4 -> harness.pause();
                case 5 -> harness.configure(settings());
                case 6 -> harness.dispatcher().latency(upTo(Duration.ofSeconds(40)));
                case 7 -> cancelOne();
                case 8 -> sendOneAgain();
                case 9 -> harness.pipe(Topics.OUTCOMES, "gemini", "{".getBytes(StandardCharsets.UTF_8));
                case 10, 11 -> {
                    harness.resume();
                    harness.dispatcher().latency(Duration.ofMillis(20)).start();
                }
                default -> submitSome();
            }
        }

        private void submitSome() {
            for (int n = random.nextInt(1, MOST_JOBS_AT_ONCE); n > 0; n--) {
                Submission job = harness.job()
                        .id(id())
                        .tenant(TENANTS.get(random.nextInt(TENANTS.size())))
                        .priority(Priority.values()[random.nextInt(Priority.values().length)])
                        .cost(random.nextInt(4) == 0 ? random.nextInt(1, MOST_COST + 1) : 1);
                if (random.nextInt(5) == 0) {
                    job.notBefore(upTo(Duration.ofHours(2)));
                }
                if (random.nextInt(5) == 0) {
                    job.deadline(upTo(Duration.ofHours(4)));
                }
                jobs.add(job.submit());
            }
        }

        /** As an ingress gives them: by time and chance, or, of those with a key, by neither. */
        private String id() {
            long high = random.nextInt(4) == 0
                    ? random.nextLong() & ~0xf000L | 0x8000L
                    : harness.now().toEpochMilli() << 16 | 0x7000L;
            return new UUID(high, Long.MIN_VALUE | random.nextLong() >>> 2).toString();
        }

        private void cancelOne() {
            if (!jobs.isEmpty()) {
                harness.cancel(jobs.get(random.nextInt(jobs.size())));
            }
        }

        /** The same once more, which is passed over as long as it is known. */
        private void sendOneAgain() {
            if (!jobs.isEmpty()) {
                harness.send(jobs.get(random.nextInt(jobs.size())));
            }
        }

        private Reply reply(Permit permit) {
            return switch (random.nextInt(20)) {
                case 0 -> Reply.of(500);
                case 1 -> Reply.of(400);
                case 2 -> Reply.failure();
                case 3 -> Reply.loss();
                case 4 -> Reply.retryAfter(Duration.ofSeconds(random.nextInt(1, 90)));
                default -> Reply.of(200);
            };
        }

        private UpstreamSettings settings() {
            List<Limit> limits = List.of(
                    new Limit(random.nextInt(8, 60), Duration.ofMinutes(1)),
                    new Limit(random.nextInt(60, 300), Duration.ofHours(1)));
            limits.forEach(limit -> highest.merge(limit.per(), Math.toIntExact(limit.permits()), Math::max));
            return SettingsBuilder.withLimits(limits.toArray(Limit[]::new))
                    .burst(random.nextInt(6))
                    .maxInFlight(random.nextInt(2, 20))
                    .retries(Duration.ofMinutes(5), Duration.ofMinutes(15))
                    .circuitBreaker(random.nextInt(2, 6), Duration.ofSeconds(30), random.nextInt(1, 4))
                    .build();
        }

        /** Each window is held to the highest limit that was in force; which it was when is the reference's to tell. */
        private void checkQuota() {
            highest.forEach((per, limit) -> {
                harness.slots().neverMoreThan(limit * 9L / 10).inAny(per);
                harness.calls().neverMoreThan(limit).inAny(per);
            });
        }

        private void checkJob(JobRequest job) {
            List<JobEvent> events = harness.events(job);
            assertThat(events).as("job %s", job.id()).isNotEmpty();
            for (int i = 0; i < events.size(); i++) {
                assertThat(events.get(i).revision()).isEqualTo(i + 1L);
                assertThat(events.get(i).status().finished())
                        .as("job %s: %s", job.id(), harness.statuses(job))
                        .isEqualTo(i == events.size() - 1);
            }
            if (events.get(events.size() - 1).status() == JobStatus.DEAD) {
                assertThat(harness.deadLetters()).anyMatch(letter -> job.id().equals(letter.jobId()));
            }
        }

        private Duration upTo(Duration most) {
            return Duration.ofMillis(random.nextLong(1, most.toMillis()));
        }
    }
}
