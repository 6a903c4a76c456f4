package dev.weir.contracts.limit;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.weir.contracts.config.Tier;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.LongSupplier;

/**
 * The limiter of one process: a {@link SlidingWindow} for each holder and tier. Of two processes each gives the whole quota.
 * Thread-safe.
 */
public final class SlidingWindows implements Limiter {
    /**
     * Addresses that are counted at a time. Of more that call within one window, those that call least are forgotten and
     * begin anew; with the default tier all of them together take less than 150 MB.
     */
    public static final int MOST_ADDRESSES = 100_000;

    /** Beyond a window, because an address is looked up a moment before its permit is taken. */
    static final Duration SILENT = Duration.ofSeconds(10);

    private final LongSupplier nanoTime;
    /** As many as there are clients in the configuration, at most. */
    private final ConcurrentMap<Quota, SlidingWindow> tenants = new ConcurrentHashMap<>();

    private final Cache<Quota, SlidingWindow> addresses;

    private record Quota(String holder, String tier) {}

    /** @param window of the tier by which addresses are counted */
    public SlidingWindows(Duration window) {
        this(System::nanoTime, window, MOST_ADDRESSES);
    }

    /** @param nanoTime monotonic nanoseconds from any point on */
    SlidingWindows(LongSupplier nanoTime, Duration window, int mostAddresses) {
        this.nanoTime = nanoTime;
        this.addresses = Caffeine.newBuilder()
                .maximumSize(mostAddresses)
                // One that was silent for a whole window has its whole quota again: nothing is lost with it.
                .expireAfterAccess(window.plus(SILENT))
                .ticker(nanoTime::getAsLong)
                .build();
    }

    /** How many addresses are kept right now. */
    long addresses() {
        addresses.cleanUp();
        return addresses.estimatedSize();
    }

    @Override
    public Decision take(Holder holder, Tier tier, int permits) {
        Quota quota = new Quota(holder.name(), tier.name());
        SlidingWindow window;
        if (holder.kind() == Kind.TENANT) {
            window = tenants.get(quota);
            if (window == null) {
                window = tenants.computeIfAbsent(quota, q -> new SlidingWindow(tier, nanoTime));
            }
        } else {
            window = addresses.get(quota, q -> new SlidingWindow(tier, nanoTime));
        }
        return window.take(permits);
    }
}
