package dev.weir.throttler.simulation;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.CancelRequest;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.Priority;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Those who submit: in waves, from several tenants and with all priorities, some for later, some with a deadline, some twice. */
final class Clients {
    private static final Call CALL = new Call("POST", "/", Map.of(), null, null);
    private static final Duration LONGEST_WAVE = Duration.ofHours(3);
    private static final Duration LATEST_NOT_BEFORE = Duration.ofHours(8);
    private static final Duration LATEST_DEADLINE = Duration.ofHours(24);
    private static final Duration AGAIN_WITHIN = Duration.ofHours(2);
    private static final int SCHEDULED = 15;
    private static final int WITH_DEADLINE = 8;
    private static final int TOO_COSTLY = 300;
    private static final int TWICE = 60;
    private static final int OTHERS = 10;
    private static final Duration CANCEL_WITHIN = Duration.ofHours(6);

    private final Agenda agenda;
    private final Scenario scenario;
    private final SplittableRandom random;
    private final Consumer<JobRequest> topic;
    private final Consumer<CancelRequest> cancels;
    private final Set<String> accepted = new HashSet<>();

    Clients(
            Agenda agenda,
            Scenario scenario,
            SplittableRandom random,
            Consumer<JobRequest> topic,
            Consumer<CancelRequest> cancels) {
        this.agenda = agenda;
        this.scenario = scenario;
        this.random = random;
        this.topic = topic;
        this.cancels = cancels;
    }

    /** The ids of all jobs that stand in the topic. */
    Set<String> accepted() {
        return accepted;
    }

    void start() {
        int left = scenario.jobs();
        for (int wave = scenario.waves(); wave > 0; wave--) {
            int size = wave == 1 ? left : (int) Math.min(left, 2L * left * random.nextDouble() / wave);
            left -= size;
            long at = agenda.now()
                    + random.nextLong(scenario.length().minus(LONGEST_WAVE).toNanos());
            long over = random.nextInt(3) == 0 ? 1 : 1 + Chance.upTo(random, LONGEST_WAVE);
            for (int i = 0; i < size; i++) {
                agenda.at(at + random.nextLong(over), this::submit);
            }
        }
    }

    private void submit() {
        int cost = Chance.of(random, TOO_COSTLY)
                ? (int) scenario.settings().smallestBudget() + 1
                : random.nextInt(1, scenario.highestCost() + 1);
        Instant now = EpochNanos.toInstant(agenda.now());
        submit(
                cost,
                Chance.of(random, SCHEDULED) ? now.plusNanos(Chance.upTo(random, LATEST_NOT_BEFORE)) : null,
                Chance.of(random, WITH_DEADLINE)
                        ? now.plusNanos(Chance.upTo(random, LATEST_DEADLINE)).minusMillis(random.nextInt(200))
                        : null);
    }

    /** One job of any tenant and priority. */
    void submit(int cost, @Nullable Instant notBefore, @Nullable Instant deadline) {
        String id = "job-" + accepted.size();
        accepted.add(id);
        String tenant = "tenant-" + random.nextInt(scenario.tenants());
        Priority priority = Priority.values()[random.nextInt(Priority.values().length)];
        Instant now = EpochNanos.toInstant(agenda.now());
        JobRequest request = request(id, tenant, priority, notBefore, deadline, cost, now, "hash");
        topic.accept(request);
        if (Chance.of(random, TWICE)) {
            JobRequest again = request(
                    id, tenant, priority, notBefore, deadline, cost, now, random.nextBoolean() ? "hash" : "another");
            agenda.in(Chance.upTo(random, AGAIN_WITHIN), () -> topic.accept(again));
        }
        if (Chance.of(random, scenario.cancelled())) {
            String who = Chance.of(random, OTHERS) ? "somebody" : tenant;
            CancelRequest cancel =
                    new CancelRequest(CancelRequest.VERSION, "cancel-" + id, id, who, Scenario.UPSTREAM, now);
            agenda.in(Chance.upTo(random, CANCEL_WITHIN), () -> cancels.accept(cancel));
        }
    }

    private static JobRequest request(
            String id,
            String tenant,
            Priority priority,
            @Nullable Instant notBefore,
            @Nullable Instant deadline,
            int cost,
            Instant acceptedAt,
            String hash) {
        return new JobRequest(
                JobRequest.VERSION,
                id,
                tenant,
                Scenario.UPSTREAM,
                CALL,
                priority,
                notBefore,
                deadline,
                cost,
                acceptedAt,
                hash,
                null);
    }
}
