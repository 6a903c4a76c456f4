package dev.weir.throttler.simulation;

import java.time.Duration;
import java.util.SplittableRandom;

/** Draws that several parts need. */
final class Chance {
    private Chance() {}

    /** Once in so many; 0 is never. */
    static boolean of(SplittableRandom random, int oneIn) {
        return oneIn > 0 && random.nextInt(oneIn) == 0;
    }

    /** Nanoseconds until the next of a kind that comes at random, with this mean. */
    static long wait(SplittableRandom random, Duration mean) {
        return (long) (-Math.log(1 - random.nextDouble()) * mean.toNanos()) + 1;
    }

    /** Up to so long, short ones as likely as long ones. */
    static long upTo(SplittableRandom random, Duration longest) {
        return (long) (longest.toNanos() * Math.pow(random.nextDouble(), 3));
    }

    /** Off by at most so much, either way. */
    static long off(SplittableRandom random, Duration most) {
        return most.isZero() ? 0 : random.nextLong(-most.toNanos(), most.toNanos() + 1);
    }
}
