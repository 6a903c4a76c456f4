package dev.weir.throttler.topology;

import dev.weir.contracts.kafka.Json;
import dev.weir.throttler.lanes.LaneKey;
import dev.weir.throttler.lanes.LaneState;
import dev.weir.throttler.quota.PermitLog;
import dev.weir.throttler.upstream.CircuitBreaker;
import dev.weir.throttler.upstream.Control;
import dev.weir.throttler.upstream.Hold;
import dev.weir.throttler.upstream.Settings;
import dev.weir.throttler.upstream.Silence;
import dev.weir.throttler.upstream.UpstreamState;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.utils.Bytes;

/**
 * How the states of lanes and upstreams are kept, which change with every job. Settings change seldom and have many fields:
 * they stand there as JSON, which is written anew only when they are others. Not thread-safe.
 */
final class HeadForm {
    private static final byte VERSION = 1;

    private final Map<String, Known> known = new HashMap<>();

    private record Known(Settings settings, Bytes json) {}

    static byte[] bytes(LaneState lane) {
        return new FormWriter(VERSION)
                .text(lane.key().upstream())
                .text(lane.key().tenant())
                .priority(lane.key().priority())
                .signed(lane.head())
                .signed(lane.tail())
                .number(lane.jobs())
                .number(lane.cost())
                .signed(lane.headCost())
                .signed(lane.tailCost())
                .fraction(lane.finish())
                .bytes();
    }

    static LaneState lane(byte[] bytes) {
        FormReader in = new FormReader(bytes, VERSION, "a lane");
        return new LaneState(
                LaneState.VERSION,
                new LaneKey(in.text(), in.text(), in.priority()),
                in.signed(),
                in.signed(),
                in.number(),
                in.number(),
                in.signed(),
                in.signed(),
                in.fraction());
    }

    byte[] bytes(UpstreamState state) {
        PermitLog.Head log = state.log();
        FormWriter out = new FormWriter(VERSION)
                .block(json(state.settings()))
                .text(state.control().mode().name())
                .signed(state.control().revision())
                .signed(log.first())
                .signed(log.next())
                .signed(log.lastSlot())
                .number(log.lastCost())
                .signed(log.tatNs())
                .signed(log.tatRest())
                .signed(log.completeSince())
                .fraction(state.virtualTime())
                .signed(state.reading())
                .signed(state.inFlight())
                .signed(state.scheduled())
                .signed(state.retrying());
        CircuitBreaker.State circuit = state.circuit();
        out.text(circuit.phase().name())
                .number(circuit.failures())
                .signed(circuit.openUntil())
                .number(circuit.probesGood())
                .number(circuit.probes().size());
        circuit.probes().forEach(out::signed);
        return out.signed(state.hold().until())
                .signed(state.hold().backoff())
                .number(state.silence().silent())
                .signed(state.silence().nextProbe())
                .signed(state.silence().lastOutcome())
                .bytes();
    }

    static UpstreamState upstream(byte[] bytes) {
        FormReader in = new FormReader(bytes, VERSION, "the state of an upstream");
        return new UpstreamState(
                UpstreamState.VERSION,
                Json.read(in.block(), Settings.class),
                new Control(Control.Mode.valueOf(in.text()), in.signed()),
                new PermitLog.Head(
                        in.signed(), in.signed(), in.signed(), in.small(), in.signed(), in.signed(), in.signed()),
                in.fraction(),
                in.signed(),
                in.signed(),
                in.signed(),
                in.signed(),
                circuit(in),
                new Hold.State(in.signed(), in.signed()),
                new Silence.State(in.small(), in.signed(), in.signed()));
    }

    private static CircuitBreaker.State circuit(FormReader in) {
        CircuitBreaker.Phase phase = CircuitBreaker.Phase.valueOf(in.text());
        int failures = in.small();
        long openUntil = in.signed();
        int probesGood = in.small();
        Set<Long> probes = new HashSet<>();
        for (int left = in.small(); left > 0; left--) {
            probes.add(in.signed());
        }
        return new CircuitBreaker.State(phase, failures, openUntil, probes, probesGood);
    }

    private byte[] json(Settings settings) {
        Known before = known.get(settings.upstream());
        if (before == null || !before.settings().equals(settings)) {
            before = new Known(settings, Bytes.wrap(Json.bytes(settings)));
            known.put(settings.upstream(), before);
        }
        return before.json().get();
    }
}
