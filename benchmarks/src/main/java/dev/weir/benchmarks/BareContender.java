package dev.weir.benchmarks;

import dev.weir.contracts.kafka.Topics;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The bare store's run: all in, then all out.
 *
 * @param order of the ids in which they go out, filled by then
 */
record BareContender(BareStore.Records records, List<String> order, BareStore.Pace pace) implements Contender {
    @Override
    public String name() {
        return records.id;
    }

    @Override
    public Map<Phase, Rate> run(Broker broker, int jobs, Phase last) {
        Map<Phase, Rate> rates = new EnumMap<>(Phase.class);
        try (BareStore app = new BareStore(broker.settings(), records, List.of(), pace)) {
            app.start();
            rates.put(Phase.INTAKE, Contender.intake(broker, records.id, Topics.REQUESTS, jobs));
        }
        if (last == Phase.INTAKE) {
            return rates;
        }
        try (BareStore app = new BareStore(broker.settings(), records, order, pace)) {
            app.start();
            rates.put(Phase.RELEASE, Contender.output(broker, records.output(), 0, jobs));
        }
        broker.requireRecords(records.output(), jobs);
        return rates;
    }
}
