package dev.weir.standalone.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.contracts.config.Limit;
import java.math.BigDecimal;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What an upstream allows, and how much of it is used: to be set, or as a what-if. */
final class QuotaOptions {
    @Option(
            names = "--limit",
            paramLabel = "N/WINDOW",
            converter = LimitConverter.class,
            description = "Such as 300/1m. All limits that there are, each with a --limit of its own.")
    List<Limit> limits = List.of();

    @Option(names = "--utilization", paramLabel = "SHARE", description = "How much of each limit is used, such as 0.9.")
    @Nullable
    BigDecimal utilization;

    @Option(names = "--burst", paramLabel = "N", description = "Permits it may fall behind and make up again.")
    @Nullable
    Integer burst;

    /** Under the names of the configuration file. */
    void addTo(ObjectNode patch) {
        if (!limits.isEmpty()) {
            ArrayNode all = patch.putArray("limits");
            for (Limit limit : limits) {
                all.addObject()
                        .put("permits", limit.permits())
                        .put("per", limit.per().toString());
            }
        }
        if (utilization != null) {
            patch.put("utilization", utilization);
        }
        if (burst != null) {
            patch.put("burst", burst);
        }
    }
}
