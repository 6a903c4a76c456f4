package dev.weir.contracts.limit;

import dev.weir.contracts.config.Tier;
import dev.weir.contracts.http.Problem;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.limit.Limiter.Holder;
import io.javalin.http.Context;
import org.jspecify.annotations.Nullable;

/**
 * What one caller may submit, and how an answer says it: in the fields {@code RateLimit} and {@code RateLimit-Policy} of
 * draft-ietf-httpapi-ratelimit-headers-10. Thread-safe.
 */
public final class Allowance {
    private static final String ATTRIBUTE = Allowance.class.getName();

    private final Limiter limiter;
    private final Holder holder;
    private final @Nullable Tier tier;
    private final boolean oldFields;

    /**
     * @param tier null for any number
     * @param oldFields whether answers carry {@code X-RateLimit-Limit}, {@code -Remaining} and {@code -Reset} too
     */
    public Allowance(Limiter limiter, Holder holder, @Nullable Tier tier, boolean oldFields) {
        this.limiter = limiter;
        this.holder = holder;
        this.tier = tier;
        this.oldFields = oldFields;
    }

    /**
     * That of the caller who made this request.
     *
     * @throws IllegalStateException on a route where nothing is submitted
     */
    public static Allowance of(Context ctx) {
        Allowance allowance = ctx.attribute(ATTRIBUTE);
        if (allowance == null) {
            throw new IllegalStateException("nothing is counted at " + ctx.path());
        }
        return allowance;
    }

    public void attachTo(Context ctx) {
        ctx.attribute(ATTRIBUTE, this);
    }

    /** Takes one permit, for one job; answers why it cannot be had, null when it was. */
    public @Nullable QuotaExceeded take() {
        Decision decision = tier == null ? null : limiter.take(holder, tier, 1);
        return decision == null || decision.allowed() ? null : QuotaExceeded.of(decision);
    }

    /**
     * Takes permits for a whole request, and says in the answer's fields what is left.
     *
     * @param permits 0 to look only
     * @return false when they cannot be had; the answer is written then
     */
    public boolean take(Context ctx, int permits) {
        if (tier == null) {
            return true;
        }
        Decision decision = limiter.take(holder, tier, permits);
        say(ctx, tier, decision);
        if (decision.allowed()) {
            return true;
        }
        ctx.header("Retry-After", Long.toString(decision.retrySeconds()));
        ctx.status(429).contentType(Problem.MEDIA_TYPE).result(Json.bytes(QuotaExceeded.of(decision)));
        return false;
    }

    private void say(Context ctx, Tier of, Decision decision) {
        // A tier's name has no character that a structured field's string would have to escape.
        String name = "\"" + of.name() + "\"";
        ctx.header(
                "RateLimit-Policy",
                name + ";q=" + of.permits() + ";w=" + of.per().toSeconds());
        ctx.header(
                "RateLimit",
                name + ";r=" + decision.remaining() + (decision.nextNs() == 0 ? "" : ";t=" + decision.nextSeconds()));
        if (oldFields) {
            ctx.header("X-RateLimit-Limit", Integer.toString(of.permits()));
            ctx.header("X-RateLimit-Remaining", Integer.toString(decision.remaining()));
            ctx.header("X-RateLimit-Reset", Long.toString(decision.nextSeconds()));
        }
    }
}
