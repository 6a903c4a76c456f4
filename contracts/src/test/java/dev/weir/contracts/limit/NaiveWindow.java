package dev.weir.contracts.limit;

import dev.weir.contracts.config.Tier;
import java.util.ArrayDeque;
import java.util.Deque;

/** The same decisions with no thought for speed: every permit that was given, looked at each time. */
final class NaiveWindow {
    private final Tier tier;
    private final Deque<Long> given = new ArrayDeque<>();

    NaiveWindow(Tier tier) {
        this.tier = tier;
    }

    Decision take(long now, int permits) {
        long window = tier.per().toNanos();
        given.removeIf(at -> at <= now - window);
        boolean allowed = given.size() + permits <= tier.permits();
        long retry = 0;
        if (permits > tier.permits()) {
            retry = window + 1;
        } else if (!allowed) {
            long later = given.stream()
                    .skip(given.size() + permits - tier.permits() - 1L)
                    .findFirst()
                    .orElseThrow();
            retry = later + window - now;
        }
        for (int i = 0; allowed && i < permits; i++) {
            given.add(now);
        }
        long next = given.isEmpty() ? 0 : given.getFirst() + window - now;
        return new Decision(tier, allowed, tier.permits() - given.size(), next, retry);
    }
}
