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
        double intake;
        try (BareStore app = new BareStore(broker.settings(), false, every, budget)) {
            app.start();
            intake = Contender.rateOfIntake(broker, BareStore.APPLICATION_ID, Topics.REQUESTS, jobs);
        }
        try (BareStore app = new BareStore(broker.settings(), true, every, budget)) {
            app.start();
            Contender.awaitOutput(broker, Broker.BARE_OUTPUT, jobs);
        }
        return new Rates(intake, Contender.rateOfOutput(broker, Broker.BARE_OUTPUT, jobs, 0));
    }
}
