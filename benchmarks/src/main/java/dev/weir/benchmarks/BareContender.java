package dev.weir.benchmarks;

import dev.weir.contracts.kafka.Topics;
import java.time.Duration;

/** The bare store's run: all in, then all out. */
record BareContender(Duration every, Duration budget) implements Contender {
    @Override
    public String name() {
        return "bare store";
    }

    @Override
    public Rates run(Broker broker, int jobs) {
        Rate intake;
        try (BareStore app = new BareStore(broker.settings(), false, every, budget)) {
            app.start();
            intake = Contender.intake(broker, BareStore.APPLICATION_ID, Topics.REQUESTS, jobs);
        }
        Rate release;
        try (BareStore app = new BareStore(broker.settings(), true, every, budget)) {
            app.start();
            release = Contender.output(broker, Broker.BARE_OUTPUT, 0, jobs);
        }
        broker.requireRecords(Broker.BARE_OUTPUT, jobs);
        return new Rates(intake, release);
    }
}
