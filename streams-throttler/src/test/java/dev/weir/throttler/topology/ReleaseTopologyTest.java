package dev.weir.throttler.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.Permit;
import dev.weir.contracts.wire.Priority;
import dev.weir.throttler.testing.SettingsBuilder;
import dev.weir.throttler.testing.ThrottleHarness;
import dev.weir.throttler.testing.Timeline;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** When permits come, and whose. */
class ReleaseTopologyTest {
    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final UpstreamSettings SETTINGS =
            UpstreamSettings.of(new Limit(1000, MINUTE), new Limit(50_000, Duration.ofHours(1)));

    @Test
    void shouldGivePermitsAheadOfTheirSlots_evenly_whenJobsWait() {
        try (ThrottleHarness harness = ThrottleHarness.of(SETTINGS)) {
            harness.dispatcher().start();
            harness.submit(1000);

            harness.advanceUntilFinished(Duration.ofSeconds(70));

            assertThat(harness.slots().perStep(MINUTE)).containsExactly(900L, 100L);
            assertThat(harness.slots().at(1)).isEqualTo(harness.slots().first().plusMillis(60));
            harness.slots().neverMoreThan(900).inAny(MINUTE);
            assertThat(harness.meters()
                            .counter("weir.released", "upstream", ThrottleHarness.UPSTREAM)
                            .count())
                    .isEqualTo(1000);
        }
    }

    @Test
    void shouldSpendAJobsCostInEveryWindow_whenJobsCostDifferently() {
        try (ThrottleHarness harness = ThrottleHarness.of(SETTINGS)) {
            harness.dispatcher().start();
            for (int i = 0; i < 300; i++) {
                harness.job().cost(1 + i % 9).submit();
            }

            harness.advanceUntilFinished(Duration.ofMinutes(3));

            assertThat(harness.slots().cost()).isEqualTo(1491);
            harness.slots().neverMoreThan(900).inAny(MINUTE);
            assertThat(harness.slots().mostWithin(MINUTE).cost()).isGreaterThan(890);
        }
    }

    @Test
    void shouldGiveTheCostBackAndGoFirst_whenAPermitIsHandedBack() {
        try (ThrottleHarness harness = ThrottleHarness.of(SETTINGS)) {
            JobRequest job = harness.submit();
            harness.advance(Duration.ofSeconds(1));
            Permit unused = harness.nextPermit();
            harness.submit();

            harness.handBack(unused);
            harness.advance(Duration.ofSeconds(1));

            Permit again = harness.nextPermit();
            assertThat(again.jobId()).isEqualTo(job.id());
            assertThat(again.attempt()).isEqualTo(1);
            assertThat(again.permit()).isGreaterThan(unused.permit());
            assertThat(harness.slots().cost()).isEqualTo(2);
            assertThat(harness.forecast().windows().get(0).used()).isEqualTo(2);
        }
    }

    @Test
    void shouldForetellTheLastJobsCall_whenNothingChanges() {
        try (ThrottleHarness harness = ThrottleHarness.of(SETTINGS)) {
            harness.dispatcher().start();
            harness.submit(2000);
            harness.advance(Duration.ofSeconds(1));
            Forecast forecast = harness.forecast();

            harness.advanceUntilFinished(Duration.ofSeconds(140));

            Instant last = harness.slots().last();
            long waiting = forecast.lanes().get(0).cost();
            assertThat(forecast.queue().drainedAt()).isCloseTo(last, within(Duration.ofSeconds(1)));
            assertThat(forecast.timeOfPermit(waiting - 1)).isCloseTo(last, within(Duration.ofSeconds(1)));
        }
    }

    @Test
    void shouldShareThreeToOneInEveryRollingMinute_whenTwoTenantsLanesAreFull() {
        UpstreamSettings weighted =
                SettingsBuilder.from(SETTINGS).tenantWeight("acme", 3).build();
        try (ThrottleHarness harness = ThrottleHarness.of(weighted)) {
            harness.dispatcher().start();
            harness.job().tenant("acme").submit(2200);
            harness.job().tenant("bolt").submit(1000);

            harness.advance(Duration.ofMinutes(3));

            Map<String, Timeline> shares = slotsByTenant(harness);
            for (Timeline minute : rollingMinutes(harness.slots())) {
                assertThat(inSameMinute(shares.get("acme"), minute)).isBetween(674L, 676L);
                assertThat(inSameMinute(shares.get("bolt"), minute)).isBetween(224L, 226L);
            }
        }
    }

    @Test
    void shouldShareByPriority_andStarveNone_whenAllLanesAreFull() {
        try (ThrottleHarness harness = ThrottleHarness.of(SETTINGS)) {
            harness.dispatcher().start();
            Map<String, Priority> priorities = Map.of("a", Priority.HIGH, "b", Priority.NORMAL, "c", Priority.LOW);
            priorities.forEach((tenant, priority) ->
                    harness.job().tenant(tenant).priority(priority).submit(1800));

            harness.advance(Duration.ofMinutes(3));

            Map<String, Timeline> shares = slotsByTenant(harness);
            for (Timeline minute : rollingMinutes(harness.slots())) {
                assertThat(inSameMinute(shares.get("a"), minute)).isCloseTo(900L * 4 / 7, within(2L));
                assertThat(inSameMinute(shares.get("b"), minute)).isCloseTo(900L * 2 / 7, within(2L));
                assertThat(inSameMinute(shares.get("c"), minute)).isCloseTo(900L / 7, within(2L));
            }
        }
    }

    @Test
    void shouldTakeASingleJobWithinItsShare_whenTwoTenantsHaveFullLanes() {
        try (ThrottleHarness harness = ThrottleHarness.of(SETTINGS)) {
            harness.dispatcher().start();
            harness.job().tenant("acme").submit(1000);
            harness.job().tenant("bolt").submit(1000);
            harness.advance(MINUTE);
            int given = harness.permits().size();

            JobRequest single = harness.job().tenant("carol").submit();
            harness.advance(Duration.ofSeconds(1));

            // One of three shares: it is among the next three, and one more for the turn that is under way.
            assertThat(harness.permits().subList(given, given + 4))
                    .extracting(Permit::jobId)
                    .contains(single.id());
        }
    }

    private static Map<String, Timeline> slotsByTenant(ThrottleHarness harness) {
        return harness.permits().stream()
                .collect(Collectors.groupingBy(
                        Permit::tenant,
                        Collectors.collectingAndThen(
                                Collectors.mapping(Permit::slot, Collectors.toList()),
                                slots -> Timeline.of("slots", slots))));
    }

    /** The rolling minute from each slot on, as far as all of it has passed. */
    private static List<Timeline> rollingMinutes(Timeline slots) {
        return IntStream.range(0, slots.size())
                .mapToObj(slots::at)
                .filter(from -> from.plus(MINUTE).isBefore(slots.last()))
                .map(from -> slots.between(from, from.plus(MINUTE)))
                .toList();
    }

    private static long inSameMinute(Timeline share, Timeline minute) {
        return share.between(minute.first(), minute.first().plus(MINUTE)).cost();
    }
}
