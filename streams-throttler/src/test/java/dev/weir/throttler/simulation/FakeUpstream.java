package dev.weir.throttler.simulation;

import dev.weir.contracts.wire.Answer;
import dev.weir.contracts.wire.Permit;
import dev.weir.throttler.quota.QuotaWindow;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * What the upstream sees, by its own clock, which is the true one: a plain list of calls, counted at each of them. It holds a
 * window to the limit under which the newest permit in it was given.
 */
final class FakeUpstream {
    /** A call as it came in. */
    record Arrival(long at, long permit, int cost) {}

    private final Agenda agenda;
    private Faults faults;
    private final SplittableRandom random;
    private final LongFunction<List<QuotaWindow>> windowsOf;
    private final List<Arrival> arrivals = new ArrayList<>();
    private final Set<Long> used = new HashSet<>();
    private long newest;
    private long downUntil;
    private long fullUntil;

    FakeUpstream(Agenda agenda, Faults faults, SplittableRandom random, LongFunction<List<QuotaWindow>> windowsOf) {
        this.agenda = agenda;
        this.faults = faults;
        this.random = random;
        this.windowsOf = windowsOf;
    }

    List<Arrival> arrivals() {
        return arrivals;
    }

    /** From now on nothing fails any more. */
    void calmDown() {
        faults = Faults.NONE;
        downUntil = 0;
        fullUntil = 0;
    }

    void downFor(long nanos) {
        downUntil = agenda.now() + nanos;
    }

    void fullFor(long nanos) {
        fullUntil = agenda.now() + nanos;
    }

    /** @return its answer, null when it gives none */
    @Nullable
    Answer call(Permit permit, int cost) {
        if (!used.add(permit.permit())) {
            throw new AssertionError("permit " + permit.permit() + " was used twice");
        }
        arrivals.add(new Arrival(agenda.now(), permit.permit(), cost));
        count();
        if (agenda.now() < downUntil || Chance.of(random, faults.failure())) {
            return switch (random.nextInt(4)) {
                case 0 -> answer(500, null);
                case 1 -> answer(503, null);
                case 2 -> answer(408, null);
                default -> null;
            };
        }
        if (agenda.now() < fullUntil || Chance.of(random, faults.pushback())) {
            return switch (random.nextInt(4)) {
                case 0 -> answer(429, null);
                case 1 -> answer(503, Integer.toString(random.nextInt(1, 30)));
                case 2 -> answer(429, httpDate(agenda.now() + random.nextLong(200) * Agenda.SECOND));
                default -> answer(429, Integer.toString(random.nextInt(random.nextBoolean() ? 5 : 5000)));
            };
        }
        return answer(Chance.of(random, faults.reject()) ? 400 : 200, null);
    }

    /** All calls in each window that ends with this one, by walking back through the list. */
    private void count() {
        long now = agenda.now();
        newest = Math.max(newest, arrivals.get(arrivals.size() - 1).permit());
        for (QuotaWindow window : windowsOf.apply(newest)) {
            long inside = 0;
            long newestInside = 0;
            for (int i = arrivals.size() - 1;
                    i >= 0 && arrivals.get(i).at() > now - window.per().toNanos();
                    i--) {
                inside += arrivals.get(i).cost();
                newestInside = Math.max(newestInside, arrivals.get(i).permit());
            }
            for (QuotaWindow inForce : windowsOf.apply(newestInside)) {
                if (inForce.per().equals(window.per()) && inside > inForce.limit()) {
                    throw new AssertionError("the upstream saw " + inside + " calls within " + window.per()
                            + " by its own clock, the limit is " + inForce.limit());
                }
            }
        }
    }

    private static Answer answer(int status, @Nullable String retryAfter) {
        return new Answer(status, retryAfter == null ? Map.of() : Map.of("retry-after", retryAfter), null, null, false);
    }

    private static String httpDate(long at) {
        return DateTimeFormatter.RFC_1123_DATE_TIME.format(
                Instant.ofEpochSecond(at / Agenda.SECOND).atOffset(ZoneOffset.UTC));
    }
}
