package dev.weir.status;

import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which jobs a list is of.
 *
 * @param tenant null for all of them
 * @param statuses empty for all of them
 * @param fromMs epoch milliseconds of acceptance, the first that is in
 * @param toMs the first that is no longer in
 */
record ListFilter(
        @Nullable String tenant,
        Set<JobStatus> statuses,
        @Nullable String upstream,
        long fromMs,
        long toMs) {
    ListFilter {
        statuses = Set.copyOf(statuses);
    }

    static Set<JobStatus> statuses(Collection<JobStatus> some) {
        return some.isEmpty() ? Set.of() : EnumSet.copyOf(some);
    }

    boolean passes(Listing.Entry entry) {
        return passes(entry.status(), entry.upstream());
    }

    boolean passes(JobEvent job) {
        return passes(job.status(), job.upstream());
    }

    private boolean passes(JobStatus status, String itsUpstream) {
        return (statuses.isEmpty() || statuses.contains(status)) && (upstream == null || upstream.equals(itsUpstream));
    }

    /** As a query, for another instance. */
    String query() {
        StringBuilder query = new StringBuilder("from=" + fromMs + "&to=" + toMs);
        query.append("&status=")
                .append(statuses.stream().map(Enum::name).sorted().collect(Collectors.joining(",")));
        if (tenant != null) {
            query.append("&tenant=").append(URLEncoder.encode(tenant, StandardCharsets.UTF_8));
        }
        if (upstream != null) {
            query.append("&upstream=").append(URLEncoder.encode(upstream, StandardCharsets.UTF_8));
        }
        return query.toString();
    }
}
