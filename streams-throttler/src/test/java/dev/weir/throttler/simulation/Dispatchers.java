package dev.weir.throttler.simulation;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Answer;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Three dispatchers, each with a clock of its own, as they should be: a permit is used once, inside [slot, slot + ttl) by the
 * clock of who holds it, or handed back, or lost. Outcomes reach the topic in time, late, twice or never.
 */
final class Dispatchers {
    private static final int MANY = 3;
    private static final Duration WAY = Duration.ofMillis(60);
    private static final Duration PAUSE = Duration.ofSeconds(25);
    private static final Duration LATE = Duration.ofHours(2);
    private static final Duration CLOCK_EVERY = Duration.ofHours(3);

    private final Agenda agenda;
    private Faults faults;
    private final SplittableRandom random;
    private final FakeUpstream upstream;
    private final ToIntFunction<String> costOf;
    private final Consumer<Outcome> topic;
    private final long[] clocks = new long[MANY];
    private long downUntil;
    private long missing;

    Dispatchers(
            Agenda agenda,
            Faults faults,
            SplittableRandom random,
            FakeUpstream upstream,
            ToIntFunction<String> costOf,
            Consumer<Outcome> topic) {
        this.agenda = agenda;
        this.faults = faults;
        this.random = random;
        this.upstream = upstream;
        this.costOf = costOf;
        this.topic = topic;
        setClocks();
    }

    private void setClocks() {
        for (int i = 0; i < MANY; i++) {
            clocks[i] = Chance.off(random, faults.dispatcherClock());
        }
        agenda.in(Chance.wait(random, CLOCK_EVERY), this::setClocks);
    }

    /** From now on nothing fails any more. */
    void calmDown() {
        faults = Faults.NONE;
        downUntil = 0;
    }

    void downFor(long nanos) {
        downUntil = agenda.now() + nanos;
    }

    /** Permits of which no outcome will come. */
    long missing() {
        return missing;
    }

    /** The permit is committed. */
    void take(Permit permit) {
        if (Chance.of(random, faults.losePermit())) {
            missing++;
            return;
        }
        long seen = Math.max(agenda.now(), downUntil) + way();
        if (Chance.of(random, faults.latePermit())) {
            seen += Chance.upTo(random, PAUSE);
        }
        long clock = clocks[random.nextInt(MANY)];
        agenda.at(Math.max(seen, EpochNanos.of(permit.slot()) - clock), () -> slot(permit, clock));
    }

    private void slot(Permit permit, long clock) {
        long now = agenda.now() + clock;
        if (now >= EpochNanos.of(permit.expiresAt()) || Chance.of(random, faults.handBack())) {
            report(permit, Outcome.Kind.RETURNED, null, now, null);
        } else if (Chance.of(random, faults.refuse())) {
            report(permit, Outcome.Kind.REFUSED, null, now, null);
        } else if (Chance.of(random, faults.failure())) {
            // No connection: the upstream saw nothing.
            report(permit, Outcome.Kind.FAILED, random.nextBoolean() ? now : null, now, null);
        } else {
            long network = random.nextLong(faults.network().toNanos());
            agenda.in(network, () -> arrive(permit, clock, now));
        }
    }

    private void arrive(Permit permit, long clock, long started) {
        Answer answer = upstream.call(permit, costOf.applyAsInt(permit.jobId()));
        if (Chance.of(random, faults.loseOutcome())) {
            missing++;
            return;
        }
        long timeout = started - clock + permit.timeoutMs() * Agenda.MS;
        long ended = agenda.now() + 1 + Chance.upTo(random, faults.slowest());
        boolean inTime = answer != null && ended < timeout;
        long known = inTime ? ended : Math.max(agenda.now(), timeout);
        agenda.at(
                known,
                () -> report(
                        permit,
                        inTime ? Outcome.Kind.ANSWERED : Outcome.Kind.FAILED,
                        started,
                        known + clock,
                        inTime ? answer : null));
    }

    private void report(Permit permit, Outcome.Kind kind, @Nullable Long started, long ended, @Nullable Answer answer) {
        Outcome outcome = new Outcome(
                Outcome.VERSION,
                permit.jobId(),
                permit.tenant(),
                permit.upstream(),
                permit.permit(),
                permit.attempt(),
                kind,
                permit.slot(),
                started == null ? null : EpochNanos.toInstant(started),
                EpochNanos.toInstant(ended),
                answer,
                answer == null ? "no answer" : null);
        long late = Chance.of(random, faults.lateOutcome()) ? Chance.upTo(random, LATE) : 0;
        agenda.in(way() + late, () -> topic.accept(outcome));
        if (Chance.of(random, faults.duplicate())) {
            agenda.in(way() + Chance.upTo(random, LATE), () -> topic.accept(outcome));
        }
    }

    private long way() {
        return Agenda.MS + random.nextLong(WAY.toNanos());
    }
}
