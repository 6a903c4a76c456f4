package dev.weir.contracts.access;

import dev.weir.contracts.config.ClientRole;
import dev.weir.contracts.config.Tier;
import dev.weir.contracts.limit.Limiter;
import io.javalin.http.Context;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Who is asking, as their credential says; nothing else in a request says it. Immutable.
 *
 * @param tenant whose jobs are submitted
 * @param tier how many jobs may be submitted; null for any number
 */
public record Caller(
        String tenant, Set<ClientRole> roles, @Nullable Tier tier) {
    /** Who calls from this machine where no clients are configured. */
    public static final Caller LOCAL = new Caller("local", EnumSet.allOf(ClientRole.class), null);

    private static final String ATTRIBUTE = Caller.class.getName();

    public Caller {
        roles = Set.copyOf(roles);
    }

    /**
     * Who made this request.
     *
     * @throws IllegalStateException on a route that is open to all, where nobody was asked
     */
    public static Caller of(Context ctx) {
        Caller caller = ctx.attribute(ATTRIBUTE);
        if (caller == null) {
            throw new IllegalStateException("nobody was asked who they are at " + ctx.path());
        }
        return caller;
    }

    /** Whose quota of its tier counts what this caller submits: all keys of a tenant and tier share one. */
    Limiter.Holder holder() {
        return new Limiter.Holder(Limiter.Kind.TENANT, tenant);
    }

    void attachTo(Context ctx) {
        ctx.attribute(ATTRIBUTE, this);
    }

    /** Whether this caller may know of what belongs to a tenant: its own, and for operators and analysts everyone's. */
    public boolean sees(String otherTenant) {
        return seesAll() || tenant.equals(otherTenant);
    }

    /** Whether this caller may know of what belongs to any tenant. */
    public boolean seesAll() {
        return roles.contains(ClientRole.OPERATOR) || roles.contains(ClientRole.ANALYST);
    }
}
