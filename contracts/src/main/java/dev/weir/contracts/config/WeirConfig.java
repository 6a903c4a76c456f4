package dev.weir.contracts.config;

import java.util.Map;

/**
 * The whole configuration file.
 *
 * @param upstreams by name, in the file's order
 * @param maxBodyBytes the largest body that {@code POST /v1/jobs} takes; 1 MiB unless set
 * @param clients who may call
 * @param results what is kept of the answers
 * @param database how many connections to it there may be
 */
public record WeirConfig(
        Map<String, UpstreamConfig> upstreams,
        int maxBodyBytes,
        Clients clients,
        ResultsSettings results,
        DatabaseSettings database) {
    public static final int DEFAULT_MAX_BODY_BYTES = 1024 * 1024;

    /** Without clients, and with the defaults for the rest. */
    public WeirConfig(Map<String, UpstreamConfig> upstreams, int maxBodyBytes) {
        this(upstreams, maxBodyBytes, Clients.NONE);
    }

    /** With the defaults for the rest. */
    public WeirConfig(Map<String, UpstreamConfig> upstreams, int maxBodyBytes, Clients clients) {
        this(upstreams, maxBodyBytes, clients, ResultsSettings.DEFAULT, DatabaseSettings.DEFAULT);
    }
}
