package dev.weir.benchmarks;

import dev.weir.contracts.kafka.Topics;
import java.util.List;

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
    public Rates run(Broker broker, int jobs) {
        Rate intake;
        try (BareStore app = new BareStore(broker.settings(), records, List.of(), pace)) {
            app.start();
            intake = Contender.intake(broker, records.id, Topics.REQUESTS, jobs);
        }
        Rate release;
        try (BareStore app = new BareStore(broker.settings(), records, order, pace)) {
            app.start();
            release = Contender.output(broker, records.output(), 0, jobs);
        }
        broker.requireRecords(records.output(), jobs);
        return new Rates(intake, release);
    }
}
