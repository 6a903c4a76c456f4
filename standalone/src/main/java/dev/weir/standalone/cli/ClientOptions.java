package dev.weir.standalone.cli;

import dev.weir.standalone.client.WeirClient;
import java.net.URI;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What every client command takes. */
final class ClientOptions {
    @Option(
            names = "--url",
            paramLabel = "URL",
            description = "Where Weir is (or WEIR_URL; http://127.0.0.1:8080 unless set).",
            defaultValue = "${env:WEIR_URL:-http://127.0.0.1:8080}")
    URI url = URI.create("http://127.0.0.1:8080");

    @Option(names = "--json", description = "Machine-readable output.")
    boolean json;

    @Mixin
    ApiKeyOption apiKey = new ApiKeyOption();

    WeirClient client() {
        return client("--url", url, apiKey);
    }

    /** @param option which named the URL */
    static WeirClient client(String option, URI url, ApiKeyOption apiKey) {
        if (url.getScheme() == null || !url.getScheme().startsWith("http") || url.getHost() == null) {
            throw new CliException(option + ": expected http(s)://host:port, but it is " + url);
        }
        return new WeirClient(url, apiKey.get());
    }
}
