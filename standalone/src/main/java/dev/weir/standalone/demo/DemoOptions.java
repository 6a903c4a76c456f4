package dev.weir.standalone.demo;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.WeirConfig;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * @param jobs how many are submitted
 * @param ratePerMinute what the fake API allows
 * @param stopAfter ends the run then, with jobs still waiting; null to see all of them through
 * @param live redraw one screen instead of printing lines
 */
public record DemoOptions(
        int jobs, int ratePerMinute, @Nullable Duration stopAfter, boolean live) {
    static final String UPSTREAM = "demo";
    private static final Duration WINDOW = Duration.ofMinutes(1);
    /** Beyond what the budget alone takes: the start, the last answers, a busy machine. */
    private static final Duration SLACK = Duration.ofSeconds(60);

    long budgetPerMinute() {
        return limit().budget(UpstreamSettings.DEFAULT_UTILIZATION);
    }

    Limit limit() {
        return new Limit(ratePerMinute, WINDOW);
    }

    /** After which the run has failed. */
    Duration patience() {
        return WINDOW.multipliedBy(jobs).dividedBy(budgetPerMinute()).plus(SLACK);
    }

    WeirConfig config(int fakePort) {
        UpstreamConfig upstream = new UpstreamConfig(
                UPSTREAM, URI.create("http://127.0.0.1:" + fakePort), UpstreamSettings.of(limit()), null);
        return new WeirConfig(Map.of(UPSTREAM, upstream), WeirConfig.DEFAULT_MAX_BODY_BYTES);
    }
}
