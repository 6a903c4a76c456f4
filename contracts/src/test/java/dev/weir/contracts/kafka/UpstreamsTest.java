package dev.weir.contracts.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.AuthSettings;
import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.Secret;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.wire.UpstreamRecord;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

class UpstreamsTest {
    private static final UpstreamSettings FILE = UpstreamSettings.of(new Limit(1000, Duration.ofMinutes(1)));
    private static final UpstreamSettings LIVE = UpstreamSettings.of(new Limit(300, Duration.ofMinutes(1)));
    private static final UpstreamConfig API = new UpstreamConfig(
            "api", URI.create("https://api.example/v1"), FILE, new AuthSettings("x-key", new Secret("s3cret")));

    private final Upstreams upstreams = new Upstreams(
            new WeirConfig(Map.of("api", API), WeirConfig.DEFAULT_MAX_BODY_BYTES),
            new KafkaSettings("127.0.0.1:1", "test", Path.of("unused"), (short) 1, KafkaSettings.SESSION_TIMEOUT));

    @Test
    void shouldBeTheFiles_whenNothingWasChangedLive() {
        assertThat(upstreams.of("api")).isEqualTo(API);
        assertThat(upstreams.notReady()).contains("weir.upstreams");
    }

    @Test
    void shouldHaveTheLiveSettingsAndTheFilesAddressAndSecret_whenItWasChangedLive() {
        upstreams.wrote("api", record(2, LIVE), 10);

        assertThat(upstreams.of("api")).isEqualTo(new UpstreamConfig("api", API.baseUrl(), LIVE, API.auth()));
    }

    @Test
    void shouldBeTheFilesAgain_whenTheRecordIsTakenAway() {
        upstreams.wrote("api", record(2, LIVE), 10);
        upstreams.wrote("api", null, 11);

        assertThat(upstreams.of("api")).isEqualTo(API);
        assertThat(upstreams.records()).isEmpty();
    }

    @Test
    void shouldNotStepBack_whenTheReaderComesToWhatWasBeforeItsOwnWrite() {
        upstreams.wrote("api", record(2, LIVE), 10);

        upstreams.wrote("api", record(1, FILE), 9);
        upstreams.wrote("api", null, 8);

        assertThat(upstreams.record("api")).isEqualTo(record(2, LIVE));
    }

    @Test
    void shouldKnowNoOther_whenTheFileDoesNotNameIt() {
        upstreams.wrote("other", record(2, LIVE), 10);

        assertThat(upstreams.of("other")).isNull();
        assertThat(upstreams.records()).containsOnlyKeys("other");
    }

    private static UpstreamRecord record(long revision, UpstreamSettings settings) {
        return new UpstreamRecord(1, "api", revision, Instant.EPOCH, settings, false, false, FILE);
    }
}
