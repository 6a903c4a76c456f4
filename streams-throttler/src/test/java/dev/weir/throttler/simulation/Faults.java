package dev.weir.throttler.simulation;

import java.time.Duration;
import java.util.SplittableRandom;

/**
 * How bad it is. What happens now and then is given as the mean time between two of its kind, what happens to a call as one
 * call in so many; zero is never.
 *
 * @param crashEvery the throttle's process dies in the middle of a transaction
 * @param longestDown how long it may be gone then
 * @param stallEvery the process stands still, with what it has not committed
 * @param longestStall of these
 * @param throttleClock how far the throttle's clock may be off, either way, drawn anew at each start of the process
 * @param dispatcherClock how far a dispatcher's clock may be off, either way
 * @param network the longest way of a call to the upstream
 * @param dispatchersDownEvery no dispatcher reads permits
 * @param upstreamDownEvery the upstream fails every call
 * @param upstreamFullEvery the upstream pushes every call back
 * @param longestOutage of these three
 * @param slowest the longest that the upstream takes for an answer
 * @param losePermit a dispatcher dies with the permit: nothing comes of it
 * @param loseOutcome the call was made and its outcome is lost
 * @param lateOutcome it comes much later
 * @param duplicate it comes twice
 * @param latePermit the dispatcher gets to the permit late
 * @param handBack the dispatcher has no use for it
 * @param refuse the dispatcher refuses the call
 * @param failure the call fails
 * @param reject the upstream says that no try could succeed
 * @param pushback the upstream has enough for now
 */
record Faults(
        Duration crashEvery,
        Duration longestDown,
        Duration stallEvery,
        Duration longestStall,
        Duration throttleClock,
        Duration dispatcherClock,
        Duration network,
        Duration dispatchersDownEvery,
        Duration upstreamDownEvery,
        Duration upstreamFullEvery,
        Duration longestOutage,
        Duration slowest,
        int losePermit,
        int loseOutcome,
        int lateOutcome,
        int duplicate,
        int latePermit,
        int handBack,
        int refuse,
        int failure,
        int reject,
        int pushback) {
    private static final Duration LONGEST_WAY = Duration.ofSeconds(1);
    private static final Duration NEVER = Duration.ZERO;

    static final Faults NONE = new Faults(
            NEVER,
            NEVER,
            NEVER,
            NEVER,
            Duration.ZERO,
            Duration.ZERO,
            Duration.ofMillis(5),
            NEVER,
            NEVER,
            NEVER,
            NEVER,
            Duration.ofMillis(100),
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0);

    /** Nothing fails, but each start of the process comes up with another clock. */
    static Faults clockOffBy(Duration most) {
        return new Faults(
                NEVER,
                NEVER,
                NEVER,
                NEVER,
                most,
                NONE.dispatcherClock,
                NONE.network,
                NEVER,
                NEVER,
                NEVER,
                NEVER,
                NONE.slowest,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0);
    }

    /** Each kind of fault is there or not, rare or frequent, on its own; now and then one is there all the time. */
    static Faults random(SplittableRandom random, Duration timeout, Duration clocksApart) {
        int[] calls = new int[10];
        for (int i = 0; i < calls.length; i++) {
            calls[i] = (int) pick(random, 0, 0, 1000, 200, 30);
        }
        if (random.nextInt(3) == 0) {
            int worst = random.nextInt(calls.length);
            // An upstream that pushes every call back is the only way to be pushed back twenty times.
            calls[worst] = worst == calls.length - 1 ? 1 : 2;
        }
        return new Faults(
                every(random, 10, 60, 600),
                Duration.ofMillis(pick(random, 500, 5000, 20_000, 3_600_000)),
                every(random, 10, 60, 600),
                Duration.ofMillis(pick(random, 1500, 9000, 60_000, 600_000)),
                Duration.ofMillis(pick(random, 0, 100, 1000, 5000)),
                clocksApart.multipliedBy(random.nextInt(3)).dividedBy(2),
                LONGEST_WAY.dividedBy(pick(random, 1, 10, 100)),
                every(random, 180, 600),
                every(random, 180, 600),
                every(random, 180, 600),
                Duration.ofMinutes(pick(random, 1, 10, 30)),
                Duration.ofMillis(pick(random, 50, 500, timeout.toMillis() / 2, timeout.toMillis() * 5 / 4)),
                calls[0],
                calls[1],
                calls[2],
                calls[3],
                calls[4],
                calls[5],
                calls[6],
                calls[7],
                calls[8],
                calls[9]);
    }

    private static Duration every(SplittableRandom random, int... minutes) {
        return random.nextInt(3) == 0 ? NEVER : Duration.ofMinutes(minutes[random.nextInt(minutes.length)]);
    }

    static long pick(SplittableRandom random, long... of) {
        return of[random.nextInt(of.length)];
    }
}
