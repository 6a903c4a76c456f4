package dev.weir.throttler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.UpstreamRecord;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SeedingTest {
    private static final Instant BEFORE = Instant.parse("2026-11-22T10:00:00Z");
    private static final Instant NOW = BEFORE.plusSeconds(60);
    private static final UpstreamSettings OLD_FILE = UpstreamSettings.of(new Limit(1000, Duration.ofMinutes(1)));
    private static final UpstreamSettings NEW_FILE = UpstreamSettings.of(new Limit(600, Duration.ofMinutes(1)));
    private static final UpstreamSettings LIVE = UpstreamSettings.of(new Limit(300, Duration.ofMinutes(1)));

    @Test
    void shouldWriteTheFirstRevision_whenThereIsNoRecord() {
        assertThat(Seeding.decide(Map.of("api", OLD_FILE), Map.of(), NOW))
                .containsExactly(
                        new Seeding.Put(null, new UpstreamRecord(1, "api", 1, NOW, OLD_FILE, false, false, OLD_FILE)));
    }

    @Test
    void shouldKeepWhatWasChangedLive_whenTheFileSaysTheSame() {
        UpstreamRecord live = new UpstreamRecord(1, "api", 7, BEFORE, LIVE, true, false, OLD_FILE);

        assertThat(Seeding.decide(Map.of("api", OLD_FILE), Map.of("api", throughTheTopic(live)), NOW))
                .containsExactly(new Seeding.Keep(live));
    }

    @Test
    void shouldTakeTheFileAndStayPaused_whenTheFilesEntryHasChanged() {
        UpstreamRecord live = new UpstreamRecord(1, "api", 7, BEFORE, LIVE, true, true, OLD_FILE);

        assertThat(Seeding.decide(Map.of("api", NEW_FILE), Map.of("api", live), NOW))
                .containsExactly(
                        new Seeding.Put(live, new UpstreamRecord(1, "api", 8, NOW, NEW_FILE, true, false, NEW_FILE)));
    }

    @Test
    void shouldRemember_whenTheFileCatchesUpWithALiveChange() {
        UpstreamRecord live = new UpstreamRecord(1, "api", 7, BEFORE, LIVE, false, false, OLD_FILE);

        assertThat(Seeding.decide(Map.of("api", LIVE), Map.of("api", live), NOW))
                .containsExactly(new Seeding.Put(live, new UpstreamRecord(1, "api", 8, NOW, LIVE, false, false, LIVE)));
    }

    @Test
    void shouldTakeItAway_whenTheFileHasItNoMore() {
        UpstreamRecord gone = new UpstreamRecord(1, "gone", 7, BEFORE, LIVE, false, false, OLD_FILE);
        UpstreamRecord stays = new UpstreamRecord(1, "api", 1, BEFORE, OLD_FILE, false, false, OLD_FILE);

        assertThat(Seeding.decide(Map.of("api", OLD_FILE), Map.of("gone", gone, "api", stays), NOW))
                .containsExactly(new Seeding.Keep(stays), new Seeding.Remove("gone"));
    }

    private static UpstreamRecord throughTheTopic(UpstreamRecord record) {
        return Json.read(Json.bytes(record), UpstreamRecord.class);
    }
}
